"""Doubts in the entity loop: what is looked at again, what is repaired, and what is said about it."""

import asyncio
from functools import partial
from typing import Any

import pytest

from activities.failures import Failure
from activities.messages import Event
from activities.names import Verb
from activities.objects import ApiKind, ApiObject
from resources.kinds import Kind
from tests.builders import MESH, NAMESPACE, http_route, mesh, virtual_node, virtual_service
from tests.workflows.conftest import Harness, until
from workflows import calls, entity
from workflows.messages import Change

pytestmark = pytest.mark.e2e

SERVICE = "cart.prod.svc.cluster.local"
ROUTES = [http_route(name, {"cart": 1}, prefix=f"/{name}") for name in "abc"]
IN_MESH = ApiObject.mesh_object(MESH)
NODE = ApiObject(kind=ApiKind.VIRTUAL_NODE, mesh=MESH, name="cart-prod")
ROUTER = ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh=MESH, name="cart-router-prod")
A, B, C, D = (ApiObject(kind=ApiKind.ROUTE, mesh=MESH, name=name, router=ROUTER.name) for name in "abcd")
IN_SERVICE = ApiObject(kind=ApiKind.VIRTUAL_SERVICE, mesh=MESH, name=SERVICE)
PLACES = {
    IN_MESH: (Kind.MESH, None, MESH, "MeshActive"),
    NODE: (Kind.VIRTUAL_NODE, NAMESPACE, "cart", "VirtualNodeActive"),
    IN_SERVICE: (Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE, "VirtualServiceActive"),
}


async def shop(harness: Harness) -> None:
    """Mesh, node and a service with three routes, all Active; calls are counted from here on."""
    for manifest, object in ((mesh(), IN_MESH), (virtual_node(), NODE), (virtual_service(routes=ROUTES), IN_SERVICE)):
        await harness.apply(manifest)
        await until(partial(active, harness, object), f"{object} to be Active")
    harness.app_mesh.calls.clear()
    harness.kubernetes.events.clear()


def active(harness: Harness, owner: ApiObject) -> bool:
    """Whether the resource that owns an object is Active."""
    return harness.kubernetes.condition(*PLACES[owner]).get("status") == "True"


async def doubt(harness: Harness, owner: ApiObject, *objects: ApiObject, everything: bool = False) -> None:
    """What the watcher tells the owner of objects that somebody else wrote."""
    kind, namespace, name, _ = PLACES[owner]
    seen = harness.kubernetes.see(kind, namespace, name)
    await harness.workflows.tell(Change(snapshot=seen, because="by hand", doubt=objects, doubt_all=everything))


def edit(harness: Harness, object: ApiObject, spec: dict[str, Any]) -> None:
    """An update by somebody else."""
    harness.app_mesh.call(Verb.UPDATE, object, spec)


def drifted(harness: Harness) -> list[Event]:
    """The Events that tell of drift."""
    return [event for event in harness.kubernetes.events if event.reason == "Drifted"]


@pytest.mark.parametrize("cached", [pytest.param(1000, id="cached"), pytest.param(0, id="replayed-at-every-task")])
async def test_an_edited_object_is_put_back_at_one_read_and_one_write(harness, cached):
    """Nothing else is looked at, and an Event says what it was."""
    async with harness.worker(max_cached_workflows=cached):
        await shop(harness)
        before = dict(harness.app_mesh.objects)
        edit(harness, NODE, {"listeners": [{"portMapping": {"port": 1, "protocol": "http"}}]})
        await doubt(harness, NODE, NODE)
        await until(lambda: harness.app_mesh.objects[NODE].spec == before[NODE].spec, "the repair")
    assert harness.app_mesh.calls == ["DescribeVirtualNode cart-prod", "UpdateVirtualNode cart-prod"]
    (event,) = drifted(harness)
    assert event.warning
    assert "virtual node cart-prod was edited (listeners[0].portMapping.port: 1 -> 8080" in event.message


async def test_what_was_deleted_is_made_again_in_order(harness):
    """Service, route and router by hand; the repair goes the other way round."""
    async with harness.worker():
        await shop(harness)
        before = set(harness.app_mesh.objects)
        for object in (IN_SERVICE, A, B, C, ROUTER):
            harness.app_mesh.call(Verb.DELETE, object)
        await doubt(harness, IN_SERVICE, IN_SERVICE, A, B, C, ROUTER)
        await until(lambda: set(harness.app_mesh.objects) == before, "the repair")
    assert harness.app_mesh.writes[0] == f"CreateVirtualRouter {ROUTER.name}"
    assert harness.app_mesh.writes[-1] == f"CreateVirtualService {SERVICE}"
    assert harness.app_mesh.counts["DescribeRoute"] == 3
    assert "route b of router cart-router-prod was deleted" in drifted(harness)[0].message


async def test_what_was_added_to_our_router_is_removed(harness):
    """A router of ours has our routes and no others."""
    async with harness.worker():
        await shop(harness)
        harness.app_mesh.call(Verb.CREATE, D, {})
        await doubt(harness, IN_SERVICE, D)
        await until(lambda: D not in harness.app_mesh.objects, "the removal")
    assert harness.app_mesh.calls == ["DescribeRoute d", "DeleteRoute d"]
    assert "route d of router cart-router-prod was added" in drifted(harness)[0].message


async def test_what_is_as_it_should_be_costs_one_read_and_no_word(harness):
    """Somebody edited and put it back; or our own watcher tells twice."""
    async with harness.worker():
        await shop(harness)
        await doubt(harness, IN_SERVICE, A, B)
        await until(lambda: len(harness.app_mesh.calls) == 2, "the look")
        await harness.apply(virtual_service(routes=ROUTES[:2]))
        await until(lambda: C not in harness.app_mesh.objects, "the next edit")
    assert sorted(harness.app_mesh.calls[:2]) == ["DescribeRoute a", "DescribeRoute b"]
    assert harness.app_mesh.calls[2:] == ["DeleteRoute c"]
    assert drifted(harness) == []


async def test_what_belongs_to_somebody_else_is_not_looked_at(harness):
    """A router with a name like one of ours is nobody's business."""
    async with harness.worker():
        await shop(harness)
        stranger = ROUTER.model_copy(update={"name": f"{ROUTER.name}-0123abcd"})
        harness.app_mesh.put(stranger, {})
        await doubt(harness, IN_SERVICE, stranger, NODE)
        await harness.apply(virtual_service(routes=ROUTES[:2]))
        await until(lambda: C not in harness.app_mesh.objects, "the next edit")
    assert harness.app_mesh.calls == ["DeleteRoute c"]
    assert stranger in harness.app_mesh.objects


async def test_everything_in_doubt_is_looked_at_as_if_for_the_first_time(harness):
    """The feed forgot where we were; App Mesh may even have lost everything."""
    async with harness.worker():
        await shop(harness)
        before = set(harness.app_mesh.objects)
        harness.app_mesh.objects.clear()
        for owner in (IN_MESH, NODE, IN_SERVICE):
            await doubt(harness, owner, everything=True)
        await until(lambda: set(harness.app_mesh.objects) == before, "everything to be made again")
    assert {event.key.kind for event in drifted(harness)} == {Kind.MESH, Kind.VIRTUAL_NODE, Kind.VIRTUAL_SERVICE}


async def test_a_doubt_outlasts_an_api_that_does_not_answer(harness, monkeypatch):
    """It is looked at again when it does."""
    monkeypatch.setattr(calls.APP_MESH_RETRIES, "maximum_attempts", 1)
    monkeypatch.setattr(entity, "SHORTEST_DELAY", entity.SHORTEST_DELAY / 10)
    async with harness.worker():
        await shop(harness)
        harness.app_mesh.faults["DescribeVirtualNode"] = [Failure.UNAVAILABLE] * 2
        before = harness.app_mesh.objects[NODE].spec
        edit(harness, NODE, {})
        await doubt(harness, NODE, NODE)
        await until(lambda: harness.app_mesh.objects[NODE].spec == before, "the repair")
    assert len(drifted(harness)) == 1


async def test_a_doubt_that_comes_in_the_middle_of_a_reconcile_is_not_lost(harness):
    """It is looked at by the next one."""
    async with harness.worker():
        await shop(harness)
        harness.app_mesh.held["DeleteRoute c"] = held = asyncio.Event()
        await harness.apply(virtual_service(routes=ROUTES[:2]))
        await until(lambda: harness.app_mesh.under_way, "the delete to be under way")
        before = harness.app_mesh.objects[A].spec
        edit(harness, A, {})
        await doubt(harness, IN_SERVICE, A)
        held.set()
        await until(lambda: harness.app_mesh.objects[A].spec == before, "the repair")
    assert len(drifted(harness)) == 1


async def test_a_route_that_somebody_added_does_not_block_a_deletion(harness, monkeypatch):
    """Nobody told of it (drift is ignored, or there is no feed): App Mesh's refusal makes us look."""
    monkeypatch.setattr(entity, "SHORTEST_DELAY", entity.SHORTEST_DELAY / 10)
    async with harness.worker():
        await shop(harness)
        harness.app_mesh.call(Verb.CREATE, D, {})
        await harness.tell(harness.kubernetes.delete(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE))
        await harness.handle(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE).result()
    assert ROUTER not in harness.app_mesh.objects
    assert D not in harness.app_mesh.objects


async def test_an_annotation_that_nobody_understands_is_refused(harness):
    """As every other mistake in a resource: by a condition that names it."""
    manifest = virtual_node()
    manifest["metadata"]["annotations"] = {"meshwright.dev/drift": "sometimes"}
    async with harness.worker():
        await harness.apply(manifest)
        await until(lambda: harness.kubernetes.condition(*PLACES[NODE]).get("reason") == "InvalidSpec", "the refusal")
    assert "must be one of repair, ignore" in harness.kubernetes.condition(*PLACES[NODE])["message"]
