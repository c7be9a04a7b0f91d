"""What the resolution of a node's host name means: a condition, and when to ask again. Pure.

A name that does not resolve is a warning and stops nothing: App Mesh takes any name, and the Kubernetes Service behind
it may come later.
"""

from collections.abc import Sequence

from activities.messages import Resolution, Verdict
from resources.conditions import Condition, ConditionType, Reason
from workflows.planning.outcome import Again, Outcome


def conditions(resolution: Resolution | None, generation: int) -> list[Condition]:
    """The DNSResolvable condition; none while there is no answer."""
    if resolution is None or resolution.verdict is Verdict.PENDING:
        return []
    resolves = resolution.verdict is Verdict.RESOLVES
    message = "" if resolves else f"{resolution.host} does not resolve where Meshwright runs: {resolution.message}"
    return [
        Condition(
            type=ConditionType.DNS_RESOLVABLE,
            status="True" if resolves else "False",
            reason=Reason.RESOLVED if resolves else Reason.NOT_RESOLVED,
            message=message[:1024],
            observed_generation=generation,
        )
    ]


def still_told(old: Sequence[Condition], checks: bool) -> list[Condition]:
    """The conditions so far, without the answer to a question that is no longer asked.

    Args:
        old: the conditions of the resource.
        checks: whether the resource has a host name that is to be looked up.
    """
    return [condition for condition in old if checks or condition.type != ConditionType.DNS_RESOLVABLE]


def asked_again(outcome: Outcome, resolution: Resolution | None) -> Outcome:
    """The outcome, with a time to look again where the answer is not the wanted one.

    A name that resolves is not looked up until something else brings the node back, so a settled node holds no timer.
    """
    if resolution is None or resolution.verdict is Verdict.RESOLVES or outcome.again is not Again.NEVER:
        return outcome
    again = Again.SOON if resolution.verdict is Verdict.PENDING else Again.SLOWLY
    return outcome.model_copy(update={"again": again})
