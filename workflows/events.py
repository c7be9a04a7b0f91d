"""The Events that a workflow records about its resource, and the time in Kubernetes' form."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from temporalio import workflow

from activities import names
from activities.messages import Event
from resources.conditions import Reason
from workflows import calls
from workflows.messages import Snapshot
from workflows.planning.data_plane import objection


def event_of(snapshot: Snapshot, reconcile: int, warning: bool, reason: Reason, message: str) -> Event:
    """An Event of now; one that is recorded again with the same reason and serial is the same Event.

    Args:
        snapshot: the resource.
        reconcile: the number of the reconcile in which it is said.
        warning: whether somebody may have to act.
        reason: as in conditions.
        message: for people; cut to what fits.
    """
    return Event(
        key=snapshot.key,
        warning=warning,
        reason=reason,
        message=message[:1000],
        serial=f"{snapshot.generation}/{reconcile}",
        at=rfc3339(workflow.now()),
    )


async def record_objection(
    snapshot: Snapshot, reconcile: int, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """Record an Event when proxies refuse by the new status what they did not refuse by the old one."""
    if (found := objection(before, after)) is not None:
        event = event_of(snapshot, reconcile, True, Reason(found.reason or ""), found.message or "")
        await calls.kubernetes(names.RECORD_EVENT, event, "Record event")


def rfc3339(moment: datetime) -> str:
    """The form of times in Kubernetes."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
