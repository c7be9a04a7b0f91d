"""The loop and DNS: one status write, no hold-up, and a timer only while a name does not resolve."""

import pytest
from temporalio.api.enums.v1 import EventType

from activities.messages import Verdict
from resources.kinds import Kind
from tests.builders import NAMESPACE, mesh, virtual_node
from tests.workflows.conftest import Harness, until
from tests.workflows.test_entity import NODE, ready
from workflows import entity

pytestmark = pytest.mark.e2e

AT_NODE = (Kind.VIRTUAL_NODE, NAMESPACE, "cart")
HOST = "cart.prod.svc.cluster.local"


def resolvable(harness: Harness) -> str | None:
    """Status of the condition."""
    return harness.kubernetes.condition(*AT_NODE, "DNSResolvable").get("status")


async def timers(harness: Harness) -> int:
    """Timers that the node's workflow has ever started."""
    history = await harness.handle(*AT_NODE).fetch_history()
    return sum(event.event_type == EventType.EVENT_TYPE_TIMER_STARTED for event in history.events)


@pytest.fixture
def checked(harness: Harness) -> Harness:
    """A cluster whose workers look host names up, with a mesh."""
    harness.kubernetes.checks_dns = True
    ready(harness, mesh())
    return harness


async def test_a_name_that_resolves_is_told_in_the_one_status_write_and_holds_no_timer(checked):
    """The node was in App Mesh before its name was looked up."""
    looked_up_before: list[list[str]] = []
    checked.app_mesh.before = lambda call: looked_up_before.append(list(checked.kubernetes.lookups))
    async with checked.worker():
        await checked.apply(virtual_node())
        await until(lambda: resolvable(checked) == "True", "the condition")
        assert (looked_up_before, checked.kubernetes.lookups) == ([[]], [HOST])
        assert len(checked.kubernetes.status_writes) == 1
        assert await timers(checked) == 0


async def test_a_name_that_does_not_resolve_is_a_warning_and_is_looked_up_until_it_does(checked, monkeypatch):
    """The node is Active all the while; App Mesh is asked nothing for it."""
    monkeypatch.setattr(entity, "SLOW_DELAY", entity.SHORTEST_DELAY / 5)
    checked.kubernetes.resolutions = [Verdict.FAILS] * 3
    async with checked.worker():
        await checked.apply(virtual_node())
        await until(lambda: resolvable(checked) == "False", "the warning")
        assert checked.kubernetes.condition(*AT_NODE, "VirtualNodeActive")["status"] == "True"
        await until(lambda: resolvable(checked) == "True", "the condition to turn")
        assert len(checked.kubernetes.status_writes) == 2  # unchanged looks write nothing
        assert checked.app_mesh.calls == [f"CreateVirtualNode {NODE.name}"]
        assert not any(event.reason == "NotResolved" for event in checked.kubernetes.events)


async def test_an_answer_that_comes_late_is_fetched(checked):
    """A slow name server: the status is written without it, and again when it is there."""
    checked.kubernetes.resolutions = [Verdict.PENDING]
    async with checked.worker():
        await checked.apply(virtual_node())
        await until(lambda: resolvable(checked) == "True", "the condition")
    first = checked.kubernetes.status_writes[0].status["conditions"]
    assert [condition["type"] for condition in first] == ["VirtualNodeActive"]


async def test_where_the_check_is_off_nothing_is_looked_up(harness):
    """The setting."""
    ready(harness, mesh())
    async with harness.worker():
        await harness.apply(virtual_node())
        await until(lambda: harness.kubernetes.status_writes, "the status")
    assert harness.kubernetes.lookups == []
    assert resolvable(harness) is None
