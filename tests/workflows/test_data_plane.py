"""The loop and proxies: what is written when they have followed, and that they cost nothing where there are none."""

import asyncio

import pytest
from temporalio.api.enums.v1 import EventType

from resources.conditions import Reason
from resources.kinds import Kind
from tests.builders import NAMESPACE, listener, mesh, virtual_node
from tests.workflows.conftest import PATIENCE, Harness, until
from tests.workflows.test_entity import NODE, ready
from workflows.messages import DataPlaneReport

pytestmark = pytest.mark.e2e

LOCAL_ACTIVITY = EventType.EVENT_TYPE_MARKER_RECORDED
TASK = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
AT_NODE = (Kind.VIRTUAL_NODE, NAMESPACE, "cart")


@pytest.fixture
def site(harness: Harness) -> Harness:
    """An API that tells revisions, and a mesh."""
    harness.app_mesh.revision = 0
    ready(harness, mesh())
    return harness


def said(harness: Harness) -> tuple[str | None, str | None]:
    """The reasons of both conditions."""
    found = (harness.kubernetes.condition(*AT_NODE, f"DataPlane{each}") for each in ("Accepted", "Synced"))
    accepted, synced = (each.get("reason") for each in found)
    return accepted, synced


async def reported(harness: Harness, **report: object) -> None:
    """What the watcher does when it hears of proxies."""
    await harness.tell(harness.kubernetes.apply(virtual_node()), data_plane=DataPlaneReport.model_validate(report))


AT_FIRST = 4
"""Local activities of the first reconcile: references, finalizer, status and Event."""


async def count(harness: Harness, type: "EventType.ValueType") -> int:
    """How many events of a type the history of the node's workflow has."""
    history = await harness.handle(*AT_NODE).fetch_history()
    return sum(event.event_type == type for event in history.events)


async def counted(harness: Harness, type: "EventType.ValueType", number: int) -> None:
    """Wait until the history has so many events of a type, and no more."""
    async with asyncio.timeout(60):
        while (found := await count(harness, type)) < number:  # noqa: ASYNC110 - Temporal is asked
            await asyncio.sleep(0.02)
    assert found == number


@pytest.mark.parametrize("cached", [pytest.param(1000, id="cached"), pytest.param(0, id="replayed-at-every-task")])
async def test_a_write_is_told_when_proxies_have_followed(site, cached):
    """One more status write, and nothing else is asked or called; an Event only when they refuse."""
    async with site.worker(max_cached_workflows=cached):
        await site.apply(virtual_node(), data_plane=DataPlaneReport(proxies=2, revision=0))
        await until(lambda: said(site) == (None, "Pushing"), "the write")
        assert len(site.kubernetes.status_writes) == 1
        await counted(site, LOCAL_ACTIVITY, AT_FIRST)  # they are in the history once their whole task is
        await reported(site, proxies=2, revision=1)
        await until(lambda: said(site) == ("Accepted", "Synced"), "the proxies")
        events = len(site.kubernetes.events)
        await reported(site, proxies=2, revision=1, reason="RefusedByProxy", message="no such file")
        await until(lambda: said(site) == ("RefusedByProxy", "RefusedByProxy"), "the refusal")
        await until(lambda: len(site.kubernetes.events) == events + 1, "the Event")
        assert site.kubernetes.events[-1].warning
        assert site.kubernetes.events[-1].reason == Reason.REFUSED_BY_PROXY
        first, *later = site.kubernetes.status_writes
        assert len(later) == 2
        assert first.before == {}
        assert [each.before for each in later] == [first.status, later[0].status]
        await counted(site, LOCAL_ACTIVITY, AT_FIRST + 3)  # two status writes and an Event
        assert site.app_mesh.calls == [f"CreateVirtualNode {NODE.name}"]


async def test_an_edit_is_pushed_until_proxies_have_it(site):
    """In the one status write of its reconcile."""
    async with site.worker():
        await site.apply(virtual_node(), data_plane=DataPlaneReport(proxies=2, revision=0))
        await until(lambda: said(site) == (None, "Pushing"), "the first write")
        await reported(site, proxies=2, revision=1)
        await until(lambda: said(site) == ("Accepted", "Synced"), "the proxies")
        before = len(site.kubernetes.status_writes)
        await site.apply(virtual_node(listeners=[listener(9090)]))
        await until(lambda: said(site) == ("Accepted", "Pushing"), "the edit")
        assert len(site.kubernetes.status_writes) == before + 1


async def test_without_proxies_nothing_is_said_and_nothing_more_is_done(site):
    """One status write, and the tasks that the same reconcile takes without a watcher that knows of proxies."""
    async with site.worker():
        await site.apply(virtual_node(), data_plane=DataPlaneReport())
        await until(lambda: len(site.kubernetes.status_writes) == 1, "the write")
        assert said(site) == (None, None)
        await counted(site, LOCAL_ACTIVITY, AT_FIRST)
        taken = await count(site, TASK)
        await reported(site, proxies=0)
        async with asyncio.timeout(PATIENCE):
            while await count(site, TASK) == taken:  # noqa: ASYNC110 - Temporal is asked, which sets no event
                await asyncio.sleep(0.02)
        await counted(site, LOCAL_ACTIVITY, AT_FIRST)
        assert len(site.kubernetes.status_writes) == 1
