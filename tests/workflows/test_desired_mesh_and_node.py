"""What a Mesh and a VirtualNode refer to, what stands in their way, and which object they want."""

import pytest

from activities.messages import MeshReference, ReadReferences, Record, References
from activities.objects import ApiObject
from resources.conditions import Reason
from resources.errors import InvalidResource
from resources.kinds import Kind
from tests.builders import mesh, virtual_node, virtual_service
from tests.workflows.snapshots import READY_MESH, desired, node, snapshot
from workflows.planning.kinds import PLANNERS, desired_of
from workflows.planning.plan import Observed, Wanted

MESH_ARN = "arn:aws:appmesh:us-west-2:000000000000:mesh/shop"


def test_mesh_refers_to_nothing_and_nothing_stands_in_its_way() -> None:
    """It is what others wait for."""
    planner = desired(mesh())
    assert planner.references() == ReadReferences()
    assert planner.blocked(References()) is None


def test_mesh_wants_itself_under_its_own_name() -> None:
    """Mesh names go out verbatim: they are cluster-wide."""
    planner = desired(mesh("shop.prod", egressFilter={"type": "ALLOW_ALL"}))
    object = ApiObject.mesh_object("shop.prod")
    assert planner.identities() == (object,)
    assert planner.wanted(References(), Observed()) == (
        Wanted(object=object, spec={"egressFilter": {"type": "ALLOW_ALL"}}),
    )


def test_node_looks_at_its_mesh_alone() -> None:
    """Backends may be missing: App Mesh links them late."""
    backends = [{"virtualService": {"virtualServiceName": "pay.prod"}}]
    assert desired(virtual_node(backends=backends)).references() == ReadReferences(mesh="shop")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param(MeshReference(), Reason.WAITING_FOR_MESH, id="missing"),
        pytest.param(MeshReference(found=True), Reason.WAITING_FOR_MESH, id="not-ready"),
        pytest.param(MeshReference(found=True, ready=True, deleting=True), Reason.MESH_DELETED, id="deleting"),
        pytest.param(READY_MESH, None, id="ready"),
    ],
)
def test_node_waits_for_its_mesh(given: MeshReference, reason: Reason | None) -> None:
    """And leaves with it."""
    blocked = desired(virtual_node()).blocked(References(mesh=given))
    assert (blocked and blocked.reason) == reason


@pytest.mark.parametrize(
    ("name", "api_name"),
    [pytest.param("cart", "cart-prod", id="plain"), pytest.param("cart.front", "cart-front", id="with-a-dot")],
)
def test_node_is_called_as_in_live_meshes(name: str, api_name: str) -> None:
    """Design section 5."""
    planner = desired(virtual_node(name))
    assert planner.identities() == (node(api_name),)
    (wanted,) = planner.wanted(References(mesh=READY_MESH), Observed())
    assert wanted.object == node(api_name)
    assert wanted.spec["listeners"] == [{"portMapping": {"port": 8080, "protocol": "http"}}]


@pytest.mark.parametrize(
    ("manifest", "object", "arn", "members"),
    [
        pytest.param(mesh(), ApiObject.mesh_object("shop"), MESH_ARN, {"meshArn": MESH_ARN}, id="mesh"),
        pytest.param(
            virtual_node(),
            node(),
            f"{MESH_ARN}/virtualNode/cart-prod",
            {"virtualNodeArn": f"{MESH_ARN}/virtualNode/cart-prod", "meshArn": MESH_ARN},
            id="node-tells-its-meshs-too",
        ),
    ],
)
def test_status_tells_arns_of_what_exists(
    manifest: dict[str, object], object: ApiObject, arn: str, members: dict[str, str]
) -> None:
    """And takes them away when it does not."""
    planner = desired(manifest)
    there = Observed(records=(Record(object=object, arn=arn, version=1),))
    assert planner.status_members(there, None) == members
    assert planner.status_members(Observed(), None) == dict.fromkeys(members)


@pytest.mark.parametrize("kind", Kind, ids=str)
def test_every_kind_has_a_planner_whose_main_condition_comes_last(kind: Kind) -> None:
    """So users read from the inside out, and `kubectl wait` finds the main one."""
    planner = PLANNERS[kind]
    assert planner.kind is kind
    assert list(planner.condition_kinds)[-1].value == f"{kind}Active"


def test_spec_that_cannot_be_read_names_the_field() -> None:
    """Stored before the schema was tightened, say."""
    broken = snapshot(virtual_service()).model_copy(update={"spec": {"meshName": "shop", "routes": [{"name": "a"}]}})
    with pytest.raises(InvalidResource) as invalid:
        desired_of(broken)
    assert invalid.value.field == "spec.routes[0]"
