"""What reaches a workflow at the worst moment: while a call is under way, and while it is about to end."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus

from activities.objects import ApiKind
from resources.kinds import Kind
from tests.builders import MESH, NAMESPACE, mesh, virtual_node, virtual_service
from tests.workflows.conftest import Harness, until, until_awaited
from tests.workflows.test_entity import ROUTES, SERVICE, ready, settled
from watcher.index import Name

pytestmark = pytest.mark.e2e

PLACE = (Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE)
UID = f"uid-of-{SERVICE}"


def hold(harness: Harness, call: str) -> None:
    """The next such call stays under way until `during` is left."""
    harness.app_mesh.held[call] = asyncio.Event()


def left(harness: Harness) -> set[str]:
    """Names of what exists for the service."""
    kinds = (ApiKind.VIRTUAL_SERVICE, ApiKind.VIRTUAL_ROUTER, ApiKind.ROUTE)
    return {name for kind in kinds for name in harness.app_mesh.named(kind)}


@asynccontextmanager
async def during(harness: Harness, call: str) -> AsyncIterator[None]:
    """Tell things inside while a call is under way; the hold must have been set before the call."""
    await until(lambda: call in harness.app_mesh.under_way, call)
    yield
    harness.app_mesh.held[call].set()


async def test_deletion_in_the_middle_of_creation_stops_it(harness: Harness) -> None:
    """The service is never created, and what was made for it goes."""
    ready(harness, mesh(), virtual_node())
    hold(harness, "CreateRoute b")
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES))
        async with during(harness, "CreateRoute b"):
            await harness.tell(harness.kubernetes.delete(*PLACE))
        await harness.handle(*PLACE).result()
    assert harness.app_mesh.counts["CreateVirtualService"] == 0
    assert left(harness) == set()


async def test_end_in_the_middle_of_creation_leaves_nothing(harness: Harness) -> None:
    """The resource was taken away by force while its routes were being created."""
    ready(harness, mesh(), virtual_node())
    hold(harness, "CreateRoute b")
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES))
        async with during(harness, "CreateRoute b"):
            del harness.kubernetes.resources[PLACE]
            await harness.tell_gone(*PLACE, UID)
        await harness.handle(*PLACE).result()
    assert left(harness) == set()


async def test_next_life_in_the_middle_of_creation_is_what_remains(harness: Harness) -> None:
    """Its status is its own, and App Mesh holds what it asks for."""
    ready(harness, mesh(), virtual_node())
    hold(harness, "CreateRoute b")
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES))
        async with during(harness, "CreateRoute b"):
            await harness.tell(harness.kubernetes.apply(virtual_service(routes=ROUTES[:1]), uid="second-life"))
        await settled(harness)
    assert harness.app_mesh.named(ApiKind.ROUTE) == {"a"}
    assert len(harness.kubernetes.resources[PLACE]["status"]["routeArns"]) == 1


async def test_end_in_the_middle_of_deletion_is_the_end(harness: Harness) -> None:
    """Somebody lost patience and took the finalizer off while the router was being deleted."""
    ready(harness, mesh(), virtual_node())
    hold(harness, "DeleteVirtualRouter cart-router-prod")
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES))
        await settled(harness)
        await harness.tell(harness.kubernetes.delete(*PLACE))
        async with during(harness, "DeleteVirtualRouter cart-router-prod"):
            del harness.kubernetes.resources[PLACE]
            await harness.tell_gone(*PLACE, UID)
        await harness.handle(*PLACE).result()
    assert left(harness) == set()


async def test_next_life_in_the_middle_of_deletion_is_created(harness: Harness) -> None:
    """Deleted and applied again at once: the workflow does not end over the new resource."""
    ready(harness, mesh(), virtual_node())
    hold(harness, "DeleteVirtualRouter cart-router-prod")
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES))
        await settled(harness)
        await harness.tell(harness.kubernetes.delete(*PLACE))
        async with during(harness, "DeleteVirtualRouter cart-router-prod"):
            await harness.tell(harness.kubernetes.apply(virtual_service(routes=ROUTES[:2]), uid="second-life"))
        await settled(harness)
        assert harness.app_mesh.named(ApiKind.ROUTE) == {"a", "b"}
        assert await harness.running(*PLACE)


async def test_sightings_that_come_while_a_workflow_ends_leave_nothing_running(harness: Harness) -> None:
    """Watchers repeat themselves: each sighting is taken by the run that ends, or by one that sees that it is late."""
    ready(harness, mesh(), virtual_node())
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES[:1]))
        await settled(harness)
        leaving = harness.kubernetes.delete(*PLACE)
        for _ in range(30):
            await harness.tell(leaving)
            await harness.tell_gone(*PLACE, UID)
        await harness.handle(*PLACE).result()

        async def completed() -> bool:
            return (await harness.handle(*PLACE).describe()).status is WorkflowExecutionStatus.COMPLETED

        await until_awaited(completed, "the last run's end")
    assert left(harness) == set()


async def test_mesh_torn_out_of_its_members_waits_for_them_quietly(harness: Harness) -> None:
    """It looks again after a growing delay, not in a loop; and goes when they have gone."""
    place, uid = (Kind.MESH, None, MESH), f"uid-of-{MESH}"
    async with harness.worker():
        await harness.apply(mesh())
        await until(lambda: harness.kubernetes.condition(*place, "MeshActive").get("status") == "True", "active")
        harness.kubernetes.apply(virtual_node())
        del harness.kubernetes.resources[place]
        await harness.tell_gone(*place, uid)

        async def waits() -> bool:
            history = await harness.handle(*place).fetch_history()
            return history.events[-1].event_type == EventType.EVENT_TYPE_TIMER_STARTED

        await until_awaited(waits, "a timer")
        assert (await harness.handle(*place).describe()).history_length < 50
        harness.kubernetes.resources.clear()
        await harness.handle(*place).result()
    assert harness.app_mesh.named(ApiKind.MESH) == set()


async def test_settled_workflow_holds_no_timer(harness: Harness) -> None:
    """Ten thousand idle resources cost nothing; nor does one that waits for another."""
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES))
        await settled(harness, reason="WaitingForMesh")
        ready(harness, mesh(), virtual_node())
        await harness.tell(harness.kubernetes.see(*PLACE), poke=True)
        await settled(harness)
    assert not any("timerStartedEventAttributes" in event for event in await events(harness))


async def test_each_step_is_told_in_words(harness: Harness) -> None:
    """What the Temporal UI shows of a workflow and of its steps."""
    ready(harness, mesh(), virtual_node())
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES[:1]))
        await settled(harness)
    summaries = {
        event["activityTaskScheduledEventAttributes"]["activityType"]["name"]: event["userMetadata"]["summary"]
        for event in (await events(harness))
        if "activityTaskScheduledEventAttributes" in event
    }
    assert {name: json.loads(base64.b64decode(summary["data"])) for name, summary in summaries.items()} == {
        "CreateVirtualRouter": "Create router cart-router-prod",
        "CreateRoute": "Create route a of router cart-router-prod",
        "CreateVirtualService": f"Create virtual service {SERVICE}",
    }


async def test_limited_calls_go_to_queues_of_their_own(harness: Harness) -> None:
    """Where limits are set, writes wait in their queue and nothing else waits with them."""
    writes, reads = f"{harness.cluster}-writes", f"{harness.cluster}-reads"
    harness.kubernetes.queues = harness.kubernetes.queues.model_copy(update={"writes": writes, "reads": reads})
    ready(harness, mesh(), virtual_node())
    async with harness.worker(), harness.activities_worker(writes), harness.activities_worker(reads):
        await harness.apply(virtual_service(routes=ROUTES[:1]))
        await settled(harness)
        await harness.handle(*PLACE).terminate("its history is lost")
        first = await queues_used(harness)
        await harness.tell(harness.kubernetes.see(*PLACE))
        await until(lambda: harness.app_mesh.counts["DescribeVirtualService"], "a look")
        await harness.tell(harness.kubernetes.delete(*PLACE))
        await harness.handle(*PLACE).result()
    assert first == {writes}
    assert await queues_used(harness) == {writes, reads}


async def test_workflows_that_run_are_found_by_their_cluster(harness: Harness) -> None:
    """So that at start the watcher finds those whose resource is gone; a name that runs no more is told nothing."""
    harness.kubernetes.apply(mesh())
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES))
        await settled(harness, reason="WaitingForMesh")

        async def found() -> bool:
            return await harness.workflows.running() == {Name(*PLACE)}

        await until_awaited(found, "the workflow in the list")
        await harness.tell_gone(Kind.VIRTUAL_NODE, NAMESPACE, "never-seen", "u")
        del harness.kubernetes.resources[PLACE]
        await harness.tell_gone(*PLACE, as_of="1")
        assert await harness.running(*PLACE)
        await harness.tell_gone(*PLACE, as_of="99999")
        await harness.handle(*PLACE).result()


async def events(harness: Harness) -> list[dict[str, Any]]:
    """The service's newest history."""
    found: list[dict[str, Any]] = (await harness.handle(*PLACE).fetch_history()).to_json_dict()["events"]
    return found


async def queues_used(harness: Harness) -> set[str]:
    """Task queues of the service's App Mesh calls."""
    return {
        event["activityTaskScheduledEventAttributes"]["taskQueue"]["name"]
        for event in await events(harness)
        if "activityTaskScheduledEventAttributes" in event
    }
