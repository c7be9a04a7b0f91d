"""What resources are called in App Mesh. The table is the contract with meshes that already exist."""

import pytest
from hypothesis import given

from resources.names import (
    namespaced_name,
    node_candidates,
    router_name,
    target_api_name,
    virtual_node_api_name,
)
from resources.parsing import parse_virtual_node, parse_virtual_service
from tests import builders
from tests.resources import strategies


@pytest.mark.parametrize(
    ("name", "namespace", "expected"),
    [
        pytest.param("foo", "bar", "foo-bar", id="a plain name gets its namespace"),
        pytest.param("foo.dummy", "bar", "foo-dummy", id="a name with a dot carries its own"),
        pytest.param("a.b.c", "bar", "a-b-c", id="every dot becomes a dash"),
        pytest.param("foo-bar", "bar", "foo-bar-bar", id="a suffix that is there already is not seen"),
    ],
)
def test_the_dot_rule(name, namespace, expected):
    """A name with a dot has its dots turned into dashes; any other gets its namespace."""
    assert namespaced_name(name, namespace) == expected


def test_a_virtual_node_is_called_by_the_dot_rule():
    """The node's App Mesh name comes from its name and namespace."""
    assert virtual_node_api_name(parse_virtual_node(builders.virtual_node("cart", "prod"))) == "cart-prod"


@pytest.mark.parametrize(
    ("router", "expected"),
    [
        pytest.param({"name": "metal-router"}, "metal-router-prod", id="given"),
        pytest.param({"name": "  metal-router "}, "metal-router-prod", id="given with blanks"),
        pytest.param({"name": "metal.router"}, "metal-router", id="given with a dot"),
        pytest.param({"name": ""}, "metal-prod-svc-cluster-local", id="empty"),
        pytest.param({"name": " "}, "metal-prod-svc-cluster-local", id="blank"),
        pytest.param({}, "metal-prod-svc-cluster-local", id="router without a name"),
        pytest.param(None, "metal-prod-svc-cluster-local", id="no router"),
    ],
)
def test_a_router_without_a_name_is_called_after_its_service(router, expected):
    """The given name counts, without blanks around it; failing that the service's; both by the dot rule."""
    service = builders.virtual_service("metal.prod.svc.cluster.local", "prod", virtualRouter=router)
    assert router_name(parse_virtual_service(service)) == expected


@pytest.mark.parametrize(
    ("route", "target", "siblings", "expected"),
    [
        pytest.param(builders.http_route(), "cart", (), "cart-prod", id="http"),
        pytest.param(builders.http_route(), "cart-prod", (), "cart-prod-prod", id="http never takes full names"),
        pytest.param(builders.tcp_route(), "cart", (), "cart-prod", id="tcp"),
        pytest.param(builders.tcp_route(), "cart.prod", (), "cart-prod", id="tcp with a dot"),
        pytest.param(builders.http2_route(), "cart", {"cart"}, "cart-prod", id="http2 that names a resource"),
        pytest.param(builders.http2_route(), "cart-prod", {"cart"}, "cart-prod", id="http2 with a full name"),
        pytest.param(builders.grpc_route(), "cart", {"cart"}, "cart-prod", id="grpc that names a resource"),
        pytest.param(builders.grpc_route(), "cart-prod", {"cart"}, "cart-prod", id="grpc with a full name"),
        pytest.param(
            builders.grpc_route(), "cart-prod", {"cart-prod"}, "cart-prod-prod", id="a resource of that name wins"
        ),
        pytest.param(builders.grpc_route(), "a.b", (), "a.b", id="grpc leaves an unknown dotted name alone"),
    ],
)  # fmt: skip
def test_targets_of_http2_and_grpc_routes_may_be_full_names(route, target, siblings, expected):
    """Targets of http and tcp routes are always namespaced; of http2 and grpc only if such a VirtualNode exists."""
    service = parse_virtual_service(builders.virtual_service(routes=[route]))
    assert target_api_name(service.spec.routes[0], target, "prod", siblings) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("cart", ("cart",), id="a resource's name"),
        pytest.param("cart-prod", ("cart-prod", "cart"), id="a resource's name, or an App Mesh name"),
        pytest.param("-prod", ("-prod",), id="nothing is left without the suffix"),
    ],
)
def test_candidates_are_the_name_itself_and_the_name_without_its_namespace(name, expected):
    """A full App Mesh name leads back to the resource that carries it."""
    assert node_candidates(name, "prod") == expected


@given(manifest=strategies.virtual_nodes())
def test_a_node_is_among_the_candidates_of_its_full_name(manifest):
    """Whatever plain name a node has, its App Mesh name leads back to it."""
    name, namespace = manifest["metadata"]["name"], manifest["metadata"]["namespace"]
    if "." not in name:
        assert name in node_candidates(namespaced_name(name, namespace), namespace)
