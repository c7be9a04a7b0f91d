"""Telling what proxies make of a resource when nothing else is to be done: its status is written, and no more.

App Mesh holds what the spec asks for already, so a reconcile would only read references and find nothing to do.
"""

from temporalio import workflow

from activities import names
from activities.failures import Failure
from activities.messages import Status
from workflows import calls
from workflows.calls import CallFailed
from workflows.events import record_objection, rfc3339
from workflows.planning.data_plane import REVISION, reason_of, with_data_plane
from workflows.planning.report import changed_members
from workflows.state import EntityState


async def tell(state: EntityState) -> None:
    """Write the news of proxies that `state` has into the status, if they change it."""
    state.data_plane_news = False
    snapshot, before = state.desired, state.status
    if snapshot is None or state.gone:
        return
    revision = before.get(REVISION)
    now = rfc3339(workflow.now())
    status = with_data_plane(before, snapshot, before, state.data_plane, revision, now)
    if not changed_members(before, status):
        return
    state.reconciles += 1  # no reconcile, but its Event is another one than that of the last
    try:
        said = f"Write status: {reason_of(status)}"
        wanted = Status(key=snapshot.key, status=status, before=before)
        await calls.kubernetes(names.WRITE_STATUS, wanted, said)
        await record_objection(snapshot, state.reconciles, before, status)
    except CallFailed as error:
        if error.failure is not Failure.GONE:
            raise
        return  # the watcher says so too
    if state.desired is not None and state.desired.key.uid == snapshot.key.uid:
        state.status = status
