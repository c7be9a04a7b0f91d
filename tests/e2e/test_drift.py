"""Story: somebody edits, deletes and adds in App Mesh by hand; that is undone at once, and nothing else is done."""

import asyncio

import pytest

from resources.kinds import Kind
from tests.builders import Manifest
from tests.e2e.app_mesh import Specs
from tests.e2e.cluster import Cluster
from tests.e2e.world import World
from tests.waiting import until
from watcher.index import Index
from watcher.listing import Listing
from watcher.sweep import differing, routers_of
from workflows.messages import Snapshot


class Hand:
    """Somebody with a key to the API: what they do to the objects of `World.shop`."""

    def __init__(self, cluster: Cluster, world: World) -> None:
        self._api = cluster.app_mesh.api
        self._mesh = {"meshName": world.name}
        self._node = self._mesh | {"virtualNodeName": f"cart-{world.name}"}
        self._router = self._mesh | {"virtualRouterName": f"cart-router-{world.name}"}
        self._service = self._mesh | {"virtualServiceName": world.host("cart")}
        target = {"virtualNode": f"cart-{world.name}", "weight": 1}
        self._route = {"httpRoute": {"match": {"prefix": "/hand"}, "action": {"weightedTargets": [target]}}}

    def edits_the_mesh(self) -> None:
        """Another egress filter."""
        self._api.update_mesh(**self._mesh, spec={"egressFilter": {"type": "ALLOW_ALL"}})

    def edits_a_node(self) -> None:
        """A node without listeners."""
        self._api.update_virtual_node(**self._node, spec={})

    def edits_a_router(self) -> None:
        """Another port."""
        listeners = [{"portMapping": {"port": 9999, "protocol": "http"}}]
        self._api.update_virtual_router(**self._router, spec={"listeners": listeners})

    def edits_a_route(self) -> None:
        """Another target."""
        self._api.update_route(**self._router, routeName="r1", spec=self._route)

    def edits_a_service(self) -> None:
        """A service that leads nowhere."""
        self._api.update_virtual_service(**self._service, spec={})

    def deletes_a_route(self) -> None:
        """One of three."""
        self._api.delete_route(**self._router, routeName="r2")

    def deletes_a_service(self) -> None:
        """Its routing stays."""
        self._api.delete_virtual_service(**self._service)

    def adds_a_route(self) -> None:
        """On a router of ours."""
        self._api.create_route(**self._router, routeName="by-hand", spec=self._route)

    def deletes_the_whole_routing(self) -> None:
        """Service, routes, router."""
        self.deletes_a_service()
        for name in ("r1", "r2", "r3"):
            self._api.delete_route(**self._router, routeName=name)
        self._api.delete_virtual_router(**self._router)


@pytest.fixture
def shop(cluster: Cluster, world: World) -> list[Manifest]:
    """A mesh, two nodes and a service, all Active."""
    shop = world.shop()
    cluster.converge(*shop)
    return shop


def drifts(cluster: Cluster, manifest: Manifest) -> list[str]:
    """What the Events of a resource say about drift."""
    return [event["message"] for event in cluster.kubernetes.events(manifest) if event["reason"] == "Drifted"]


def wait_repaired(cluster: Cluster, world: World, before: Specs) -> None:
    """Wait until App Mesh holds what it held."""
    until(lambda: cluster.app_mesh.specs(world.name), lambda specs: specs == before, "the repair")


MESH, NODE, SERVICE = 0, 1, 3
"""Who owns it, by the place in `World.shop`."""


@pytest.mark.parametrize(
    ("deed", "owner", "calls", "said"),
    [
        (Hand.edits_the_mesh, MESH, {"DescribeMesh": 1, "UpdateMesh": 2}, "mesh"),
        (Hand.edits_a_node, NODE, {"DescribeVirtualNode": 1, "UpdateVirtualNode": 2}, "virtual node cart-"),
        (Hand.edits_a_router, SERVICE, {"DescribeVirtualRouter": 1, "UpdateVirtualRouter": 2}, "9999 -> 8080"),
        (Hand.edits_a_route, SERVICE, {"DescribeRoute": 1, "UpdateRoute": 2}, "route r1 of router cart-router-"),
        (Hand.edits_a_service, SERVICE, {"DescribeVirtualService": 1, "UpdateVirtualService": 2}, "provider"),
        (Hand.deletes_a_route, SERVICE, {"DeleteRoute": 1, "DescribeRoute": 1, "CreateRoute": 1}, "was deleted"),
        (
            Hand.deletes_a_service,
            SERVICE,
            {"DeleteVirtualService": 1, "DescribeVirtualService": 1, "CreateVirtualService": 1},
            "was deleted",
        ),
        (Hand.adds_a_route, SERVICE, {"CreateRoute": 1, "DescribeRoute": 1, "DeleteRoute": 1}, "was added"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_somebody_does_by_hand_is_undone(
    cluster: Cluster, world: World, shop: list[Manifest], deed, owner: int, calls: dict[str, int], said: str
) -> None:
    """One look at what they wrote, one write, one Event at its owner; nobody else hears of it."""
    before = cluster.app_mesh.specs(world.name)
    others = [manifest for place, manifest in enumerate(shop) if place != owner]
    lengths = [cluster.workflows.length(manifest) for manifest in others]
    told = len(cluster.kubernetes.events(shop[owner]))
    with cluster.counted() as made:
        deed(Hand(cluster, world))
        until(
            lambda: len(cluster.kubernetes.events(shop[owner])),
            lambda number: number == told + 2,
            "the Events: what was found, what was done",
        )
    assert made == calls
    wait_repaired(cluster, world, before)
    (message,) = drifts(cluster, shop[owner])
    assert said in message
    assert [cluster.workflows.length(manifest) for manifest in others] == lengths


def test_a_whole_routing_that_was_deleted_is_made_again(cluster: Cluster, world: World, shop: list[Manifest]) -> None:
    """However the deletes and the repairs interleave."""
    before = cluster.app_mesh.specs(world.name)
    with cluster.frozen("worker"):
        Hand(cluster, world).deletes_the_whole_routing()
    wait_repaired(cluster, world, before)


def test_a_mesh_that_was_deleted_is_made_again(cluster: Cluster, world: World) -> None:
    """App Mesh lets it go while it is empty."""
    cluster.converge(world.mesh())
    before = cluster.app_mesh.specs(world.name)
    cluster.app_mesh.api.delete_mesh(meshName=world.name)
    wait_repaired(cluster, world, before)
    assert drifts(cluster, world.mesh()) == [f"Somebody else changed App Mesh: mesh {world.name} was deleted"]


def test_who_wants_drift_ignored_is_left_alone(cluster: Cluster, world: World, shop: list[Manifest]) -> None:
    """No call, no Event; and the resource can still be deleted with what was added to its router."""
    service = shop[SERVICE]
    cluster.kubernetes.patch(service, {"metadata": {"annotations": {"meshwright.dev/drift": "ignore"}}})
    with cluster.counted() as made:
        Hand(cluster, world).adds_a_route()
        Hand(cluster, world).edits_a_route()
    assert made == {"CreateRoute": 1, "UpdateRoute": 1}
    assert drifts(cluster, service) == []
    cluster.kubernetes.delete(service)
    cluster.wait_let_go(service)


def test_who_minds_drift_again_is_put_right(cluster: Cluster, world: World, shop: list[Manifest]) -> None:
    """What was done while it was ignored is found when the annotation goes."""
    before, service = cluster.app_mesh.specs(world.name), shop[SERVICE]
    cluster.kubernetes.patch(service, {"metadata": {"annotations": {"meshwright.dev/drift": "ignore"}}})
    cluster.pass_fence()
    Hand(cluster, world).edits_a_route()
    cluster.pass_fence()
    assert cluster.app_mesh.specs(world.name) != before
    cluster.kubernetes.patch(service, {"metadata": {"annotations": {"meshwright.dev/drift": None}}})
    wait_repaired(cluster, world, before)


def test_a_sweep_finds_what_nobody_told_of(cluster: Cluster, world: World, shop: list[Manifest]) -> None:
    """What workflows left is what App Mesh lists; what a hand does stands out, until it is repaired."""
    cluster.app_mesh.api.create_virtual_router(meshName=world.name, virtualRouterName="nobodys", spec={})
    assert asyncio.run(swept(cluster, world)) == []
    with cluster.frozen("worker"):
        Hand(cluster, world).edits_a_node()
        Hand(cluster, world).adds_a_route()
        assert asyncio.run(swept(cluster, world)) == ["virtual node cart", "route by-hand of router cart-router"]
    until(lambda: asyncio.run(swept(cluster, world)), lambda left: left == [], "the repair")
    cluster.app_mesh.api.delete_virtual_router(meshName=world.name, virtualRouterName="nobodys")


async def swept(cluster: Cluster, world: World) -> list[str]:
    """The objects that a sweep of the world's mesh has doubts of, without the world's name."""
    index = Index()
    lists = Listing(lambda: cluster.app_mesh.api)
    for found in cluster.kubernetes.all():
        index.put(Snapshot.of(Kind(found["kind"]), found))
    listed = await lists.members(world.name, routers_of(world.name, index)) | await lists.meshes()
    changes = differing(world.name, listed, index)
    return [str(object).replace(f"-{world.name}", "") for change in changes for object in change.doubt]


def test_what_happened_while_no_watcher_ran_is_found_by_the_next(
    fragile_cluster: Cluster, fragile_world: World
) -> None:
    """The feed knows how far the last one had got."""
    cluster, world = fragile_cluster, fragile_world
    cluster.converge(*world.shop())
    before = cluster.app_mesh.specs(world.name)
    with cluster.frozen("watcher"):
        Hand(cluster, world).edits_a_node()
        cluster.kill("watcher")
    wait_repaired(cluster, world, before)


def test_the_feed_is_followed_across_restarts_of_the_control_plane(
    fragile_cluster: Cluster, fragile_world: World
) -> None:
    """The watcher asks until it is answered, from where it was."""
    cluster, world = fragile_cluster, fragile_world
    cluster.converge(*world.shop())
    before = cluster.app_mesh.specs(world.name)
    cluster.kill("control-plane")
    Hand(cluster, world).deletes_a_route()
    wait_repaired(cluster, world, before)
