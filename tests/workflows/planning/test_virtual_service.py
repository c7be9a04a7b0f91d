"""A VirtualService asks for a router, its routes and a service; it waits for its mesh and for every target."""

import pytest

from activities.messages import MeshReference, NodeReference, ReadReferences, References
from resources.conditions import Reason
from tests.builders import grpc_route, http2_route, http_route, listener, tcp_route, virtual_service
from tests.watcher.sightings import sighting
from tests.workflows.planning import holdings
from workflows.planning.kinds import desired_of
from workflows.planning.outcome import Again
from workflows.planning.plan import Observed

MESH = MeshReference(found=True, ready=True)
READY = NodeReference(found=True, ready=True, mesh="shop", listener={"port": 9080, "protocol": "http"})
SERVICE = "cart.prod.svc.cluster.local"


def desired(**spec):
    """A service's planner; keywords are fields of its spec."""
    return desired_of(sighting(virtual_service(SERVICE, **spec)))


def references(**nodes):
    """An active mesh, with these nodes; `_` in a keyword stands for `-`."""
    return References(mesh=MESH, nodes={name.replace("_", "-"): node for name, node in nodes.items()})


@pytest.mark.parametrize(
    ("routes", "nodes"),
    [
        pytest.param([http_route("a", {"cart": 1, "pay": 1}), tcp_route("b", {"cart": 1})], ("cart", "pay"), id="once"),
        pytest.param([http_route("a", {"cart-prod": 1})], ("cart-prod",), id="http-is-never-verbatim"),
        pytest.param([http2_route("a", {"cart-prod": 1})], ("cart-prod", "cart"), id="http2-may-be-verbatim"),
        pytest.param([grpc_route("a", {"cart-prod": 1})], ("cart-prod", "cart"), id="grpc-may-be-verbatim"),
        pytest.param([], (), id="no-routes"),
    ],
)
def test_a_service_looks_at_its_mesh_and_at_every_node_a_target_may_mean(routes, nodes):
    """Each node once, in the service's own namespace."""
    assert desired(routes=routes).references() == ReadReferences(mesh="shop", namespace="prod", nodes=nodes)


@pytest.mark.parametrize(
    ("mesh", "reason"),
    [
        pytest.param(MeshReference(), Reason.WAITING_FOR_MESH, id="missing"),
        pytest.param(MeshReference(found=True), Reason.WAITING_FOR_MESH, id="not-active"),
        pytest.param(MeshReference(found=True, ready=True, deleting=True), Reason.MESH_DELETED, id="deleting"),
    ],
)
def test_a_service_waits_for_its_mesh_before_its_nodes(mesh, reason):
    """The mesh is told of even where nodes are missing too."""
    outcome = desired().blocked(References(mesh=mesh))
    assert outcome is not None
    assert (outcome.reason, outcome.again) == (reason, Again.NEVER)


@pytest.mark.parametrize(
    ("nodes", "says"),
    [
        pytest.param({}, "VirtualNode cart does not exist; VirtualNode pay does not exist", id="missing"),
        pytest.param(
            {"cart": READY, "pay": READY.model_copy(update={"ready": False})},
            "VirtualNode pay is not active yet",
            id="not-active",
        ),
        pytest.param(
            {"cart": READY.model_copy(update={"mesh": "other"}), "pay": READY},
            "VirtualNode cart belongs to mesh other, not shop",
            id="of-another-mesh",
        ),
    ],
)
def test_a_service_waits_for_its_targets_and_names_those_that_fail(nodes, says):
    """All of them at once, and without a timer."""
    outcome = desired(routes=[http_route("a", {"cart": 1, "pay": 1})]).blocked(references(**nodes))
    assert outcome is not None
    assert (outcome.reason, outcome.message, outcome.again) == (Reason.WAITING_FOR_NODES, says, Again.NEVER)


@pytest.mark.parametrize("route", [pytest.param(http2_route, id="http2"), pytest.param(grpc_route, id="grpc")])
def test_a_full_app_mesh_name_that_no_resource_bears_blocks_nothing(route):
    """Whether it exists App Mesh alone can tell."""
    assert desired(routes=[route("a", {"cart-elsewhere": 1})]).blocked(references()) is None


@pytest.mark.parametrize("route", [pytest.param(http2_route, id="http2"), pytest.param(grpc_route, id="grpc")])
def test_a_full_app_mesh_name_that_a_resource_bears_waits_for_it(route):
    """`cart-prod` is the node `cart` of the namespace `prod`."""
    nodes = references(cart=READY.model_copy(update={"ready": False}))
    outcome = desired(routes=[route("a", {"cart-prod": 1})]).blocked(nodes)
    assert outcome is not None
    assert outcome.message == "VirtualNode cart is not active yet"


@pytest.mark.parametrize(
    ("routes", "says"),
    [
        pytest.param([http_route()], "VirtualNode cart has none that could be taken", id="target-without"),
        pytest.param([], "there is no route to take a listener from", id="no-route"),
    ],
)
def test_a_router_without_any_listener_blocks(routes, says):
    """Nothing is sent that App Mesh would refuse."""
    nodes = references(cart=READY.model_copy(update={"listener": None}))
    outcome = desired(virtualRouter={"name": "cart-router"}, routes=routes).blocked(nodes)
    assert outcome is not None
    assert outcome.reason is Reason.NO_LISTENER
    assert says in outcome.message


@pytest.mark.parametrize(
    ("given", "api_name"),
    [
        pytest.param("cart-router", "cart-router-prod", id="namespaced"),
        pytest.param("cart.router", "cart-router", id="dots"),
        pytest.param("", "cart-prod-svc-cluster-local", id="empty-takes-the-services"),
    ],
)
def test_router_names_are_namespaced_and_those_of_routes_and_services_are_not(given, api_name):
    """Names are identities in live meshes."""
    service = desired(virtualRouter={"name": given, "listeners": [listener()]}, routes=[http_route("a.b")])
    objects = [item.object for item in service.wanted(references(cart=READY), Observed())]
    assert objects == [holdings.router(api_name), holdings.route("a.b", api_name), holdings.service(SERVICE)]
    assert service.identities() == (holdings.router(api_name), holdings.service(SERVICE))


@pytest.mark.parametrize(
    ("route", "member", "target", "nodes", "api_name"),
    [
        pytest.param(http_route, "httpRoute", "cart", {"cart": READY}, "cart-prod", id="http"),
        pytest.param(tcp_route, "tcpRoute", "cart", {"cart": READY}, "cart-prod", id="tcp"),
        pytest.param(http2_route, "http2Route", "cart", {"cart": READY}, "cart-prod", id="http2-resource"),
        pytest.param(http2_route, "http2Route", "cart-prod", {"cart": READY}, "cart-prod", id="http2-full-name"),
        pytest.param(grpc_route, "grpcRoute", "cart-prod", {}, "cart-prod", id="grpc-unknown"),
        pytest.param(
            grpc_route, "grpcRoute", "cart-prod", {"cart_prod": READY}, "cart-prod-prod", id="grpc-of-exactly-that-name"
        ),
    ],
)
def test_targets_go_out_by_the_nodes_app_mesh_names(route, member, target, nodes, api_name):
    """Never namespaced twice, unless a resource is really called so."""
    wanted = desired(routes=[route("a", {target: 3})]).wanted(references(**nodes), Observed())
    assert wanted[1].spec[member]["action"] == {"weightedTargets": [{"virtualNode": api_name, "weight": 3}]}


def test_the_service_points_at_the_router():
    """By the router's App Mesh name."""
    wanted = desired().wanted(references(cart=READY), Observed())
    assert wanted[-1].spec == holdings.pointing_at("cart-router-prod")


@pytest.mark.parametrize(
    ("listeners", "port"),
    [pytest.param([listener(7000)], 7000, id="its-own"), pytest.param([], 9080, id="the-first-targets")],
)
def test_a_router_takes_the_listener_of_the_first_target_when_it_has_none(listeners, port):
    """Its own wins; one that is taken over is reported, never written into the spec."""
    service = desired(virtualRouter={"name": "cart-router", "listeners": listeners})
    mapping = {"portMapping": {"port": port, "protocol": "http"}}
    nodes = references(cart=READY)
    assert service.blocked(nodes) is None
    assert service.wanted(nodes, Observed())[0].spec == {"listeners": [mapping]}
    inferred = service.status_members(Observed(), nodes)["inferredListeners"]
    assert inferred == (None if listeners else [mapping])


def test_the_listener_of_a_target_by_its_full_name_is_taken_too():
    """The node behind `cart-prod` is the resource `cart`."""
    service = desired(virtualRouter={"name": "cart-router"}, routes=[grpc_route("a", {"cart-prod": 1})])
    nodes = references(cart=READY.model_copy(update={"listener": {"port": 50051, "protocol": "grpc"}}))
    spec = service.wanted(nodes, Observed())[0].spec
    assert spec == {"listeners": [{"portMapping": {"port": 50051, "protocol": "grpc"}}]}


def test_status_carries_the_arns_of_what_exists():
    """Routes in order; without objects every member is taken away."""
    router, service = holdings.router("cart-router-prod"), holdings.service(SERVICE)
    routes = [holdings.route(name, router.name) for name in ("b", "a")]
    specs = {router: {}, service: holdings.pointing_at(router.name)} | {route: {} for route in routes}
    observed = holdings.holding(specs)
    assert desired().status_members(observed, None) == {
        "virtualServiceArn": holdings.arn(service),
        "virtualRouterArn": holdings.arn(router),
        "routeArns": [holdings.arn(routes[1]), holdings.arn(routes[0])],
        "inferredListeners": None,
        "routerLeader": None,
        "routerSharers": None,
        "retiredRouters": None,
    }
    assert set(desired().status_members(Observed(), None).values()) == {None}


def test_status_names_the_router_that_a_swap_made():
    """And `further` asks for it when only the service tells of it."""
    made = holdings.router("cart-router-prod-0123abcd")
    service = {holdings.service(SERVICE): holdings.pointing_at(made.name)}
    assert desired().further(holdings.holding(service)) == (made,)
    both = holdings.holding(service | {made: {}})
    assert desired().further(both) == ()
    assert desired().status_members(both, None)["virtualRouterArn"] == holdings.arn(made)


def test_a_strangers_router_is_not_looked_at():
    """A service that somebody points elsewhere gives us no claim on what it points at."""
    service = {holdings.service(SERVICE): holdings.pointing_at("theirs")}
    assert desired().further(holdings.holding(service)) == ()
