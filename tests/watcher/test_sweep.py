"""What lists tell: pure comparison, and the lists themselves against our own control plane."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from activities.objects import ApiKind, ApiObject
from resources.kinds import Kind
from tests import builders
from tests.builders import Manifest
from tests.control_plane import specs
from tests.control_plane.mesh import MeshUnderTest
from tests.control_plane.serving import served
from tests.watcher.sightings import index_of, settled, sighting
from watcher.listing import Listing
from watcher.sweep import differing, left_by, routers_of
from workflows.messages import Snapshot

ARN = "arn:aws:appmesh:us-west-2:000000000000:mesh/shop"
MESH = ApiObject.mesh_object("shop")
NODE = ApiObject(kind=ApiKind.VIRTUAL_NODE, mesh="shop", name="cart-prod")
ROUTER = ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh="shop", name="cart-prod")
ROUTE, ADDED = (ApiObject(kind=ApiKind.ROUTE, mesh="shop", name=name, router="cart-prod") for name in ("r", "x"))
SERVICE = ApiObject(kind=ApiKind.VIRTUAL_SERVICE, mesh="shop", name="cart")
LISTED = {MESH: 1, NODE: 2, ROUTER: 3, ROUTE: 4, SERVICE: 5}


def left(manifest: Manifest, **tails: int) -> Snapshot:
    """A settled resource whose workflow left these versions, by the tail of the ARN."""
    return settled(manifest, status={"versions": {f"{ARN}{tail}": version for tail, version in tails.items()}})


def shop() -> list[Snapshot]:
    """Mesh, node and service, with the versions of `LISTED`."""
    return [
        left(builders.mesh(), **{"": 1}),
        left(builders.virtual_node(), **{"/virtualNode/cart-prod": 2}),
        left(
            builders.virtual_service("cart", "prod"),
            **{
                "/virtualRouter/cart-prod": 3,
                "/virtualRouter/cart-prod/route/r": 4,
                "/virtualService/cart": 5,
            },
        ),
    ]


def found(listed: dict[ApiObject, int], *snapshots: Snapshot) -> dict[Kind, set[ApiObject]]:
    """What is in doubt, by kind of the owner."""
    changes = differing("shop", listed, index_of(*(snapshots or shop())))
    return {change.snapshot.key.kind: set(change.doubt) for change in changes}


def test_what_is_listed_as_it_was_left_is_not_in_doubt():
    """And so costs no Describe."""
    assert left_by(shop()[2]) == {ROUTER: 3, ROUTE: 4, SERVICE: 5}
    assert found(LISTED) == {}


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        pytest.param(LISTED | {NODE: 3}, {Kind.VIRTUAL_NODE: {NODE}}, id="edited"),
        pytest.param(LISTED | {MESH: 9}, {Kind.MESH: {MESH}}, id="mesh-edited"),
        pytest.param(LISTED | {ROUTE: 1}, {Kind.VIRTUAL_SERVICE: {ROUTE}}, id="deleted-and-made-again"),
        pytest.param(LISTED | {ADDED: 1}, {Kind.VIRTUAL_SERVICE: {ADDED}}, id="route-added"),
        pytest.param(
            LISTED | {ADDED.model_copy(update={"router": "another"}): 1}, {}, id="route-added-to-somebody-elses-router"
        ),
        pytest.param({MESH: 1, NODE: 2, ROUTER: 3, ROUTE: 4}, {Kind.VIRTUAL_SERVICE: {SERVICE}}, id="deleted"),
        pytest.param(
            {},
            {Kind.MESH: {MESH}, Kind.VIRTUAL_NODE: {NODE}, Kind.VIRTUAL_SERVICE: {ROUTER, ROUTE, SERVICE}},
            id="all-gone",
        ),
    ],
)
def test_what_is_listed_otherwise_is_in_doubt(listed, expected):
    """Only that, and only at its owner."""
    assert found(listed) == expected


def test_who_does_not_mind_and_who_is_at_work_is_passed_over():
    """The first wants no look, the second moves its versions itself."""
    ignoring = builders.virtual_node()
    ignoring["metadata"]["annotations"] = {"meshwright.dev/drift": "ignore"}
    versions = {"versions": {f"{ARN}/virtualNode/cart-prod": 2}}
    assert found({}, settled(ignoring, status=versions)) == {}
    assert found({}, sighting(builders.virtual_node(), status=versions)) == {}
    assert found({}, settled(builders.virtual_node(), status=versions)) == {Kind.VIRTUAL_NODE: {NODE}}


def test_a_status_without_versions_says_nothing():
    """It was written by another controller."""
    assert found({}, settled(builders.virtual_node())) == {}


def test_routes_are_listed_of_our_routers_alone():
    """Each once."""
    assert routers_of("shop", index_of(*shop(), *shop())) == ("cart-prod",)
    assert routers_of("other", index_of(*shop())) == ()


@pytest.fixture
def client(tmp_path) -> Iterator[Any]:
    """A client of a control plane of this test's own, and the calls that are made with it."""
    with served(tmp_path) as api, api.client() as client:
        client.create_mesh(meshName="shop")
        client.made = Counter()
        client.meta.events.register("before-call", lambda model, **_: client.made.update([model.name]))
        yield client


async def test_lists_give_every_object_with_its_version(client):
    """Two pages of nodes, the routes of the routers that were asked for, and no Describe."""
    mesh = MeshUnderTest(client, "shop")
    for number in range(101):
        mesh.node(f"n{number}")
    mesh.update("virtualNode", "n7", specs.node())
    for router in ("mine", "theirs"):
        mesh.router(router)
        mesh.route("r", router, n1=1)
    mesh.service("s.local", router="mine")
    client.made.clear()
    lists = Listing(lambda: client)
    listed = await lists.members("shop", ["mine", "missing"]) | await lists.meshes()
    assert client.made == {
        "ListMeshes": 1,
        "ListVirtualNodes": 2,
        "ListVirtualRouters": 1,
        "ListVirtualServices": 1,
        "ListRoutes": 2,
    }
    assert listed[NODE.model_copy(update={"name": "n7"})] == 2
    assert {(object.kind, object.router) for object in listed if object.name == "r"} == {(ApiKind.ROUTE, "mine")}
    assert len(listed) == 1 + 101 + 2 + 1 + 1
    assert set(listed.values()) == {1, 2}


async def test_a_mesh_that_is_gone_has_nothing(client):
    """Not an error: everything that we left there is missing."""
    assert await Listing(lambda: client, per_second=1000).members("other", ["r"]) == {}
