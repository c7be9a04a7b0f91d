"""The entity loop on a real Temporal server: what is called, what is reported, and when a workflow ends."""

import asyncio
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.failures import Failure
from activities.objects import ApiKind, ApiObject
from resources.kinds import Kind
from resources.ownership import Owner, tags_of
from tests.builders import MESH, NAMESPACE, http_route, listener, mesh, virtual_node, virtual_service
from tests.workflows.app_mesh_model import arn_of
from tests.workflows.conftest import Harness, until
from workflows import calls, entity

pytestmark = pytest.mark.e2e

SERVICE = "cart.prod.svc.cluster.local"
ROUTES = [http_route(name, {"cart": 1}, prefix=f"/{name}") for name in "abc"]
IN_MESH = ApiObject.mesh_object(MESH)
NODE = ApiObject(kind=ApiKind.VIRTUAL_NODE, mesh=MESH, name="cart-prod")
ROUTER = ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh=MESH, name="cart-router-prod")


def ready(harness: Harness, *manifests: dict[str, Any]) -> None:
    """Resources that are active already, made by nobody in particular."""
    for manifest in manifests:
        kind, name = Kind(manifest["kind"]), manifest["metadata"]["name"]
        harness.kubernetes.apply(manifest)
        main = "MeshActive" if kind is Kind.MESH else "VirtualNodeActive"
        conditions = [{"type": main, "status": "True"}]
        place = (kind, manifest["metadata"].get("namespace"), name)
        harness.kubernetes.resources[place]["status"] = {"conditions": conditions, "meshCondition": conditions}
        object = IN_MESH if kind is Kind.MESH else NODE.model_copy(update={"name": f"{name}-{NAMESPACE}"})
        harness.app_mesh.put(object, {})


def service_condition(harness: Harness) -> dict[str, Any]:
    """The main condition of the service."""
    return harness.kubernetes.condition(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE, "VirtualServiceActive")


def is_active(harness: Harness, kind: Kind, name: str) -> bool:
    """Whether a mesh or a node says so itself, which is what others go by; App Mesh has it a moment earlier."""
    main = "MeshActive" if kind is Kind.MESH else "VirtualNodeActive"
    namespace = None if kind is Kind.MESH else NAMESPACE
    return bool(harness.kubernetes.condition(kind, namespace, name, main).get("status") == "True")


async def settled(harness: Harness, generation: int = 1, reason: str = "Active") -> None:
    """Wait until the service's condition says this of this generation."""

    def told() -> bool:
        condition = service_condition(harness)
        return (condition.get("reason"), condition.get("observedGeneration")) == (reason, generation)

    await until(told, f"{reason} at generation {generation}: {service_condition(harness)}")


@pytest.mark.parametrize("cached", [pytest.param(1000, id="cached"), pytest.param(0, id="replayed-at-every-task")])
async def test_creating_a_service_with_three_routes_makes_five_writes_and_no_read(harness, cached):
    """Router, then the routes, then the service; nothing is looked at first."""
    ready(harness, mesh(), virtual_node())
    async with harness.worker(max_cached_workflows=cached):
        await harness.apply(virtual_service(routes=ROUTES))
        await settled(harness)
    writes = harness.app_mesh.writes
    assert harness.app_mesh.calls == writes
    assert writes[0] == "CreateVirtualRouter cart-router-prod"
    assert sorted(writes[1:4]) == ["CreateRoute a", "CreateRoute b", "CreateRoute c"]
    assert writes[4:] == [f"CreateVirtualService {SERVICE}"]


async def test_everything_that_is_created_is_tagged_with_its_resource(harness):
    """So that another cluster, or this one without its memory, can tell whose it is."""
    ready(harness, mesh(), virtual_node())
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES[:1]))
        await settled(harness)
    made = Owner(cluster=harness.cluster, namespace=NAMESPACE, name=SERVICE, uid=f"uid-of-{SERVICE}")
    assert len(harness.app_mesh.tags) == 3
    assert all(tags == tags_of(made) for tags in harness.app_mesh.tags.values())


async def test_the_same_sighting_again_calls_nothing(harness):
    """Signals are idempotent by uid and generation, so two watchers may run."""
    ready(harness, mesh(), virtual_node())
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES))
        await settled(harness)
        before = list(harness.app_mesh.calls)
        for _ in range(3):
            await harness.tell(harness.kubernetes.see(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE))
        await harness.tell(harness.kubernetes.see(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE), poke=True)
        await harness.apply(virtual_service(routes=ROUTES[:2]))
        await settled(harness, generation=2)
    assert harness.app_mesh.calls[len(before) :] == ["DeleteRoute c"]


async def test_one_edited_weight_is_one_write_and_no_read(harness):
    """The workflow remembers what App Mesh holds."""
    ready(harness, mesh(), virtual_node())
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES))
        await settled(harness)
        count = len(harness.app_mesh.calls)
        await harness.apply(virtual_service(routes=[http_route("a", {"cart": 7}, prefix="/a"), *ROUTES[1:]]))
        await settled(harness, generation=2)
    assert harness.app_mesh.calls[count:] == ["UpdateRoute a"]


async def test_a_burst_of_edits_ends_with_the_newest(harness):
    """Handlers only store, so edits coalesce; none is lost."""
    ready(harness, mesh(), virtual_node())
    async with harness.worker():
        for weight in range(1, 31):
            await harness.apply(virtual_service(routes=[http_route("a", {"cart": weight}, prefix="/a")]))
        await settled(harness, generation=30)
    route = next(record for object, record in harness.app_mesh.objects.items() if object.name == "a")
    assert route.spec["httpRoute"]["action"]["weightedTargets"][0]["weight"] == 30


async def test_an_edit_in_the_middle_of_a_reconcile_is_taken_up_at_the_next_stage(harness):
    """What is left of the old plan is dropped, and nothing of it stays behind."""
    ready(harness, mesh(), virtual_node())
    edited = virtual_service(virtualRouter={"name": "other"}, routes=ROUTES[:1])
    edited["spec"]["virtualRouter"]["listeners"] = virtual_service()["spec"]["virtualRouter"]["listeners"]
    late = []

    def edit_once(call: str) -> None:
        if call == "CreateVirtualRouter cart-router-prod":
            late.append(harness.kubernetes.apply(edited))

    harness.app_mesh.before = edit_once
    async with harness.worker():
        await harness.tell(harness.kubernetes.apply(virtual_service(routes=ROUTES)))
        await until(lambda: late, "the first call")
        await harness.tell(late[0])
        await settled(harness, generation=2)
    assert harness.app_mesh.named(ApiKind.VIRTUAL_ROUTER) == {"other-prod"}
    assert harness.app_mesh.named(ApiKind.ROUTE) == {"a"}


async def test_what_exists_already_and_is_equal_is_adopted_without_a_write(harness):
    """A Conflict on create is the moment to look."""
    ready(harness, mesh(), virtual_node())
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES))
        await settled(harness)
        kept = dict(harness.app_mesh.objects)
        await harness.handle(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE).terminate("its history is lost")
        harness.kubernetes.resources[Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE]["status"] = {}
        harness.app_mesh.calls.clear()
        await harness.apply(virtual_service(routes=ROUTES))
        await settled(harness)
    assert harness.app_mesh.objects == kept
    assert harness.app_mesh.counts["DescribeRoute"] == 3


async def test_a_status_with_arns_and_no_memory_is_observed_before_anything_is_written(harness):
    """Another controller's objects, or a lost history, cost reads and no write."""
    ready(harness, mesh(), virtual_node())
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES))
        await settled(harness)
        await harness.handle(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE).terminate("its history is lost")
        harness.app_mesh.calls.clear()
        await harness.apply(virtual_service(routes=[http_route("a", {"cart": 7}, prefix="/a"), *ROUTES[1:]]))
        await settled(harness, generation=2)
    assert harness.app_mesh.writes == ["UpdateRoute a"]


async def test_a_missing_node_is_waited_for_and_named(harness):
    """No call is made meanwhile; a poke brings the service up."""
    ready(harness, mesh())
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES))
        await settled(harness, reason="WaitingForVirtualNodes")
        assert service_condition(harness)["message"] == "VirtualNode cart does not exist"
        assert harness.app_mesh.calls == []
        ready(harness, virtual_node())
        await harness.tell(harness.kubernetes.see(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE), poke=True)
        await settled(harness)


async def test_what_app_mesh_refuses_becomes_a_condition_and_an_event_and_a_fix_converges(harness):
    """The workflow does not fail."""
    ready(harness, mesh(), virtual_node())
    harness.app_mesh.faults["CreateRoute"] = [Failure.BAD_REQUEST]
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES[:1]))
        await settled(harness, reason="BadRequest")
        assert "injected" in service_condition(harness)["message"]
        events = harness.kubernetes.events  # recorded beside the write of the status
        await until(lambda: any(each.warning and each.reason == "BadRequest" for each in events), "the Event")
        await harness.apply(virtual_service(routes=ROUTES[1:2]))
        await settled(harness, generation=2)
    assert harness.app_mesh.named(ApiKind.ROUTE) == {"b"}


async def test_a_reference_that_app_mesh_lacks_is_waited_for(harness):
    """NotFound right after looking means something that the object refers to."""
    ready(harness, mesh(), virtual_node())
    del harness.app_mesh.objects[NODE]
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES[:1]))
        await settled(harness, reason="WaitingForReference")
        harness.app_mesh.put(NODE, {})
        await harness.tell(harness.kubernetes.see(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE), poke=True)
        await settled(harness)


async def test_a_fault_that_passes_is_reported_and_overcome_without_anybody(harness, monkeypatch):
    """Beyond the activity's own tries the condition says so, and a growing delay brings the next try."""
    monkeypatch.setattr(calls.APP_MESH_RETRIES, "maximum_attempts", 2)
    monkeypatch.setattr(entity, "SHORTEST_DELAY", entity.SHORTEST_DELAY / 10)
    ready(harness, mesh(), virtual_node())
    harness.app_mesh.faults["CreateVirtualRouter"] = [Failure.UNAVAILABLE] * 5
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES))
        await settled(harness)
    assert any(event.reason == "AppMeshUnavailable" for event in harness.kubernetes.events)


async def test_deletion_goes_from_service_to_routes_to_router_and_ends_the_workflow(harness):
    """No request is ever routed into a hole, and the finalizer goes last."""
    ready(harness, mesh(), virtual_node())
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES))
        await settled(harness)
        harness.app_mesh.calls.clear()
        await harness.tell(harness.kubernetes.delete(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE))
        await harness.handle(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE).result()
    calls_made = harness.app_mesh.calls
    assert calls_made[0] == f"DeleteVirtualService {SERVICE}"
    assert sorted(calls_made[1:4]) == ["DeleteRoute a", "DeleteRoute b", "DeleteRoute c"]
    assert calls_made[4:] == ["DeleteVirtualRouter cart-router-prod"]
    assert (Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE) not in harness.kubernetes.resources


async def test_deletion_of_what_is_already_gone_is_not_stuck(harness):
    """NotFound on a delete is as good as done."""
    ready(harness, mesh(), virtual_node())
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES))
        await settled(harness)
        harness.app_mesh.objects.clear()
        await harness.tell(harness.kubernetes.delete(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE))
        await harness.handle(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE).result()


async def test_a_resource_that_never_became_active_is_let_go_without_a_call(harness):
    """Nothing was made, so nothing is deleted or looked for."""
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES))
        await settled(harness, reason="WaitingForMesh")
        await harness.tell(harness.kubernetes.delete(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE))
        await harness.handle(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE).result()
    assert harness.app_mesh.calls == []


async def test_a_node_in_use_waits_for_its_users(harness, monkeypatch):
    """ResourceInUse is a waiting condition that names the user."""
    monkeypatch.setattr(entity, "SHORTEST_DELAY", entity.LONGEST_DELAY)
    ready(harness, mesh())
    async with harness.worker():
        await harness.apply(virtual_node())
        await until(lambda: is_active(harness, Kind.VIRTUAL_NODE, "cart"), "the node")
        await harness.apply(virtual_service(routes=ROUTES[:1]))
        await harness.tell(harness.kubernetes.see(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE), poke=True)
        await settled(harness)
        await harness.tell(harness.kubernetes.delete(Kind.VIRTUAL_NODE, NAMESPACE, "cart"))
        main = (Kind.VIRTUAL_NODE, NAMESPACE, "cart", "VirtualNodeActive")
        await until(lambda: harness.kubernetes.condition(*main).get("reason") == "WaitingForUsers", "the wait")
        assert "route a" in harness.kubernetes.condition(*main)["message"]
        await harness.tell(harness.kubernetes.delete(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE))
        await harness.handle(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE).result()
        await harness.tell(harness.kubernetes.see(Kind.VIRTUAL_NODE, NAMESPACE, "cart"), poke=True)
        await harness.handle(Kind.VIRTUAL_NODE, NAMESPACE, "cart").result()


async def test_a_mesh_goes_after_its_members_and_takes_them_along(harness):
    """Members mark themselves and ask for their own deletion; the mesh waits for them by name."""
    async with harness.worker():
        await harness.apply(mesh())
        await until(lambda: is_active(harness, Kind.MESH, MESH), "the mesh")
        await harness.apply(virtual_node())
        await harness.tell(harness.kubernetes.see(Kind.VIRTUAL_NODE, NAMESPACE, "cart"), poke=True)
        await until(lambda: is_active(harness, Kind.VIRTUAL_NODE, "cart"), "the node")
        await harness.tell(harness.kubernetes.delete(Kind.MESH, None, MESH))
        mesh_main = (Kind.MESH, None, MESH, "MeshActive")
        await until(lambda: harness.kubernetes.condition(*mesh_main).get("reason") == "WaitingForMembers", "the wait")
        assert "virtualnode/prod/cart" in harness.kubernetes.condition(*mesh_main)["message"]
        await harness.tell(harness.kubernetes.see(Kind.VIRTUAL_NODE, NAMESPACE, "cart"), poke=True)
        node = harness.kubernetes.resources[Kind.VIRTUAL_NODE, NAMESPACE, "cart"]
        await until(lambda: "deletionTimestamp" in node["metadata"], "the member's own deletion")
        marked = harness.kubernetes.condition(Kind.VIRTUAL_NODE, NAMESPACE, "cart", "MeshMarkedForDeletion")
        assert marked["status"] == "True"
        await harness.tell(harness.kubernetes.see(Kind.VIRTUAL_NODE, NAMESPACE, "cart"))
        await harness.handle(Kind.VIRTUAL_NODE, NAMESPACE, "cart").result()
        await harness.tell(harness.kubernetes.see(Kind.MESH, None, MESH), poke=True)
        await harness.handle(Kind.MESH, None, MESH).result()
    assert harness.app_mesh.objects == {}


async def test_a_resource_that_vanished_without_its_finalizer_is_cleaned_up(harness):
    """Somebody took the finalizer off by force."""
    ready(harness, mesh(), virtual_node())
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES))
        await settled(harness)
        del harness.kubernetes.resources[Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE]
        await harness.tell_gone(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE, f"uid-of-{SERVICE}")
        await harness.handle(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE).result()
    assert harness.app_mesh.named(ApiKind.VIRTUAL_SERVICE) == harness.app_mesh.named(ApiKind.VIRTUAL_ROUTER) == set()


async def test_a_late_sighting_of_what_is_gone_leaves_nothing_running(harness):
    """A slow second watcher may tell of a resource after everything has ended."""
    ready(harness, mesh(), virtual_node())
    late = harness.kubernetes.apply(virtual_service(routes=ROUTES))
    del harness.kubernetes.resources[Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE]
    async with harness.worker():
        await harness.tell(late)
        await harness.handle(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE).result()
    assert harness.app_mesh.calls == []


async def test_a_late_sighting_of_what_was_settled_makes_nothing_that_stays(harness):
    """Its status says already what a second create comes to, so it is not for a difference that it is written."""
    manifest = mesh()
    place = (Kind.MESH, None, MESH)
    async with harness.worker():
        await harness.apply(manifest)
        await until(lambda: is_active(harness, Kind.MESH, MESH), "an active mesh")
        harness.kubernetes.resources[place]["metadata"]["finalizers"] = [Kind.MESH.finalizer]
        late = harness.kubernetes.see(*place)
        await harness.tell(harness.kubernetes.delete(*place))
        await harness.handle(*place).result()
        harness.kubernetes.resources.pop(place, None)
        await harness.tell(late, poke=True)
        async with asyncio.timeout(20):
            await harness.handle(*place).result()
    assert harness.app_mesh.objects == {}


async def test_a_new_life_under_the_same_name_starts_afresh(harness):
    """Delete and re-create that the watcher saw as one change: the old life is forgotten, its objects are adopted."""
    ready(harness, mesh(), virtual_node())
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES))
        await settled(harness)
        again = harness.kubernetes.apply(virtual_service(routes=ROUTES[:1]), uid="second-life")
        await harness.tell(again)
        await settled(harness)
    assert harness.app_mesh.named(ApiKind.ROUTE) == {"a"}
    assert harness.kubernetes.resources[Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE]["metadata"]["uid"] == "second-life"


async def test_a_new_life_with_another_router_leaves_no_orphan(harness):
    """Its finalizer was torn off, and it was made anew with another router: the former life's router goes."""
    ready(harness, mesh(), virtual_node())
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES))
        await settled(harness)
        other = virtual_service(routes=ROUTES[:1], virtualRouter={"name": "elsewhere", "listeners": [listener()]})
        await harness.tell(harness.kubernetes.apply(other, uid="second-life"))
        await settled(harness)
    assert harness.app_mesh.named(ApiKind.VIRTUAL_ROUTER) == {"elsewhere-prod"}
    assert harness.app_mesh.named(ApiKind.ROUTE) == {"a"}


async def test_two_workers_share_the_work(harness, temporal_address):
    """Any number of replicas; each call is still made once."""
    ready(harness, mesh(), virtual_node())
    other = await Client.connect(temporal_address, data_converter=pydantic_data_converter)
    async with harness.worker(), harness.worker(client=other):
        await harness.apply(virtual_service(routes=ROUTES))
        await settled(harness)
    assert len(harness.app_mesh.writes) == 5


async def test_arns_and_inferred_listener_are_in_the_status(harness):
    """What users and other tools look up there."""
    ready(harness, mesh(), virtual_node())
    async with harness.worker():
        await harness.apply(virtual_service(virtualRouter={"name": "cart-router"}, routes=ROUTES[:1]))
        await settled(harness)
    status = harness.kubernetes.resources[Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE]["status"]
    service = ApiObject(kind=ApiKind.VIRTUAL_SERVICE, mesh=MESH, name=SERVICE)
    assert status["virtualServiceArn"] == arn_of(service)
    assert status["virtualRouterArn"] == arn_of(ROUTER)
    assert status["inferredListeners"] == [{"portMapping": {"port": 8080, "protocol": "http"}}]
