"""What users see of a reconcile: the status to write and the Event to record. Pure; the time arrives as text."""

from collections.abc import Mapping, Sequence
from typing import Any

from activities.messages import Record, References, Resolution
from activities.objects import ApiKind
from resources.conditions import Condition, ConditionType, Reason, active_condition, merge_conditions
from resources.kinds import Kind
from workflows.messages import Snapshot
from workflows.planning import adoption, dns
from workflows.planning.desired import Desired
from workflows.planning.kinds import PLANNERS
from workflows.planning.outcome import Outcome
from workflows.planning.plan import Observed

LONGEST_MESSAGE = 1024
WAITING = frozenset(
    {
        Reason.WAITING_FOR_MESH,
        Reason.WAITING_FOR_NODES,
        Reason.WAITING_FOR_MEMBERS,
        Reason.WAITING_FOR_SERVICES,
        Reason.WAITING_FOR_ROUTER,
    }
)


def status_of(
    snapshot: Snapshot,
    desired: Desired | None,
    observed: Observed,
    references: References | None,
    outcome: Outcome,
    before: Mapping[str, Any],
    now: str,
    resolution: Resolution | None = None,
) -> dict[str, Any]:
    """The status after a reconcile.

    Args:
        snapshot: the resource that was reconciled.
        desired: what it asks for; None when it could not be read, then its own members stay as they were.
        observed: what App Mesh holds for it now.
        references: what it refers to; None when that was not looked at.
        outcome: how it ended.
        before: the status until now.
        now: RFC 3339 time, for conditions that turn.
        resolution: whether its host name resolves; None when that was not asked.
    """
    kind = snapshot.key.kind
    old = [Condition.model_validate(condition) for condition in _conditions(kind, before)]
    if desired is not None and references is not None:
        old = dns.still_told(old, references.checks_dns and desired.host_name() is not None)
    new = [
        *_new_conditions(snapshot, outcome),
        *adoption.conditions(observed, before, snapshot.generation),
        *dns.conditions(resolution, snapshot.generation),
    ]
    merged = merge_conditions(old, new, now)
    conditions = [condition.model_dump(by_alias=True, exclude_none=True, mode="json") for condition in merged]
    status: dict[str, Any] = {"conditions": conditions, "observedGeneration": snapshot.generation}
    if kind is Kind.MESH:
        # The reference's Go type calls the list meshCondition; it is mirrored so that `kubectl wait` works.
        status["meshCondition"] = conditions
    if observed.records:
        status["versions"] = {record.arn: record.version for record in sorted(observed.records, key=_arn)}
    if desired is not None:
        status |= desired.status_members(observed, references)
    return status


def changed_members(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The members that differ between two statuses; empty when a write would change nothing."""
    return {name: value for name, value in after.items() if before.get(name) != value}


def is_news(kind: Kind, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether people should be told by an Event: the main condition turned, or fails in another way.

    Waiting for others is the normal course of things when a mesh is applied, and only the condition tells of it; unless
    something that was fine has to wait again.
    """
    old, new = _headline(kind, before), _headline(kind, after)
    if new is not None and new.reason in WAITING:
        return old is not None and old.status == "True"
    return old != new


def is_warning(outcome: Outcome) -> bool:
    """Whether an Event about it is a Warning: somebody may have to act. Waiting, and leaving with a mesh, is normal."""
    return not outcome.achieved and outcome.reason not in WAITING | {Reason.MESH_DELETED}


def _arn(record: Record) -> str:
    return record.arn


def _headline(kind: Kind, status: Mapping[str, Any]) -> Condition | None:
    """The main condition, without what does not make news of it."""
    main = active_condition(kind)
    for found in _conditions(kind, status):
        if found.get("type") == main:
            condition = Condition.model_validate(found)
            return condition.model_copy(update={"last_transition_time": None, "observed_generation": None})
    return None


def _conditions(kind: Kind, status: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    if kind is Kind.MESH and status.get("meshCondition"):
        return status["meshCondition"]  # type: ignore[no-any-return]
    return status.get("conditions") or ()


def _new_conditions(snapshot: Snapshot, outcome: Outcome) -> list[Condition]:
    kind, generation = snapshot.key.kind, snapshot.generation
    message = outcome.message[:LONGEST_MESSAGE]
    conditions = []
    for type, turned_by in PLANNERS[kind].condition_kinds.items():
        fine = outcome.achieved or _was_passed(outcome.failed_kind, turned_by)
        conditions.append(
            Condition(
                type=type,
                status="True" if fine else "False",
                reason=Reason.ACTIVE if fine else outcome.reason,
                message="" if fine else message,
                observed_generation=generation,
            )
        )
    if kind is not Kind.MESH:
        conditions += _marked_for_deletion(snapshot, outcome)
    return conditions


def _was_passed(failed: ApiKind | None, turned_by: frozenset[ApiKind]) -> bool:
    """Whether the reconcile had got beyond the objects of a condition when it stopped."""
    return failed is not None and failed not in turned_by


def _marked_for_deletion(snapshot: Snapshot, outcome: Outcome) -> list[Condition]:
    if outcome.reason is not Reason.MESH_DELETED:
        return []
    return [
        Condition(
            type=ConditionType.MESH_MARKED_FOR_DELETION,
            status="True",
            reason=Reason.MESH_DELETED,
            message=outcome.message,
            observed_generation=snapshot.generation,
        )
    ]
