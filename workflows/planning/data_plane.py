"""What a status says of the proxies in the mesh: two conditions, and where the last write is in the order of all. Pure.

`DataPlaneSynced` is about a write: once every connected proxy has it, the condition stays True until there is another
one, whoever connects later. `DataPlaneAccepted` is about what proxies refuse. Neither is there while no proxy is
connected, or where the API does not tell of proxies.
"""

from collections.abc import Mapping
from typing import Any

from resources.conditions import (
    Condition,
    ConditionType,
    Reason,
    active_condition,
    condition_of,
    merge_conditions,
)
from resources.kinds import Kind
from workflows.messages import DataPlaneReport, Snapshot

REVISION = "dataPlaneRevision"
_ACCEPTED, _SYNCED = ConditionType.DATA_PLANE_ACCEPTED, ConditionType.DATA_PLANE_SYNCED


def with_data_plane(
    status: Mapping[str, Any],
    snapshot: Snapshot,
    before: Mapping[str, Any],
    report: DataPlaneReport | None,
    revision: int | None,
    now: str,
) -> dict[str, Any]:
    """The status with what is known of the proxies.

    Args:
        status: as it is to be apart from that.
        snapshot: the resource.
        before: the status until now.
        report: what a watcher last read of its mesh's proxies; None when nobody knows, then all stays as it is.
        revision: of the last write for the resource; None when the API does not tell.
        now: RFC 3339 time, for conditions that turn.
    """
    result = dict(status)
    if revision is not None:
        result[REVISION] = revision
    if report is None or revision is None or snapshot.deleting:
        return result
    old = [Condition.model_validate(each) for each in status.get("conditions") or ()]
    if report.proxies == 0:
        return _with_conditions(result, snapshot, [each for each in old if each.type not in (_ACCEPTED, _SYNCED)])
    main = condition_of(old, active_condition(snapshot.key.kind))
    if main is None or main.status != "True" or main.observed_generation != snapshot.generation:
        return result  # what its spec asks for is not in App Mesh, so proxies cannot have it
    written = before.get(REVISION) != revision
    new = _verdict(report, revision, None if written else condition_of(old, _SYNCED))
    told = [each.model_copy(update={"observed_generation": snapshot.generation}) for each in new]
    return _with_conditions(result, snapshot, merge_conditions(old, told, now))


def objection(before: Mapping[str, Any], after: Mapping[str, Any]) -> Condition | None:
    """What proxies refuse now and did not before: something for an Event."""
    old, new = (
        condition_of([Condition.model_validate(each) for each in status.get("conditions") or ()], _ACCEPTED)
        for status in (before, after)
    )
    if new is None or new.status != "False":
        return None
    is_old = old is not None and (old.status, old.reason, old.message) == (new.status, new.reason, new.message)
    return None if is_old else new


def reason_of(status: Mapping[str, Any]) -> str:
    """How proxies stand, in a word."""
    synced = condition_of([Condition.model_validate(each) for each in status.get("conditions") or ()], _SYNCED)
    return synced.reason or "" if synced is not None else "no proxies"


def _verdict(report: DataPlaneReport, revision: int, synced: Condition | None) -> list[Condition]:
    """The conditions; `synced` is the one so far, if nothing was written since."""
    if report.revision < revision:
        if synced is not None and synced.status == "True":
            return [synced]
        return [_condition(_SYNCED, Reason.PUSHING, "not every connected proxy has the last write yet", met=False)]
    if report.reason is not None:
        accepted = _condition(_ACCEPTED, report.reason, report.message, met=False)
        if report.reason is Reason.HELD_BACK:
            accepted = _condition(_ACCEPTED, Reason.ACCEPTED)
        return [accepted, _condition(_SYNCED, report.reason, report.message, met=False)]
    have = f"{report.proxies} connected {'proxy has' if report.proxies == 1 else 'proxies have'} it"
    if synced is not None and synced.status == "True":
        have = synced.message or have
    return [_condition(_ACCEPTED, Reason.ACCEPTED), _condition(_SYNCED, Reason.SYNCED, have)]


def _condition(type: ConditionType, reason: Reason, message: str = "", *, met: bool = True) -> Condition:
    return Condition(type=type, status="True" if met else "False", reason=reason, message=message)


def _with_conditions(status: dict[str, Any], snapshot: Snapshot, conditions: Any) -> dict[str, Any]:
    shown = [each.model_dump(by_alias=True, exclude_none=True, mode="json") for each in conditions]
    mirrored = {"meshCondition": shown} if snapshot.key.kind is Kind.MESH else {}
    return {**status, "conditions": shown, **mirrored}
