"""What a VirtualService refers to, what stands in its way, which objects it wants, and what its status tells."""

from typing import Any, ClassVar

import pytest

from activities.messages import MeshReference, NodeReference, Record, References
from activities.objects import ApiKind, ApiObject
from resources.conditions import Reason
from resources.translate.virtual_service import virtual_service_spec
from tests.builders import Manifest, grpc_route, http2_route, http_route, listener, tcp_route, virtual_service
from tests.workflows.snapshots import READY_MESH, READY_NODE, desired, references, route, router, service
from workflows.planning.outcome import Again
from workflows.planning.plan import Observed

TARGETS = {"cart": 3, "pay": 1}


@pytest.mark.parametrize(
    ("routes", "nodes"),
    [
        pytest.param([], (), id="none"),
        pytest.param([http_route("a", TARGETS), tcp_route("b", {"pay": 1})], ("cart", "pay"), id="each-once"),
        pytest.param([grpc_route(targets={"cart-prod": 1})], ("cart-prod", "cart"), id="full-name-may-mean-two"),
        pytest.param([http2_route(targets={"cart": 1})], ("cart",), id="http2"),
        pytest.param([http_route(targets={"cart-prod": 1})], ("cart-prod",), id="http-names-are-resources"),
    ],
)
def test_service_looks_at_its_mesh_and_at_every_node_it_may_mean(
    routes: list[dict[str, Any]], nodes: tuple[str, ...]
) -> None:
    """In its own namespace."""
    read = desired(virtual_service(routes=routes)).references()
    assert (read.mesh, read.namespace, read.nodes) == ("shop", "prod", nodes)


@pytest.mark.parametrize(
    ("mesh", "reason", "message"),
    [
        pytest.param(MeshReference(), Reason.WAITING_FOR_MESH, "Mesh shop does not exist", id="missing"),
        pytest.param(MeshReference(found=True), Reason.WAITING_FOR_MESH, "Mesh shop is not active yet", id="not-ready"),
        pytest.param(
            MeshReference(found=True, ready=True, deleting=True),
            Reason.MESH_DELETED,
            "Mesh shop is being deleted, and its members with it",
            id="deleting",
        ),
        pytest.param(
            MeshReference(found=True, deleting=True),
            Reason.MESH_DELETED,
            "Mesh shop is being deleted, and its members with it",
            id="deleted-before-it-was-active",
        ),
    ],
)
def test_mesh_comes_first(mesh: MeshReference, reason: Reason, message: str) -> None:
    """Whatever its nodes; nothing but a poke brings the service back."""
    blocked = desired(virtual_service()).blocked(References(mesh=mesh))
    assert blocked is not None
    assert (blocked.reason, blocked.message, blocked.again) == (reason, message, Again.NEVER)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        pytest.param({}, "VirtualNode cart does not exist; VirtualNode pay does not exist", id="all-missing"),
        pytest.param({"cart": READY_NODE}, "VirtualNode pay does not exist", id="one-missing"),
        pytest.param(
            {"cart": READY_NODE, "pay": NodeReference(found=True, mesh="shop")},
            "VirtualNode pay is not active yet",
            id="not-ready",
        ),
        pytest.param(
            {"cart": READY_NODE, "pay": READY_NODE.model_copy(update={"mesh": "other"})},
            "VirtualNode pay belongs to mesh other, not shop",
            id="other-mesh",
        ),
    ],
)
def test_targets_come_next_and_are_named(nodes: dict[str, NodeReference], message: str) -> None:
    """The condition's message says what is waited for."""
    blocked = desired(virtual_service(routes=[http_route(targets=TARGETS)])).blocked(references(**nodes))
    assert blocked is not None
    assert (blocked.reason, blocked.message) == (Reason.WAITING_FOR_NODES, message)


@pytest.mark.parametrize(
    ("route", "nodes", "blocked"),
    [
        pytest.param(http2_route(targets={"pay-staging": 1}), {}, None, id="full-name-of-another-namespace"),
        pytest.param(grpc_route(targets={"cart-prod": 1}), {"cart": READY_NODE}, None, id="full-name-of-ours"),
        pytest.param(
            grpc_route(targets={"cart-prod": 1}),
            {"cart": NodeReference(found=True, mesh="shop")},
            "VirtualNode cart is not active yet",
            id="full-name-of-ours-not-ready",
        ),
        pytest.param(
            grpc_route(targets={"cart-prod": 1}),
            {"cart-prod": NodeReference(found=True, mesh="shop"), "cart": READY_NODE},
            "VirtualNode cart-prod is not active yet",
            id="exact-name-wins",
        ),
    ],
)
def test_full_names_are_waited_for_only_where_a_resource_stands_behind_them(
    route: dict[str, Any], nodes: dict[str, NodeReference], blocked: str | None
) -> None:
    """Public manifests write App Mesh names into http2 and grpc routes; App Mesh alone can tell whether they exist."""
    outcome = desired(virtual_service(routes=[route])).blocked(references(**nodes))
    assert (outcome and outcome.message) == blocked


@pytest.mark.parametrize(
    ("manifest", "objects"),
    [
        pytest.param(
            virtual_service(),
            (router("cart-router-prod"), route("all", "cart-router-prod"), service("cart.prod.svc.cluster.local")),
            id="router-gets-the-namespace",
        ),
        pytest.param(
            virtual_service(virtualRouter={"name": "cart.front", "listeners": [listener()]}),
            (router("cart-front"), route("all", "cart-front"), service("cart.prod.svc.cluster.local")),
            id="dots-become-dashes",
        ),
        pytest.param(
            virtual_service(virtualRouter={"listeners": [listener()]}),
            (
                router("cart-prod-svc-cluster-local"),
                route("all", "cart-prod-svc-cluster-local"),
                service("cart.prod.svc.cluster.local"),
            ),
            id="nameless-router-is-called-like-the-service",
        ),
        pytest.param(
            virtual_service("cart", virtualRouter=None),
            (router("cart-prod"), route("all", "cart-prod"), service("cart")),
            id="service-name-goes-out-verbatim",
        ),
    ],
)
def test_objects_carry_the_names_of_live_meshes(manifest: Manifest, objects: tuple[ApiObject, ...]) -> None:
    """Design section 5: a cluster must be adoptable without recreating anything."""
    wanted = desired(manifest).wanted(references("cart"), Observed())
    assert tuple(item.object for item in wanted) == objects
    assert wanted[-1].spec == {"provider": {"virtualRouter": {"virtualRouterName": objects[0].name}}}


@pytest.mark.parametrize(
    ("route", "found", "target"),
    [
        pytest.param(http_route(targets={"cart": 1}), (), "cart-prod", id="http"),
        pytest.param(http_route(targets={"cart.staging": 1}), (), "cart-staging", id="http-with-a-dot"),
        pytest.param(tcp_route(targets={"cart": 1}), (), "cart-prod", id="tcp"),
        pytest.param(http2_route(targets={"cart-prod": 1}), ("cart",), "cart-prod", id="http2-full-name"),
        pytest.param(grpc_route(targets={"cart": 1}), ("cart",), "cart-prod", id="grpc-name-of-a-resource"),
        pytest.param(grpc_route(targets={"cart": 1}), (), "cart", id="grpc-name-of-nothing-we-know"),
    ],
)
def test_targets_are_named_as_the_route_type_demands(
    route: dict[str, Any], found: tuple[str, ...], target: str
) -> None:
    """Namespaced, or verbatim where full names are the custom."""
    wanted = desired(virtual_service(routes=[route])).wanted(references(*found), Observed())
    (spec,) = (item.spec for item in wanted if item.object.kind is ApiKind.ROUTE)
    (kind,) = spec
    assert [item["virtualNode"] for item in spec[kind]["action"]["weightedTargets"]] == [target]


class TestListener:
    bare: ClassVar = {"name": "cart-router"}
    port: ClassVar = {"port": 9080, "protocol": "grpc"}

    def test_own_listener_is_taken(self) -> None:
        """Whatever the targets have."""
        wanted = desired(virtual_service()).wanted(references(cart=self.node()), Observed())
        assert wanted[0].spec == {"listeners": [listener()]}

    @pytest.mark.parametrize(
        ("routes", "nodes"),
        [
            pytest.param([http_route(targets=TARGETS)], {"cart"}, id="first-target"),
            pytest.param([http_route("a", {"cart": 1}), http_route("b", {"pay": 1})], {"cart"}, id="first-route"),
            pytest.param([grpc_route(targets={"cart-prod": 1})], {"cart"}, id="behind-a-full-name"),
        ],
    )
    def test_missing_listener_is_that_of_the_first_target(self, routes: list[Any], nodes: set[str]) -> None:
        """As the reference controller did; the user's spec stays as it is, and the status tells."""
        given = references("pay", **{name: self.node() for name in nodes})
        planner = desired(virtual_service(virtualRouter=self.bare, routes=routes))
        assert planner.blocked(given) is None
        assert planner.wanted(given, Observed())[0].spec == {"listeners": [{"portMapping": self.port}]}
        assert planner.status_members(Observed(), given)["inferredListeners"] == [{"portMapping": self.port}]

    @pytest.mark.parametrize(
        ("routes", "message"),
        [
            pytest.param([], "there is no route to take a listener from", id="no-route"),
            pytest.param([http_route()], "VirtualNode cart has none that could be taken", id="target-without-listener"),
        ],
    )
    def test_router_without_any_listener_is_told(self, routes: list[Any], message: str) -> None:
        """App Mesh would not say it so well."""
        node = READY_NODE.model_copy(update={"listener": None})
        blocked = desired(virtual_service(virtualRouter=self.bare, routes=routes)).blocked(references(cart=node))
        assert blocked is not None
        assert blocked.reason is Reason.NO_LISTENER
        assert message in blocked.message

    @pytest.mark.parametrize(
        "listener", [{"port": 8080, "protocol": "https"}, {"port": "many", "protocol": "http"}, {}]
    )
    @pytest.mark.parametrize("ready", [True, False])
    def test_listener_that_cannot_be_read_is_none(self, listener: dict[str, Any], ready: bool) -> None:
        """A node stored before our schema was there: the service says what is wrong, and others go on."""
        node = READY_NODE.model_copy(update={"listener": listener, "ready": ready})
        given = references(cart=node)
        planner = desired(virtual_service(virtualRouter=self.bare, routes=[http_route()]))
        blocked = planner.blocked(given)
        assert blocked is not None
        assert blocked.reason is (Reason.NO_LISTENER if ready else Reason.WAITING_FOR_NODES)
        assert not planner.status_members(Observed(), given)["inferredListeners"]

    def test_status_tells_of_no_inference_where_listeners_are_given(self) -> None:
        """None removes the member that an earlier spec left."""
        assert desired(virtual_service()).status_members(Observed(), references("cart"))["inferredListeners"] is None

    def node(self) -> NodeReference:
        """A node with a listener of its own kind."""
        return READY_NODE.model_copy(update={"listener": self.port})


def test_status_tells_arns_of_what_exists() -> None:
    """In a stable order; None takes a member away that is true no more."""
    planner = desired(virtual_service())
    assert planner.status_members(Observed(), None) == dict.fromkeys(
        (
            "virtualServiceArn",
            "virtualRouterArn",
            "routeArns",
            "inferredListeners",
            "routerLeader",
            "routerSharers",
            "retiredRouters",
        )
    )
    specs = {service(): virtual_service_spec(router().name)}
    records = [
        Record(object=object, arn=f"arn:{object.name}", version=1, spec=specs.get(object, {}))
        for object in (route("b"), service(), router(), route("a"))
    ]
    members = planner.status_members(Observed(records=tuple(records)), References(mesh=READY_MESH))
    assert members["routeArns"] == ["arn:a", "arn:b"]
    assert members["virtualRouterArn"] == "arn:cart-router-prod"
    assert members["virtualServiceArn"] == "arn:cart.prod.svc.cluster.local"


def test_router_of_a_swap_is_looked_at_and_told() -> None:
    """After a swap the live router has a name that the spec does not give away; the service's provider does."""
    live = router("cart-router-prod-0a1b2c3d")
    provider = {"provider": {"virtualRouter": {"virtualRouterName": live.name}}}
    there = Record(object=service(), arn="arn:service", version=4, spec=provider)
    planner = desired(virtual_service())
    assert planner.further(Observed(records=(there,))) == (live,)
    both = Observed(records=(there, Record(object=live, arn="arn:live", version=1)))
    assert planner.further(both) == ()
    assert planner.status_members(both, None)["virtualRouterArn"] == "arn:live"
