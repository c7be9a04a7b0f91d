"""App Mesh made something, and nobody heard of it: the answer was lost, and so was every further try."""

import asyncio

import pytest

from activities.failures import Failure
from activities.objects import ApiKind, ApiObject
from resources.kinds import Kind
from tests.builders import MESH, NAMESPACE, http_route, listener, mesh, virtual_node, virtual_service
from tests.workflows.conftest import until
from tests.workflows.test_entity import ROUTER, SERVICE, ready, service_condition, settled
from workflows import calls, entity

pytestmark = pytest.mark.e2e

AT_SERVICE = (Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE)


def moved_to(prefix: str):
    """The service with three routes below a prefix; from one to another takes a new router."""
    return virtual_service(routes=[http_route(name, {"cart": 1}, prefix=f"{prefix}/{name}") for name in "abc"])


@pytest.fixture
def losing(harness, monkeypatch):
    """A cluster whose next router beside a live one is made, and never answered for."""
    monkeypatch.setattr(calls.APP_MESH_RETRIES, "maximum_attempts", 1)
    monkeypatch.setattr(entity, "SHORTEST_DELAY", entity.SHORTEST_DELAY / 10)
    ready(harness, mesh(), virtual_node())
    app_mesh = harness.app_mesh

    def take_and_say_nothing(call: str) -> None:
        operation, _, name = call.partition(" ")
        if operation == "CreateVirtualRouter" and name != ROUTER.name:
            beside = ROUTER.model_copy(update={"name": name})
            app_mesh.put(beside, {"listeners": [listener()]})
            app_mesh.tags[beside] = app_mesh.tags[ROUTER]
            app_mesh.before = lambda call: None
            app_mesh.faults[operation] = [Failure.UNAVAILABLE]

    app_mesh.before = take_and_say_nothing
    return harness


def check_end(harness, prefix: str) -> None:
    """Callers meet the newest routes, on the one router that there is."""
    met = harness.app_mesh.routing_of(ApiObject(kind=ApiKind.VIRTUAL_SERVICE, mesh=MESH, name=SERVICE))
    told = {name: met[name]["httpRoute"]["match"]["prefix"] for name in "abc"}
    assert told == {name: f"{prefix}/{name}" for name in "abc"}
    assert len(harness.app_mesh.named(ApiKind.VIRTUAL_ROUTER)) == 1


async def test_it_is_found_and_used(losing):
    """It was no Conflict with somebody else, and needs no edit to be overcome."""
    async with losing.worker():
        await losing.apply(moved_to("/old"))
        await settled(losing)
        await losing.apply(moved_to("/new"))
        await settled(losing, generation=2)
    assert "AppMeshUnavailable" in [event.reason for event in losing.kubernetes.events]
    check_end(losing, "/new")


async def lose(harness) -> None:
    """Have the answer lost; the next try is a long time off."""
    await harness.apply(moved_to("/old"))
    await settled(harness)
    await harness.apply(moved_to("/new"))
    await until(lambda: service_condition(harness).get("reason") == "AppMeshUnavailable", "the fault")


async def test_it_goes_when_the_next_edit_wants_another(losing, monkeypatch):
    """Its name is of a content that nobody asks for any more."""
    monkeypatch.setattr(entity, "SHORTEST_DELAY", entity.SLOW_DELAY)
    async with losing.worker():
        await lose(losing)
        await losing.apply(moved_to("/newer"))
        await settled(losing, generation=3)
    check_end(losing, "/newer")


async def test_it_goes_with_its_resource(losing, monkeypatch):
    """Or its mesh could never be deleted."""
    monkeypatch.setattr(entity, "SHORTEST_DELAY", entity.SLOW_DELAY)
    async with losing.worker():
        await lose(losing)
        await losing.tell(losing.kubernetes.delete(*AT_SERVICE))
        await losing.handle(*AT_SERVICE).result()
    assert losing.app_mesh.named(ApiKind.VIRTUAL_ROUTER) == set()


async def test_a_service_that_was_turned_unheard_is_looked_at_before_its_old_router_goes_on(harness, monkeypatch):
    """The edit is taken back: the routes that callers are on by now are not those of a router that never was."""
    monkeypatch.setattr(calls.APP_MESH_RETRIES, "maximum_attempts", 1)
    monkeypatch.setattr(entity, "SHORTEST_DELAY", entity.SLOW_DELAY)
    ready(harness, mesh(), virtual_node())
    app_mesh, here = harness.app_mesh, ApiObject(kind=ApiKind.VIRTUAL_SERVICE, mesh=MESH, name=SERVICE)
    met_nothing = []

    def watch(call: str) -> None:
        met = app_mesh.routing_of(here)
        if met is not None and met.keys() != {"", *"abc"}:
            met_nothing.append(call)
        if call.startswith("UpdateVirtualService") and not app_mesh.faults.get("UpdateVirtualService"):
            [beside] = app_mesh.named(ApiKind.VIRTUAL_ROUTER) - {ROUTER.name}
            app_mesh.put(here, {"provider": {"virtualRouter": {"virtualRouterName": beside}}})
            app_mesh.faults["UpdateVirtualService"] = [Failure.UNAVAILABLE]
            app_mesh.before = look

    def look(call: str) -> None:
        met = app_mesh.routing_of(here)
        if met is not None and met.keys() != {"", *"abc"}:
            met_nothing.append(call)

    async with harness.worker():
        await harness.apply(moved_to("/old"))
        await settled(harness)
        app_mesh.before = watch
        await harness.apply(moved_to("/new"))
        await until(lambda: service_condition(harness).get("reason") == "AppMeshUnavailable", "the fault")
        await harness.apply(moved_to("/old"))
        await settled(harness, generation=3)
    check_end(harness, "/old")
    assert met_nothing == []


async def test_a_new_history_finds_it_by_the_conflict(losing):
    """Nothing tells of it but that it is in the way."""
    app_mesh, held = losing.app_mesh, asyncio.Event()
    async with losing.worker():
        await losing.apply(moved_to("/old"))
        await settled(losing)
        await losing.apply(moved_to("/new"))
        await settled(losing, generation=2)
        [now] = app_mesh.named(ApiKind.VIRTUAL_ROUTER)
        app_mesh.held[f"CreateVirtualRouter {now}"] = held  # the way back and there again makes it by the same name
        await losing.apply(moved_to("/old"))
        await settled(losing, generation=3)
        app_mesh.put(ROUTER.model_copy(update={"name": now}), {"listeners": [listener()]})
        app_mesh.tags[ROUTER.model_copy(update={"name": now})] = app_mesh.tags[ROUTER]
        await losing.apply(moved_to("/new"))
        await until(lambda: app_mesh.under_way, "the call")
        await losing.handle(*AT_SERVICE).terminate("its history is lost")
        held.set()
        await losing.tell(losing.kubernetes.see(*AT_SERVICE))
        await settled(losing, generation=4)
    check_end(losing, "/new")
