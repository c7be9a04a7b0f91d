"""A VirtualNode asks for one object, in a mesh that has to be there."""

import pytest

from activities.messages import MeshReference, ReadReferences, References
from resources.conditions import Reason
from tests.builders import virtual_node
from tests.watcher.sightings import sighting
from tests.workflows.planning import holdings
from workflows.planning.kinds import desired_of
from workflows.planning.outcome import Again
from workflows.planning.plan import Observed

READY = References(mesh=MeshReference(found=True, ready=True))


@pytest.mark.parametrize(
    ("name", "namespace", "api_name"),
    [
        pytest.param("cart", "prod", "cart-prod", id="namespaced"),
        pytest.param("cart.other", "prod", "cart-other", id="dots-carry-their-namespace"),
    ],
)
def test_a_node_goes_by_its_namespaced_name(name, namespace, api_name):
    """Live meshes know nodes by these names."""
    desired = desired_of(sighting(virtual_node(name, namespace)))
    (wanted,) = desired.wanted(READY, Observed())
    assert wanted.object == holdings.node(api_name)
    assert wanted.spec["listeners"] == [{"portMapping": {"port": 8080, "protocol": "http"}}]
    assert desired.identities() == (wanted.object,)


@pytest.mark.parametrize(
    ("mesh", "reason", "says"),
    [
        pytest.param(MeshReference(), Reason.WAITING_FOR_MESH, "Mesh shop does not exist", id="missing"),
        pytest.param(
            MeshReference(found=True), Reason.WAITING_FOR_MESH, "Mesh shop is not active yet", id="not-active"
        ),
        pytest.param(
            MeshReference(found=True, ready=True, deleting=True), Reason.MESH_DELETED, "being deleted", id="deleting"
        ),
    ],
)
def test_a_node_waits_for_its_mesh(mesh, reason, says):
    """By name, and without a timer: the watcher tells when the mesh turns."""
    outcome = desired_of(sighting(virtual_node())).blocked(References(mesh=mesh))
    assert outcome is not None
    assert (outcome.reason, outcome.again) == (reason, Again.NEVER)
    assert says in outcome.message


def test_a_node_waits_for_its_mesh_alone():
    """Backends may be missing: App Mesh links them late."""
    backends = [{"virtualService": {"virtualServiceName": "nowhere.prod.svc.cluster.local"}}]
    desired = desired_of(sighting(virtual_node(backends=backends)))
    assert desired.references() == ReadReferences(mesh="shop")
    assert desired.blocked(READY) is None


def test_a_node_reports_its_arn_and_its_meshs():
    """Both are gone with the node."""
    desired = desired_of(sighting(virtual_node()))
    node = holdings.node("cart-prod")
    arns = {"virtualNodeArn": holdings.arn(node), "meshArn": holdings.MESH_ARN}
    assert desired.status_members(holdings.holding([node]), READY) == arns
    assert desired.status_members(Observed(), READY) == {"virtualNodeArn": None, "meshArn": None}
