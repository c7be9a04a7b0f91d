"""What changed behind our back: which doubts concern a resource, and what a second look tells. Pure.

A doubt is an object of which somebody else wrote something. Only doubted objects are looked at again; what the look
finds replaces what we remembered, and the plan does the rest.
"""

from collections.abc import Iterator, Mapping, Sequence

from activities.messages import Record
from activities.objects import ApiObject
from resources.annotations import chosen
from resources.conditions import Reason
from resources.drift import ANNOTATION, DriftPolicy
from resources.normal import differences, same_spec
from resources.ownership import Origin
from workflows.planning.outcome import Again, Outcome
from workflows.planning.plan import Observed

FAULTS_TO_HURRY = 8


def checked_policy(annotations: Mapping[str, str]) -> DriftPolicy:
    """What the annotation asks for.

    Raises:
        InvalidResource: nothing that we know.
    """
    return chosen(annotations, ANNOTATION, DriftPolicy) or DriftPolicy.REPAIR


def concerned(doubts: Sequence[ApiObject], known: Observed) -> tuple[ApiObject, ...]:
    """The doubted objects that are a resource's own: what it made, and all that is on a router that it made.

    The rest belongs to somebody else, or to nobody: a router that only looks like one of ours, and a mesh that another
    cluster made and lends to us.
    """
    own = {record.object for record in known.records if record.origin is not Origin.LENT}
    return tuple(dict.fromkeys(object for object in doubts if object in own or object.on_router in own))


def seen_again(known: Observed, looked_at: Sequence[ApiObject], found: Sequence[Record]) -> Observed:
    """What is known after a second look at some objects. A router that is gone has taken its routes along."""
    there = {record.object for record in found}
    after = forgotten(frozenset(looked_at) - there, known)
    for record in found:
        after = after.with_record(_as_sent(record, known))
    return after


def forgotten(gone: frozenset[ApiObject], known: Observed) -> Observed:
    """What is known without objects that are not there any more. A router that is gone has taken its routes along."""
    kept = (record for record in known.records if record.object not in gone and record.object.on_router not in gone)
    return known.model_copy(update={"records": tuple(kept)})


def drift(before: Observed, after: Observed) -> tuple[str, ...]:
    """What somebody else did between two looks, for people, one line per object; empty when nothing differs."""
    return tuple(_drift(before, after))


def again(outcome: Outcome, drifted: bool, faults: int) -> Again:
    """When to look again: as the outcome says, but soon where another repair is likely to be what is waited for.

    Who deletes a node by hand has often deleted more; each resource repairs its own, in no order.
    """
    if outcome.reason is Reason.WAITING_FOR_REFERENCE and (drifted or 0 < faults < FAULTS_TO_HURRY):
        return Again.SOON
    return outcome.again


def _drift(before: Observed, after: Observed) -> Iterator[str]:
    for old in before.records:
        if old.origin is Origin.LENT:
            continue
        new = after.find(old.object)
        if new is None:
            yield f"{old.object} was deleted"
        elif not same_spec(old.spec, new.spec):
            yield f"{old.object} was edited ({'; '.join(differences(old.spec, new.spec))})"
    yield from (f"{new.object} was added" for new in after.records if before.find(new.object) is None)


def _as_sent(found: Record, known: Observed) -> Record:
    """The record with all that a look does not tell: whose it is, and in which form we sent a spec that is the same."""
    before = known.find(found.object)
    if before is None:
        return found
    spec = before.spec if same_spec(before.spec, found.spec) else found.spec
    return before.model_copy(update={"arn": found.arn, "version": found.version, "spec": spec})
