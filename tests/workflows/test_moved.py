"""A resource that goes to another mesh while App Mesh does not let go what it was, and whose history is then lost."""

import pytest

from activities.failures import Failure
from activities.objects import ApiKind, ApiObject
from resources.kinds import Kind
from tests.builders import MESH, NAMESPACE, Manifest, http_route, mesh, virtual_node, virtual_service
from tests.workflows.conftest import Harness, until
from tests.workflows.test_entity import NODE, SERVICE, ready

pytestmark = pytest.mark.e2e

OTHER = "other"
AT_NODE = (Kind.VIRTUAL_NODE, NAMESPACE, "cart")
AT_SERVICE = (Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE)
ANSWERED_BY = {"virtualNode": {"virtualNodeName": "cart"}}
Place = tuple[Kind, str | None, str]


def with_both_meshes(harness: Harness) -> None:
    """The old one and the new one, each with a node to send to."""
    ready(harness, mesh(), mesh(OTHER), virtual_node())
    ready(harness, virtual_node("pay", meshName=OTHER))
    for object in (ApiObject.mesh_object(OTHER), NODE.model_copy(update={"mesh": OTHER, "name": "pay-prod"})):
        harness.app_mesh.put(object, {})


def left_in(harness: Harness, mesh: str, kind: ApiKind) -> set[str]:
    """Names of the objects of a kind."""
    return {object.name for object in harness.app_mesh.objects if (object.mesh, object.kind) == (mesh, kind)}


async def moved_and_forgotten(harness: Harness, place: Place, there: Manifest, elsewhere: Manifest, told: str) -> None:
    """Applied here, then there; App Mesh refuses what is to go, and Temporal loses the workflow."""
    delete = f"Delete{place[0]}"
    await harness.apply(there)
    await until(lambda: left_in(harness, MESH, ApiKind(place[0])), "the first")
    harness.app_mesh.faults[delete] = [Failure.FORBIDDEN] * 100
    await harness.apply(elsewhere)
    await until(lambda: told in str(harness.kubernetes.resources[place]["status"].get("conditions")), told)
    await harness.handle(*place).terminate("its history is lost")
    harness.app_mesh.faults[delete] = []
    await harness.tell(harness.kubernetes.see(*place), poke=True)


async def test_a_node_leaves_nothing_behind(harness: Harness) -> None:
    """Its status tells where it was."""
    ready(harness, mesh(), mesh(OTHER))
    harness.app_mesh.put(ApiObject.mesh_object(OTHER), {})
    async with harness.worker():
        await moved_and_forgotten(harness, AT_NODE, virtual_node(), virtual_node(meshName=OTHER), "Forbidden")
        await until(lambda: not left_in(harness, MESH, ApiKind.VIRTUAL_NODE), "the old one to go")
    assert left_in(harness, OTHER, ApiKind.VIRTUAL_NODE) == {"cart-prod"}


async def test_a_node_whose_new_mesh_is_not_there_is_found_when_it_is_deleted(harness: Harness) -> None:
    """Nothing was refused here: it waits."""
    ready(harness, mesh())
    async with harness.worker():
        waiting = virtual_node(meshName="not-there")
        await moved_and_forgotten(harness, AT_NODE, virtual_node(), waiting, "WaitingForMesh")
        await harness.tell(harness.kubernetes.delete(*AT_NODE))
        await harness.handle(*AT_NODE).result()
    assert left_in(harness, MESH, ApiKind.VIRTUAL_NODE) == set()


@pytest.mark.parametrize("before", ["a router", "a node"])
async def test_a_service_leaves_nothing_behind(harness: Harness, before: str) -> None:
    """Neither itself nor its router, which it would hold."""
    routed = virtual_service()
    there = routed if before == "a router" else virtual_service(provider=ANSWERED_BY, virtualRouter=None, routes=[])
    elsewhere = virtual_service(meshName=OTHER, routes=[http_route("r", {"pay": 1})])
    with_both_meshes(harness)
    async with harness.worker():
        await moved_and_forgotten(harness, AT_SERVICE, there, elsewhere, "Forbidden")
        await until(lambda: not left_in(harness, MESH, ApiKind.VIRTUAL_SERVICE), "the old one to go")
        await until(lambda: not left_in(harness, MESH, ApiKind.VIRTUAL_ROUTER), "its router to go")
    assert left_in(harness, OTHER, ApiKind.VIRTUAL_SERVICE) == {SERVICE}
