"""What the watcher tells of resources: made from what it knows, and gone when the resource is."""

import pytest
from prometheus_client import CollectorRegistry

from tests import builders
from tests.watcher.sightings import index_of, resource, settled, sighting
from tests.watcher.test_watcher import done, watching
from watcher.index import Index, Name
from watcher.metrics import TIME_TO_ACTIVE, WatcherCollector, phase_of


def registry_of(index: Index, **boxes) -> CollectorRegistry:
    """A registry that tells of an index and outboxes."""
    registry = CollectorRegistry()
    registry.register(WatcherCollector(index, boxes))
    return registry


def test_states_have_the_older_controllers_names_and_labels():
    """The mesh by its name, the node by its App Mesh name, the service by its own."""
    known = registry_of(
        index_of(settled(builders.mesh()), sighting(builders.virtual_node()), settled(builders.virtual_service()))
    )
    assert known.get_sample_value("appmesh_mesh_state", {"name": "shop"}) == 1
    assert known.get_sample_value("appmesh_virtual_node_state", {"name": "cart-prod", "mesh": "shop"}) == 0
    service = {"name": "cart.prod.svc.cluster.local", "mesh": "shop"}
    assert known.get_sample_value("appmesh_virtual_service_state", service) == 1


def test_a_gauge_goes_with_its_resource():
    """What is not in the index is not told of."""
    mesh = settled(builders.mesh())
    index = index_of(mesh)
    known = registry_of(index)
    assert known.get_sample_value("appmesh_mesh_state", {"name": "shop"}) == 1
    index.remove(Name.of(mesh))
    assert known.get_sample_value("appmesh_mesh_state", {"name": "shop"}) is None


def test_of_two_that_claim_one_name_the_active_one_counts():
    """Two series of the same labels would break the scrape."""
    there = settled(builders.virtual_node("cart", "prod"))
    conflict = sighting(builders.virtual_node("cart.prod", "other"), uid="uid-2")
    known = registry_of(index_of(there, conflict))
    assert known.get_sample_value("appmesh_virtual_node_state", {"name": "cart-prod", "mesh": "shop"}) == 1


def reason(reason: str, status: str = "False", generation: int = 1) -> dict:
    """A status whose main condition has this reason."""
    condition = {"type": "VirtualNodeActive", "status": status, "reason": reason}
    return {"conditions": [condition], "observedGeneration": generation}


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        pytest.param({}, ("new", ""), id="nothing-said"),
        pytest.param({"status": reason("Active", "True"), "generation": 2}, ("new", ""), id="said-of-an-older-one"),
        pytest.param({"status": reason("Active", "True")}, ("active", "Active"), id="active"),
        pytest.param({"status": reason("WaitingForMesh")}, ("waiting", "WaitingForMesh"), id="waits"),
        pytest.param({"status": reason("BadRequest")}, ("failing", "BadRequest"), id="refused"),
        pytest.param({"status": reason("Active", "True"), "deleting": True}, ("deleting", "Active"), id="deleting"),
    ],
)
def test_each_resource_is_in_one_phase(state: dict, phase: tuple[str, str]):
    """By its main condition, of its newest generation."""
    snapshot = sighting(builders.virtual_node(), **state)
    assert phase_of(snapshot) == phase
    labels = {"kind": "virtual_node", "phase": phase[0], "reason": phase[1]}
    assert registry_of(index_of(snapshot)).get_sample_value("meshwright_resources", labels) == 1


async def test_the_time_from_an_edit_to_active_is_counted():
    """Seen anew, then settled."""
    labels = TIME_TO_ACTIVE.labels("mesh")
    before = labels._sum.get(), sum(bucket.get() for bucket in labels._buckets)
    async with watching() as world:
        await world.list_all()
        await world.mesh.sees("ADDED", resource(builders.mesh()))
        await world.mesh.sees("MODIFIED", done(builders.mesh()))
    assert sum(bucket.get() for bucket in labels._buckets) == before[1] + 1
    assert labels._sum.get() > before[0]
