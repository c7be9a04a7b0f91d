"""Story: nobody pays for calls that are not needed. Each change costs exactly the writes that it must, and no reads."""

import copy
from itertools import pairwise

import pytest

from tests.builders import Manifest, grpc_route, listener
from tests.e2e.cluster import Cluster
from tests.e2e.world import World, route
from tests.waiting import until


@pytest.fixture
def shop(cluster: Cluster, world: World) -> list[Manifest]:
    """A mesh, two nodes and a service with three routes, all Active."""
    manifests = world.shop(routes=3)
    cluster.converge(*manifests)
    return manifests


@pytest.mark.parametrize("routes", [1, 3, 8])
def test_creating_a_service_takes_a_write_for_each_object_and_no_read(
    cluster: Cluster, world: World, routes: int
) -> None:
    """A service with R routes costs R + 2 writes (its router, its routes, itself)."""
    *before, service = world.shop(routes)
    cluster.converge(*before)
    with cluster.counted() as calls:
        cluster.converge(service)
    assert calls == {"CreateVirtualRouter": 1, "CreateRoute": routes, "CreateVirtualService": 1}


def test_creating_a_mesh_and_a_node_takes_one_write_each(cluster: Cluster, world: World) -> None:
    """Meshes and nodes are created without a look first."""
    with cluster.counted() as calls:
        cluster.converge(world.mesh(), world.node())
    assert calls == {"CreateMesh": 1, "CreateVirtualNode": 1}


def test_applying_again_takes_no_call_and_tells_nobody(cluster: Cluster, shop: list[Manifest]) -> None:
    """The same manifests again are no news: no call, and no workflow hears of them."""
    cluster.pass_fence()  # a late poke of the shop's own beginning is no news of what follows
    before = lengths(cluster, shop)
    with cluster.counted() as calls:
        cluster.kubernetes.apply(*shop)
    assert calls == {}
    assert lengths(cluster, shop) == before


@pytest.mark.parametrize("parts", [("watcher",), ("worker",), ("watcher", "worker")], ids="+".join)
def test_restarting_us_takes_no_call_and_tells_nobody(
    cluster: Cluster, shop: list[Manifest], parts: tuple[str, ...]
) -> None:
    """A new watcher lists everything and finds it settled; a new worker has nothing to do."""
    cluster.pass_fence()  # a late poke of the shop's own beginning is no news of what follows
    before = lengths(cluster, shop)
    with cluster.counted() as calls:
        cluster.stack.restart(*parts)
    assert calls == {}
    assert lengths(cluster, shop) == before


def test_labels_and_annotations_take_no_call(cluster: Cluster, shop: list[Manifest]) -> None:
    """Metadata of the user's own does not concern App Mesh."""
    with cluster.counted() as calls:
        for manifest in shop:
            cluster.kubernetes.patch(manifest, {"metadata": {"labels": {"team": "a"}, "annotations": {"note": "b"}}})
    assert calls == {}


def test_one_weight_takes_one_write(cluster: Cluster, shop: list[Manifest]) -> None:
    """A canary step is one UpdateRoute."""
    service = copy.deepcopy(shop[-1])
    service["spec"]["routes"][1] = route(2, {"cart": 50, "cart-v2": 50})
    with cluster.counted() as calls:
        cluster.converge(service)
    assert calls == {"UpdateRoute": 1}


def test_no_status_write_is_made_in_vain(cluster: Cluster, world: World) -> None:
    """Each is guarded by what it replaces, and that is what is there: none is refused, to look and write once more."""
    before = cluster.kubernetes.status_writes()
    manifests = world.shop(routes=3)
    cluster.converge(*manifests)
    service = copy.deepcopy(manifests[-1])
    service["spec"]["routes"][1] = route(2, {"cart": 50, "cart-v2": 50})
    cluster.converge(service)
    after = cluster.kubernetes.status_writes()
    assert after["200"] > before.get("200", 0)
    assert after.get("422", 0) == before.get("422", 0)


def test_a_node_edit_takes_one_write(cluster: Cluster, shop: list[Manifest], world: World) -> None:
    """A node is one object."""
    with cluster.counted() as calls:
        cluster.converge(world.node("cart", listeners=[listener(healthCheck={"protocol": "http", "path": "/healthy"})]))
    assert calls == {"UpdateVirtualNode": 1}


def test_a_mesh_edit_takes_one_write(cluster: Cluster, shop: list[Manifest], world: World) -> None:
    """The members of a mesh do not mind its egress filter."""
    with cluster.counted() as calls:
        cluster.converge(world.mesh(egressFilter={"type": "ALLOW_ALL"}))
    assert calls == {"UpdateMesh": 1}


def test_an_added_route_takes_one_write(cluster: Cluster, shop: list[Manifest]) -> None:
    """The other routes are left alone."""
    service = copy.deepcopy(shop[-1])
    service["spec"]["routes"].append(route(4, {"cart-v2": 1}))
    with cluster.counted() as calls:
        cluster.converge(service)
    assert calls == {"CreateRoute": 1}


def test_a_removed_route_takes_one_write(cluster: Cluster, shop: list[Manifest]) -> None:
    """The other routes are left alone."""
    service = copy.deepcopy(shop[-1])
    del service["spec"]["routes"][0]
    with cluster.counted() as calls:
        cluster.converge(service)
    assert calls == {"DeleteRoute": 1}


def test_a_router_without_listeners_follows_its_first_target(cluster: Cluster, world: World) -> None:
    """The port of the first target changes: one write for the node, one for the router, and the service stays."""
    service = world.service(virtualRouter={"name": "cart-router"})
    cluster.converge(world.mesh(), world.node(), service)
    router = f"{world.name}/virtualRouter/cart-router-{world.name}"
    assert port_of(cluster, world, router) == 8080
    with cluster.counted() as calls:
        cluster.converge(world.node(listeners=[listener(9090)]))
        until(lambda: router_port_in_status(cluster, service), lambda port: port == 9090, "the router to follow")
    assert calls == {"UpdateVirtualNode": 1, "UpdateVirtualRouter": 1}
    assert port_of(cluster, world, router) == 9090
    assert "listeners" not in cluster.kubernetes.read(service)["spec"]["virtualRouter"]


def test_a_renamed_router_is_complete_before_the_service_turns_to_it(
    cluster: Cluster, world: World, shop: list[Manifest]
) -> None:
    """New router, its routes, then one turn of the service, then the old routes and router go: each after the other."""
    service = copy.deepcopy(shop[-1])
    service["spec"]["virtualRouter"]["name"] = "renamed"
    known = len(cluster.workflows.activities(service))
    with cluster.counted() as calls:
        cluster.converge(service)
    stages = ["CreateVirtualRouter", "CreateRoute", "UpdateVirtualService", "DeleteRoute", "DeleteVirtualRouter"]
    assert calls == dict.fromkeys(stages, 1) | {"CreateRoute": 3, "DeleteRoute": 3}

    activities = cluster.workflows.activities(service)[known:]
    for earlier, later in pairwise(stages):
        ended = max(activity.completed for activity in activities if activity.name == earlier)
        begun = min(activity.scheduled for activity in activities if activity.name == later)
        assert 0 < ended < begun, f"{later} began before {earlier} had ended"

    left = [name for name in cluster.app_mesh.specs(world.name) if "virtualRouter" in name]
    router = f"{world.name}/virtualRouter/renamed-{world.name}"
    assert sorted(left) == [router, *(f"{router}/route/r{number}" for number in (1, 2, 3))]


def test_a_new_protocol_of_the_whole_service_converges(cluster: Cluster, world: World, shop: list[Manifest]) -> None:
    """Listener, routes and targets may change their protocol in one apply, as far as App Mesh lets them."""
    grpc = [listener(protocol="grpc")]
    changed = [
        world.node("cart", listeners=grpc),
        world.node("cart-v2", listeners=grpc),
        world.service("cart", virtualRouter={"name": "grpc-router", "listeners": grpc}, routes=[grpc_route("all")]),
    ]
    cluster.converge(*changed)
    specs = cluster.app_mesh.specs(world.name)
    assert set(specs[f"{world.name}/virtualRouter/grpc-router-{world.name}/route/all"]) == {"grpcRoute"}


def lengths(cluster: Cluster, manifests: list[Manifest]) -> list[int]:
    """How long the histories of the manifests' workflows are."""
    return [cluster.workflows.length(manifest) for manifest in manifests]


def router_port_in_status(cluster: Cluster, service: Manifest) -> int | None:
    """The listener that was taken from the first target, as the status shows it."""
    inferred = cluster.kubernetes.read(service)["status"].get("inferredListeners")
    return inferred[0]["portMapping"]["port"] if inferred else None


def port_of(cluster: Cluster, world: World, router: str) -> int:
    """The port of a router in App Mesh."""
    return int(cluster.app_mesh.specs(world.name)[router]["listeners"][0]["portMapping"]["port"])
