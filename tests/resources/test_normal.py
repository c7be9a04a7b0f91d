"""When two App Mesh specs are the same, and what is told where they are not."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.normal import differences, pruned, same_spec
from resources.parsing import parse_virtual_node, parse_virtual_service
from resources.translate.virtual_node import virtual_node_spec
from resources.translate.virtual_service import route_spec
from tests.resources import strategies


def route(**policy: Any) -> dict[str, Any]:
    """A route's spec with a retry policy."""
    return {"httpRoute": {"match": {"prefix": "/"}, "retryPolicy": {"maxRetries": 1} | policy}}


def targets(*pairs: tuple[str, int]) -> dict[str, Any]:
    """A route's spec with targets."""
    return {"tcpRoute": {"action": {"weightedTargets": [{"virtualNode": node, "weight": w} for node, w in pairs]}}}


def health_check(**fields: Any) -> dict[str, Any]:
    """A node's spec with a health check."""
    return {"listeners": [{"portMapping": {"port": 80, "protocol": "http"}, "healthCheck": {"path": "/"} | fields}]}


def backends(*names: str) -> dict[str, Any]:
    """A node's spec with backends."""
    return {"backends": [{"virtualService": {"virtualServiceName": name}} for name in names]}


def client_tls(**fields: Any) -> dict[str, Any]:
    """A node's spec that demands TLS."""
    return {
        "backendDefaults": {
            "clientPolicy": {"tls": {"validation": {"trust": {"file": {"certificateChain": "/ca"}}}} | fields}
        }
    }


@pytest.mark.parametrize(
    ("desired", "described"),
    [
        pytest.param({}, {"backends": [], "logging": {}}, id="empties are not there"),
        pytest.param({"backendDefaults": {"clientPolicy": {}}}, {}, id="nor what holds only empties"),
        pytest.param({}, {"egressFilter": {"type": "DROP_ALL"}}, id="no egress filter drops all"),
        pytest.param(client_tls(enforce=True), client_tls(), id="tls is enforced unless said otherwise"),
        pytest.param(client_tls(ports=[1, 2]), client_tls(ports=[2, 1]), id="ports have no order"),
        pytest.param(targets(("a", 1), ("b", 2)), targets(("b", 2), ("a", 1)), id="targets have no order"),
        pytest.param(targets(("a", 1), ("a", 2)), targets(("a", 2), ("a", 1)), id="nor has one that comes twice"),
        pytest.param(backends("a", "b"), backends("b", "a"), id="backends have no order"),
        pytest.param(health_check(), health_check(port=80), id="the server fills in the health check's port"),
        pytest.param(
            route(perRetryTimeout={"unit": "ms", "value": 2000}),
            route(perRetryTimeout={"unit": "s", "value": 2}),
            id="two seconds are 2000 ms",
        ),
        pytest.param(
            route(httpRetryEvents=["server-error", "client-error"]),
            route(httpRetryEvents=["client-error", "server-error"]),
            id="retry events have no order",
        ),
    ],
)
def test_specs_of_one_meaning_are_the_same(desired, described):
    """What would change nothing is no difference, or the same update would be sent for ever."""
    assert differences(desired, described) == ()
    assert same_spec(desired, described)


@pytest.mark.parametrize(
    ("desired", "described", "told"),
    [
        pytest.param(
            {"egressFilter": {"type": "ALLOW_ALL"}}, {}, ('egressFilter: none -> {"type": "ALLOW_ALL"}',), id="egress"
        ),
        pytest.param(
            {}, {"egressFilter": {"type": "ALLOW_ALL"}}, ('egressFilter: {"type": "ALLOW_ALL"} -> none',), id="none"
        ),
        pytest.param(
            targets(("a", 90), ("b", 10)),
            targets(("b", 50), ("a", 50)),
            (
                "tcpRoute.action.weightedTargets[a].weight: 50 -> 90",
                "tcpRoute.action.weightedTargets[b].weight: 50 -> 10",
            ),
            id="weights",
        ),
        pytest.param(
            targets(("a", 0)), targets(("a", 1)), ("tcpRoute.action.weightedTargets[a].weight: 1 -> 0",), id="zero"
        ),
        pytest.param(
            health_check(port=81), health_check(port=80), ("listeners[0].healthCheck.port: 80 -> 81",), id="own port"
        ),
        pytest.param(
            backends("a"),
            backends("a", "b"),
            ('backends[b]: {"virtualService": {"virtualServiceName": "b"}} -> none',),
            id="backend gone",
        ),
        pytest.param(
            route(perRetryTimeout={"unit": "ms", "value": 2}),
            route(perRetryTimeout={"unit": "s", "value": 2}),
            ("httpRoute.retryPolicy.perRetryTimeout.value: 2000 -> 2",),
            id="duration",
        ),
        pytest.param({"priority": 0}, {}, ("priority: none -> 0",), id="priority zero is a priority"),
        pytest.param(
            client_tls(enforce=False),
            client_tls(),
            ("backendDefaults.clientPolicy.tls.enforce: none -> false",),
            id="tls not enforced",
        ),
    ],
)  # fmt: skip
def test_a_difference_is_told_as_from_and_to(desired, described, told):
    """An Event names the place, what App Mesh has, and what the spec wants."""
    assert differences(desired, described) == told


def test_the_order_of_listeners_and_headers_counts():
    """Where order can matter to App Mesh it is kept."""
    first, second = {"portMapping": {"port": 1}}, {"portMapping": {"port": 2}}
    assert not same_spec({"listeners": [first, second]}, {"listeners": [second, first]})


def test_pruning_keeps_falsy_values_that_mean_something():
    """Zero, false and the empty text are values; only None and empty containers are nothing."""
    value = {"weight": 0, "enforce": False, "path": "", "ports": [], "tls": {"file": None}, "list": [{}]}
    assert pruned(value) == {"weight": 0, "enforce": False, "path": "", "list": [{}]}


def shuffled(data: st.DataObject, value: Any) -> Any:
    """The spec with its unordered lists in another order."""
    if isinstance(value, dict):
        unordered = ("weightedTargets", "backends", "attributes")
        return {
            key: data.draw(st.permutations(shuffled(data, member))) if key in unordered else shuffled(data, member)
            for key, member in value.items()
        }
    return [shuffled(data, item) for item in value] if isinstance(value, list) else value


@given(data=st.data(), manifest=strategies.virtual_nodes())
def test_what_app_mesh_echoes_is_the_same_spec(data, manifest):
    """A node as App Mesh stores it, in whatever order, asks for no update: the second pass is always empty."""
    desired = virtual_node_spec(parse_virtual_node(manifest))
    assert same_spec(desired, shuffled(data, copy.deepcopy(desired)))


@given(data=st.data(), manifest=strategies.virtual_services())
def test_a_route_echoed_in_another_order_is_the_same(data, manifest):
    """The same for routes."""
    for one in parse_virtual_service(manifest).spec.routes:
        desired = route_spec(one, "prod", ())
        assert same_spec(desired, shuffled(data, copy.deepcopy(desired)))


@given(one=strategies.virtual_nodes(), other=strategies.virtual_nodes())
def test_sameness_does_not_depend_on_the_side(one, other):
    """Apart from the health check's port, which our requests always carry, nothing is ignored on one side only."""
    first, second = (virtual_node_spec(parse_virtual_node(manifest)) for manifest in (one, other))
    assert same_spec(first, second) == same_spec(second, first)
