"""Story: several services share one router, a service points straight at a node, and two resources want one name."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.builders import Manifest, http_route, listener, virtual_service
from tests.e2e.cluster import Cluster
from tests.e2e.world import World
from tests.waiting import until


def sharing(world: World, name: str, *routes: dict[str, Any], **spec: Any) -> Manifest:
    """A service on the router `shared`."""
    router = {"name": "shared", "listeners": [listener()]}
    return world.service(name, list(routes), virtualRouter=router, **spec)


def grow_older(cluster: Cluster, manifest: Manifest) -> None:
    """Wait until what is created now is younger: creation times are whole seconds."""
    created = datetime.fromisoformat(cluster.kubernetes.read(manifest)["metadata"]["creationTimestamp"])
    until(lambda: datetime.now(UTC), lambda now: now >= created + timedelta(seconds=1), "a second to pass")


def routing(cluster: Cluster, world: World, name: str) -> tuple[str, set[str]]:
    """The router that a service is on, and the names of the routes there; nothing while something goes as we look."""
    specs = cluster.app_mesh.specs(world.name)
    service = specs.get(f"{world.name}/virtualService/{world.host(name)}")
    if service is None:
        return "", set()
    router = service["provider"]["virtualRouter"]["virtualRouterName"]
    begin = f"{world.name}/virtualRouter/{router}/route/"
    return router, {key.removeprefix(begin) for key in specs if key.startswith(begin)}


def test_services_share_a_router_and_the_last_one_takes_it_along(cluster: Cluster, world: World) -> None:
    """The union of their routes, through joining, a swap of the whole and leaving."""
    nodes = [world.mesh(), world.node("cart"), world.node("cart-v2")]
    first = sharing(world, "one", http_route("a", {"cart": 1}, prefix="/a"))
    second = sharing(world, "two", http_route("b", {"cart": 1}, prefix="/b"))
    cluster.converge(*nodes, first, second)
    name = f"shared-{world.name}"
    assert routing(cluster, world, "one") == routing(cluster, world, "two")
    assert routing(cluster, world, "one")[1] == {"a", "b"}
    assert routing(cluster, world, "one")[0].startswith(name)

    first = sharing(
        world, "one", http_route("a", {"cart-v2": 1}, prefix="/a"), http_route("c", {"cart-v2": 1}, prefix="/c")
    )
    cluster.converge(first, second)
    until(
        lambda: (routing(cluster, world, "one"), routing(cluster, world, "two")),
        lambda seen: seen[0] == seen[1] and seen[0][1] == {"a", "b", "c"},
        "both services to be on one router with all routes",
    )
    until(
        lambda: [key for key in cluster.app_mesh.specs(world.name) if key.count("/") == 2 and "/virtualRouter/" in key],
        lambda routers: len(routers) == 1,
        "the old router to go",
    )

    cluster.kubernetes.delete(first)
    cluster.kubernetes.wait_gone(first)
    until(
        lambda: routing(cluster, world, "two")[1], lambda routes: routes == {"b"}, "the routes of the first one to go"
    )
    cluster.remove(second, *nodes)


def test_a_route_that_two_define_is_the_older_ones(cluster: Cluster, world: World) -> None:
    """The younger says so; once it gives in, it is taken up without any further touch."""
    nodes = [world.mesh(), world.node("cart"), world.node("cart-v2")]
    older = sharing(world, "one", http_route("a", {"cart": 1}, prefix="/a"))
    cluster.converge(*nodes, older)
    grow_older(cluster, older)
    younger = sharing(world, "two", http_route("a", {"cart-v2": 1}, prefix="/a"))
    cluster.kubernetes.apply(younger)
    refused = cluster.kubernetes.wait_reason(younger, "RouteConflict")
    assert f"VirtualService {world.name}/{world.host('one')}" in refused["message"]
    assert cluster.kubernetes.condition(younger, "RoutesActive")["status"] == "False"
    cluster.converge(sharing(world, "two", http_route("a", {"cart": 1}, prefix="/a")))
    assert routing(cluster, world, "two") == (f"shared-{world.name}", {"a"})


def test_one_whose_routes_app_mesh_refuses_holds_nobody_up(cluster: Cluster, world: World) -> None:
    """A router has room for 50 routes: the younger that asks for one too many waits, the older goes on being edited."""
    nodes = [world.mesh(), world.node("cart"), world.node("cart-v2")]
    older = sharing(world, "one", http_route("a", {"cart": 1}, prefix="/a"))
    cluster.converge(*nodes, older)
    grow_older(cluster, older)
    many = [http_route(f"b{number}", {"cart": 1}, prefix=f"/b{number}") for number in range(50)]
    younger = sharing(world, "two", *many)
    cluster.kubernetes.apply(younger)
    refused = cluster.kubernetes.wait_reason(younger, "LimitExceeded")
    assert f"of router shared-{world.name}" in refused["message"]
    assert cluster.kubernetes.condition(younger, "RoutesActive")["status"] == "False"
    cluster.converge(sharing(world, "one", http_route("a", {"cart-v2": 1}, prefix="/a")))
    assert routing(cluster, world, "one") == (f"shared-{world.name}", {"a"})
    cluster.converge(sharing(world, "two", *many[:49]))
    until(
        lambda: (routing(cluster, world, "one"), routing(cluster, world, "two")),
        lambda seen: seen[0] == seen[1] and len(seen[0][1]) == 50,
        "both services to be on one router with all routes",
    )


def test_a_service_goes_from_its_router_to_a_node_and_back_by_one_swap(cluster: Cluster, world: World) -> None:
    """One update of the service each way; the router goes after it, or comes before it."""
    nodes = [world.mesh(), world.node("cart")]
    service = world.service("one", 2, {"cart": 1})
    cluster.converge(*nodes, service)
    straight = {"provider": {"virtualNode": {"virtualNodeName": "cart"}}, "virtualRouter": None, "routes": None}
    with cluster.counted() as calls:
        cluster.kubernetes.patch(service, {"spec": straight})
        cluster.kubernetes.wait_active(service)
    assert calls == {"UpdateVirtualService": 1, "DeleteRoute": 2, "DeleteVirtualRouter": 1}
    spec = cluster.app_mesh.specs(world.name)[f"{world.name}/virtualService/{world.host('one')}"]
    assert spec == {"provider": {"virtualNode": {"virtualNodeName": f"cart-{world.name}"}}}
    with cluster.counted() as calls:
        cluster.kubernetes.patch(service, {"spec": {"provider": None} | service["spec"]})
        cluster.kubernetes.wait_active(service)
    assert calls == {"CreateVirtualRouter": 1, "CreateRoute": 2, "UpdateVirtualService": 1}


def test_the_younger_of_two_that_want_one_name_waits_for_the_older(cluster: Cluster, world: World) -> None:
    """It never touches what the older one has, and takes over when that goes."""
    older = world.service("one", 1, {"cart": 1})
    cluster.converge(world.mesh(), world.node("cart"), older)
    grow_older(cluster, older)
    before = cluster.app_mesh.versions(world.name)
    name, elsewhere = older["metadata"]["name"], f"{world.name}-b"
    younger = virtual_service(
        name, elsewhere, meshName=world.name, virtualRouter={"name": "mine", "listeners": [listener()]}, routes=[]
    )
    cluster.kubernetes.apply(younger)
    refused = cluster.kubernetes.wait_reason(younger, "NameConflict")
    assert f"VirtualService {world.name}/{name}" in refused["message"]
    assert cluster.app_mesh.versions(world.name) == before
    cluster.kubernetes.delete(older)
    cluster.kubernetes.wait_active(younger)
    router, _ = routing(cluster, world, "one")
    assert router == f"mine-{elsewhere}"
