"""What a mesh holds, drawn as a tree."""

from pathlib import Path
from typing import Any

import pytest

from examples.demo.tree import (
    MeshView,
    NodeView,
    RouteView,
    ServiceView,
    Target,
    discovery_text,
    draw,
    listener_text,
    match_text,
    route_view,
)
from tests.examples.drawing import drawn
from tests.golden import Golden

GOLDEN = Path(__file__).parent / "golden"

MESH = MeshView(
    name="shop",
    services=(
        ServiceView(
            "cart.shop",
            "cart-router-shop",
            "http:8080",
            (
                RouteView("beta", "/*, header user = beta", (Target("cart-v2-shop", 1),), 10),
                RouteView("default", "/*", (Target("cart-shop", 9), Target("cart-v2-shop", 1))),
            ),
        ),
        ServiceView("stock.shop", "stock-shop", "grpc:9000", ()),
    ),
    nodes=(
        NodeView("cart-shop", "http:8080", "dns cart.shop", ("stock.shop",)),
        NodeView("cart-v2-shop", "http:8080", "cloud map cart-v2.shop"),
    ),
)


def test_a_mesh_is_drawn_as_an_aligned_tree(golden: Golden) -> None:
    """Services with router and routes come first, then nodes; columns are aligned within each group."""
    golden.check(GOLDEN / "tree.txt", drawn(draw(MESH)))


def test_an_empty_mesh_is_only_its_name() -> None:
    """A mesh without services and nodes can be drawn."""
    assert drawn(draw(MeshView("empty", (), ()))).strip() == "mesh empty"


def test_objects_counts_routers_and_routes() -> None:
    """A service is itself, its router and its routes; a node is one object, and so is the mesh."""
    assert MESH.objects == 1 + (2 + 2) + (2 + 0) + 2


def test_splits_are_by_route_name() -> None:
    """Where the routes of a service go can be compared; a service that is not there has none."""
    assert MESH.splits("cart.shop")["default"] == (Target("cart-shop", 9), Target("cart-v2-shop", 1))
    assert MESH.splits("nobody") == {}


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        pytest.param((1,), "n0 100 %", id="one-target"),
        pytest.param((90, 10), "n0 90 %, n1 10 %", id="percent"),
        pytest.param((1, 2), "n0 33.3 %, n1 66.7 %", id="thirds"),
        pytest.param((0, 5), "n0 0 %, n1 100 %", id="drained"),
        pytest.param((0,), "nowhere", id="no-weight-at-all"),
    ],
)
def test_weights_are_told_as_shares(weights: tuple[int, ...], said: str) -> None:
    """Weights mean nothing but their share of the sum."""
    targets = tuple(Target(f"n{number}", weight) for number, weight in enumerate(weights))
    assert RouteView("r", "/*", targets).split == said


@pytest.mark.parametrize(
    ("match", "said"),
    [
        pytest.param({}, "everything", id="tcp"),
        pytest.param({"prefix": "/"}, "/*", id="prefix"),
        pytest.param({"path": {"exact": "/a"}}, "path /a", id="exact-path"),
        pytest.param({"prefix": "/", "method": "GET"}, "/*, GET", id="method"),
        pytest.param({"serviceName": "s.S"}, "s.S/*", id="grpc-service"),
        pytest.param({"serviceName": "s.S", "methodName": "m"}, "s.S/m", id="grpc-method"),
        pytest.param({"headers": [{"name": "x"}]}, "header x present", id="header-present"),
        pytest.param({"headers": [{"name": "x", "match": {"exact": "1"}}]}, "header x = 1", id="header-exact"),
        pytest.param({"headers": [{"name": "x", "match": {"regex": "a.*"}}]}, "header x ~ a.*", id="header-regex"),
        pytest.param({"headers": [{"name": "x", "match": {"prefix": "a"}}]}, "header x = a*", id="header-prefix"),
        pytest.param({"headers": [{"name": "x", "match": {"suffix": "a"}}]}, "header x = *a", id="header-suffix"),
        pytest.param(
            {"headers": [{"name": "x", "match": {"range": {"start": 1, "end": 5}}}]},
            "header x in 1..5",
            id="header-range",
        ),
        pytest.param({"headers": [{"name": "x", "invert": True}]}, "header not x present", id="header-absent"),
        pytest.param({"metadata": [{"name": "m", "match": {"exact": "v"}}]}, "metadata m = v", id="grpc-metadata"),
    ],
)
def test_a_match_is_told_in_words(match: dict[str, Any], said: str) -> None:
    """Each way of matching that the API knows has its words."""
    assert match_text(match) == said


@pytest.mark.parametrize("protocol", ["http", "http2", "grpc", "tcp"])
def test_a_route_of_any_protocol_becomes_a_view(protocol: str) -> None:
    """Targets and priority are found under the member of the route's protocol."""
    action = {"weightedTargets": [{"virtualNode": "blue-colors", "weight": 3}]}
    view = route_view("r", {"priority": 7, f"{protocol}Route": {"match": {}, "action": action}})
    assert view == RouteView("r", "everything", (Target("blue-colors", 3),), 7)


def test_listeners_and_discovery_are_told_in_words() -> None:
    """A node without listeners or discovery says so instead of showing nothing."""
    ports = [{"portMapping": {"port": 80, "protocol": "http"}}, {"portMapping": {"port": 90, "protocol": "grpc"}}]
    assert listener_text({"listeners": ports}) == "http:80, grpc:90"
    assert listener_text({}) == "no listener"
    assert discovery_text({"serviceDiscovery": {"dns": {"hostname": "a.b"}}}) == "dns a.b"
    cloud_map = {"awsCloudMap": {"serviceName": "a", "namespaceName": "b"}}
    assert discovery_text({"serviceDiscovery": cloud_map}) == "cloud map a.b"
    assert discovery_text({}) == "not discovered"
