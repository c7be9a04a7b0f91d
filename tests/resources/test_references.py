"""What a virtual service points at."""

import pytest

from resources.parsing import parse_virtual_service
from resources.references import NodeTarget, first_target, node_names_in, targets
from tests.builders import grpc_route, http2_route, http_route, tcp_route, virtual_service


def test_targets_are_listed_once_in_order_of_mention():
    """Each node of any route counts once; only http2 and grpc targets may be full App Mesh names."""
    routes = [
        http_route("a", {"cart": 1, "cart-v2": 2}),
        http2_route("b", {"cart-prod": 1}),
        tcp_route("c", {"db": 1, "cart": 1}),
        grpc_route("d", {"cart": 1}),
    ]
    assert targets(parse_virtual_service(virtual_service(routes=routes))) == (
        NodeTarget("cart", verbatim_allowed=False),
        NodeTarget("cart-v2", verbatim_allowed=False),
        NodeTarget("cart-prod", verbatim_allowed=True),
        NodeTarget("db", verbatim_allowed=False),
        NodeTarget("cart", verbatim_allowed=True),
    )


def test_the_first_target_is_that_of_the_first_route():
    """A router without a listener takes over that of the first route's first target."""
    routes = [tcp_route("a", {"db": 0, "cart": 1}), http_route("b", {"web": 1})]
    assert first_target(parse_virtual_service(virtual_service(routes=routes))) == "db"


def test_a_service_without_routes_has_no_target():
    """Nothing to refer to is no error: such a service shares a router."""
    service = parse_virtual_service(virtual_service(routes=None))
    assert targets(service) == ()
    assert first_target(service) is None


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        pytest.param({}, set(), id="nothing"),
        pytest.param({"routes": None}, set(), id="null"),
        pytest.param({"routes": [{"name": "r"}, {"name": "s", "http": {"action": None}}]}, set(), id="unfinished"),
        pytest.param({"routes": [http_route("r", {"cart": 1, "cart-v2": 1})]}, {"cart", "cart-v2"}, id="http"),
        pytest.param({"routes": [grpc_route("r", {"cart-prod": 1})]}, {"cart-prod", "cart"}, id="full-name"),
        pytest.param({"provider": {"virtualNode": {"virtualNodeName": "cart"}}}, {"cart"}, id="provider"),
    ],
)
def test_nodes_that_a_raw_spec_may_mean_are_found(spec, names):
    """Whatever the API server let through; a full name may mean the node that it is made from."""
    assert node_names_in(spec, "prod") == names
