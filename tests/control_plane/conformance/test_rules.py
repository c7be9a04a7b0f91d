"""Rules that the service model cannot say, through boto3: what is refused, at which member, and what is not."""

import copy
from typing import Any

import pytest

from tests.control_plane import specs
from tests.control_plane.specs import listener

ACTION = specs.targets(node=100)
SERVICE_TARGET = {"target": {"virtualService": {"virtualServiceName": "service.local"}}}
RETRY = {"maxRetries": 1, "perRetryTimeout": {"unit": "ms", "value": 100}}


@pytest.fixture
def full(mesh):
    """A mesh with a node, a router without listeners (it takes any route), a service and a gateway."""
    mesh.node()
    mesh.create("virtualRouter", "router", {})
    mesh.service()
    mesh.gateway()
    return mesh


def http(match: Any = None, **more: Any) -> dict[str, Any]:
    """An HTTP route with that match."""
    return {"httpRoute": {"match": {"prefix": "/"} if match is None else match, "action": ACTION, **more}}


def via_gateway(match: Any = None, rewrite: Any = None, route_type: str = "httpRoute") -> dict[str, Any]:
    """A gateway route with that match and rewrite."""
    action = SERVICE_TARGET if rewrite is None else {**SERVICE_TARGET, "rewrite": rewrite}
    return {route_type: {"match": {"prefix": "/"} if match is None else match, "action": action}}


def weighted(*weights: int) -> dict[str, Any]:
    """An HTTP route to the node, several times."""
    action = {"weightedTargets": [{"virtualNode": "node", "weight": weight} for weight in weights]}
    return {"httpRoute": {"match": {"prefix": "/"}, "action": action}}


ROUTES_REFUSED = [
    pytest.param(
        {}, "spec: must have exactly one of httpRoute, http2Route, grpcRoute, tcpRoute; has none", id="no type"
    ),
    pytest.param(
        http() | {"tcpRoute": {"action": ACTION}},
        "spec: must have exactly one of httpRoute, http2Route, grpcRoute, tcpRoute; has httpRoute, tcpRoute",
        id="two types",
    ),
    pytest.param(http({}), "spec.httpRoute.match: must have one of prefix and path", id="neither prefix nor path"),
    pytest.param(
        http({"prefix": "/", "path": {"exact": "/"}}),
        "spec.httpRoute.match: must have one of prefix and path, not both",
        id="prefix and path",
    ),
    pytest.param(http({"prefix": "a"}), "spec.httpRoute.match.prefix: must begin with /", id="prefix without slash"),
    pytest.param(
        {"http2Route": {"match": {"prefix": "a"}, "action": ACTION}},
        "spec.http2Route.match.prefix: must begin with /",
        id="http2 prefix without slash",
    ),
    pytest.param(
        http({"path": {"exact": "/a", "regex": "a"}}),
        "spec.httpRoute.match.path: must have exactly one of exact and regex",
        id="exact and regex",
    ),
    pytest.param(
        http({"path": {"exact": "a"}}), "spec.httpRoute.match.path.exact: must begin with /", id="exact without slash"
    ),
    pytest.param(
        {"grpcRoute": {"match": {"methodName": "Add"}, "action": ACTION}},
        "spec.grpcRoute.match.serviceName: is required when there is a methodName",
        id="grpc method without service",
    ),
    pytest.param(
        http(retryPolicy=RETRY),
        "spec.httpRoute.retryPolicy: must have at least one event in httpRetryEvents, tcpRetryEvents, grpcRetryEvents",
        id="retry on nothing",
    ),
    pytest.param(
        http(retryPolicy={**RETRY, "httpRetryEvents": ["server-error", "sometimes"]}),
        "spec.httpRoute.retryPolicy.httpRetryEvents[1]: must be one of server-error, gateway-error, client-error, "
        "stream-error; is 'sometimes'",
        id="unknown retry event",
    ),
    pytest.param(
        weighted(60, 41),
        "spec.httpRoute.action.weightedTargets: must have a total weight of at most 100, has 101",
        id="weights above 100",
    ),
    pytest.param(
        weighted(0, 0),
        "spec.httpRoute.action.weightedTargets: must have a weight above 0 for at least one of several targets",
        id="all weights zero",
    ),
    pytest.param(
        {"httpRoute": {"match": {"prefix": "/"}, "action": specs.targets(node=101)}, "priority": 1001},
        "spec.httpRoute.action.weightedTargets[0].weight: must be at most 100, is 101; "
        "spec.priority: must be at most 1000, is 1001",
        id="bounds of the model",
    ),
]


@pytest.mark.parametrize(("spec", "says"), ROUTES_REFUSED)
def test_a_route_that_makes_no_sense_is_refused(full, spec, says):
    """On create and on update, with the path of the member."""
    with pytest.raises(full.client.exceptions.BadRequestException) as refused:
        full.create("route", "route", spec, router="router")
    assert refused.value.response["Error"]["Message"].partition(" detected: ")[2] == says
    before = full.route()
    with pytest.raises(full.client.exceptions.BadRequestException) as refused:
        full.update("route", "route", spec, router="router")
    assert says in refused.value.response["Error"]["Message"]
    assert full.describe("route", "route", router="router") == before


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(http({"prefix": "/"}), id="prefix"),
        pytest.param(http({"path": {"exact": "/a"}}), id="exact path"),
        pytest.param(http({"path": {"regex": "a.*"}}), id="regular expression"),
        pytest.param({"grpcRoute": {"match": {}, "action": ACTION}}, id="any grpc"),
        pytest.param({"grpcRoute": {"match": {"serviceName": "s", "methodName": "m"}, "action": ACTION}}, id="method"),
        pytest.param({"tcpRoute": {"action": ACTION}}, id="tcp"),
        pytest.param(weighted(0), id="weight 0 of a single target"),
        pytest.param(weighted(0, 100), id="weight 0 of one of two targets"),
        pytest.param(weighted(1, 1), id="weights are relative"),
        pytest.param(http(retryPolicy={**RETRY, "tcpRetryEvents": ["connection-error"]}), id="retry"),
        pytest.param(http() | {"priority": 0}, id="priority 0"),
    ],
)
def test_a_route_that_makes_sense_is_echoed(full, spec):
    """What is accepted comes back as it was sent."""
    assert full.create("route", "route", spec, router="router")["spec"] == spec


GATEWAY_ROUTES_REFUSED = [
    pytest.param({}, "spec: must have exactly one of httpRoute, http2Route, grpcRoute", id="no type"),
    pytest.param(via_gateway({}), "spec.httpRoute.match: must have a prefix, a path or a hostname", id="no match"),
    pytest.param(
        via_gateway({"prefix": "/", "path": {"exact": "/"}}), "must have one of prefix and path", id="prefix and path"
    ),
    pytest.param(
        via_gateway({"hostname": {"exact": "a", "suffix": "b"}}),
        "spec.httpRoute.match.hostname: must have exactly one of exact and suffix",
        id="exact and suffix",
    ),
    pytest.param(
        via_gateway({"prefix": "/a/"}, {"prefix": {"value": "/b/"}, "path": {"exact": "/c"}}),
        "spec.httpRoute.action.rewrite: must have one of prefix and path, not both; "
        "spec.httpRoute.action.rewrite.path: needs a path in the match",
        id="two rewrites",
    ),
    pytest.param(
        via_gateway({"path": {"exact": "/a"}}, {"prefix": {"value": "/b/"}}),
        "spec.httpRoute.action.rewrite.prefix: needs a prefix in the match",
        id="prefix rewrite of a path",
    ),
    pytest.param(
        via_gateway({"prefix": "/a/"}, {"prefix": {"value": "/b/", "defaultPrefix": "ENABLED"}}),
        "spec.httpRoute.action.rewrite.prefix: must have exactly one of defaultPrefix and value",
        id="default prefix and value",
    ),
    pytest.param(
        via_gateway({"prefix": "/a/"}, {"prefix": {"value": "b"}}),
        "spec.httpRoute.action.rewrite.prefix.value: must begin and end with /",
        id="rewritten prefix without slashes",
    ),
    pytest.param(
        via_gateway({"prefix": "/a"}, {"prefix": {"value": "/b/"}}),
        "spec.httpRoute.action.rewrite.prefix.value: needs a match whose prefix ends with /",
        id="matched prefix without slash",
    ),
    pytest.param(
        via_gateway({"path": {"exact": "/a"}}, {"path": {"exact": "b"}}),
        "spec.httpRoute.action.rewrite.path.exact: must begin with /",
        id="rewritten path without slash",
    ),
    pytest.param(
        via_gateway({"prefix": "/", "port": 9999}),
        "spec.httpRoute.match.port: must be a port of the Virtual Gateway (8080); is 9999",
        id="port that the gateway lacks",
    ),
]


@pytest.mark.parametrize(("spec", "says"), GATEWAY_ROUTES_REFUSED)
def test_a_gateway_route_that_makes_no_sense_is_refused(full, spec, says):
    """With the path of the member."""
    with pytest.raises(full.client.exceptions.BadRequestException) as refused:
        full.create("gatewayRoute", "route", spec, gateway="gateway")
    assert says in refused.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(via_gateway({"hostname": {"suffix": ".example.com"}}), id="host name alone"),
        pytest.param(via_gateway({"prefix": "/a/", "port": 8080}, {"prefix": {"value": "/b/"}}), id="prefix rewrite"),
        pytest.param(via_gateway({"prefix": "/a"}, {"prefix": {"defaultPrefix": "DISABLED"}}), id="no rewrite"),
        pytest.param(via_gateway({"path": {"regex": "/a.*"}}, {"path": {"exact": "/b"}}), id="path rewrite"),
        pytest.param(via_gateway(rewrite={"hostname": {"defaultTargetHostname": "DISABLED"}}), id="keep host"),
        pytest.param(via_gateway({}, route_type="grpcRoute"), id="any grpc"),
    ],
)
def test_a_gateway_route_that_makes_sense_is_echoed(full, spec):
    """What is accepted comes back as it was sent."""
    assert full.create("gatewayRoute", "route", spec, gateway="gateway")["spec"] == spec


LISTENING_REFUSED = [
    pytest.param(
        {"listeners": [listener()]}, "spec.serviceDiscovery: is required when there are listeners", id="not to be found"
    ),
    pytest.param(
        specs.node(listener(80), listener(80, "tcp")),
        "spec.listeners[1].portMapping.port: another listener has port 80 already",
        id="one port twice",
    ),
    pytest.param(
        specs.node(listener(80, healthCheck=specs.health_check(port=81))),
        "spec.listeners[0].healthCheck.port: must be the listener's port 80; is 81",
        id="health check elsewhere",
    ),
    pytest.param(
        specs.node(listener(80, "grpc", connectionPool={"http": {"maxConnections": 1}})),
        "spec.listeners[0].connectionPool.http: must be grpc, as the listener's protocol",
        id="pool of another protocol",
    ),
    pytest.param(
        specs.node(backends=[specs.backend("a"), specs.backend("b"), specs.backend("a")]),
        "spec.backends[2].virtualService.virtualServiceName: another backend is 'a' already",
        id="backend twice",
    ),
]


@pytest.mark.parametrize(("spec", "says"), LISTENING_REFUSED)
def test_a_node_that_makes_no_sense_is_refused(mesh, spec, says):
    """With the path of the member."""
    with pytest.raises(mesh.client.exceptions.BadRequestException) as refused:
        mesh.create("virtualNode", "node", spec)
    assert refused.value.response["Error"]["Message"] == f"1 validation error detected: {says}"


def test_gateways_and_routers_listen_by_the_same_rules(mesh):
    """Ports differ, health checks and pools suit, and a gateway listens at all."""
    for spec, says in (
        ({"listeners": []}, "spec.listeners: must have at least 1 items, has 0"),
        (specs.gateway(listener(80), listener(80)), "another listener has port 80"),
        (specs.gateway(listener(80, healthCheck=specs.health_check(port=1))), "must be the listener's port"),
        (specs.gateway(listener(80, connectionPool={"grpc": {"maxRequests": 1}})), "must be http"),
    ):
        with pytest.raises(mesh.client.exceptions.BadRequestException, match=says.replace("[", r"\[")):
            mesh.create("virtualGateway", "gateway", spec)
    with pytest.raises(mesh.client.exceptions.BadRequestException, match="another listener has port 80"):
        mesh.create("virtualRouter", "router", specs.router(listener(80), listener(80)))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("a b!@", id="spaces and signs"),
        pytest.param("a.b", id="dot"),
        pytest.param("a/b", id="slash"),
        pytest.param("ä", id="umlaut"),
        pytest.param("x" * 256, id="256 characters"),
    ],
)
def test_a_resource_name_has_plain_characters(mesh, name):
    """Letters, digits, hyphens and underscores, up to 255, for all but virtual services."""
    creates = [
        lambda: mesh.client.create_mesh(meshName=name),
        lambda: mesh.node(name),
        lambda: mesh.router(name),
        lambda: mesh.gateway(name),
    ]
    for create in creates:
        with pytest.raises(mesh.client.exceptions.BadRequestException, match="Name: must"):
            create()
    assert mesh.node("aZ09-_" + "x" * 249)


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 1025])
def test_even_a_virtual_service_has_some_sort_of_name(mesh, name):
    """Free text, but on one line and of a length that can be indexed."""
    with pytest.raises(mesh.client.exceptions.BadRequestException, match="virtualServiceName: must"):
        mesh.service(name)


class TestRouterWithSeveralListeners:
    """Which route is for which listener must be said."""

    @pytest.fixture
    def two(self, mesh):
        """A mesh with a node and a router that listens for http on 80 and for grpc on 81."""
        mesh.node()
        mesh.router("router", listener(80), listener(81, "grpc"))
        return mesh

    def test_a_route_must_name_the_port(self, two):
        """App Mesh's words."""
        says = "Route must define a port match criteria if the Virtual Router has multiple listeners"
        with pytest.raises(two.client.exceptions.BadRequestException, match=says):
            two.route()
        two.route(match={"prefix": "/", "port": 80})

    def test_the_port_must_be_one_of_the_routers(self, two):
        """A port nobody listens on would match nothing."""
        with pytest.raises(
            two.client.exceptions.BadRequestException, match=r"must be a port of the Virtual Router \(80, 81\)"
        ):
            two.route(match={"prefix": "/", "port": 82})

    def test_the_type_must_be_of_that_listeners_protocol(self, two):
        """An http route cannot be for the grpc listener."""
        with pytest.raises(
            two.client.exceptions.BadRequestException, match="must be the route of a listener with protocol grpc"
        ):
            two.route(match={"prefix": "/", "port": 81})
        two.route(protocol="grpc", match={"serviceName": "s", "port": 81})

    def test_a_listener_cannot_be_added_while_a_route_lacks_a_port(self, mesh):
        """Five of the routes to mend are named."""
        mesh.node()
        mesh.router("router", listener(80))
        for number in range(6):
            mesh.route(f"route-{number}")
        both = specs.router(listener(80), listener(81))
        with pytest.raises(mesh.client.exceptions.BadRequestException) as refused:
            mesh.update("virtualRouter", "router", both)
        assert refused.value.response["Error"]["Message"].endswith(
            "All Routes for this Virtual Router must define a port match before adding multiple listeners. "
            "Listing up to 5 route names: [route-0, route-1, route-2, route-3, route-4]"
        )
        for number in range(6):
            mesh.update("route", f"route-{number}", specs.route(match={"prefix": "/", "port": 80}), router="router")
        assert mesh.update("virtualRouter", "router", both)["spec"] == both

    def test_a_listener_cannot_be_taken_away_from_its_routes(self, two):
        """Routes of a listener go first, or move."""
        two.route(match={"prefix": "/", "port": 80})
        with pytest.raises(two.client.exceptions.BadRequestException, match=r"port and protocol .* \[route\]"):
            two.update("virtualRouter", "router", specs.router(listener(81, "grpc")))
        two.delete("route", "route", router="router")
        two.update("virtualRouter", "router", specs.router(listener(81, "grpc")))


def test_a_routers_protocol_cannot_change_under_its_routes(mesh):
    """An http route on a tcp router is refused from either side."""
    mesh.node(), mesh.router()
    with pytest.raises(mesh.client.exceptions.BadRequestException, match="protocol http"):
        mesh.route(protocol="tcp")
    mesh.route()
    with pytest.raises(mesh.client.exceptions.BadRequestException, match=r"\[route\]"):
        mesh.update("virtualRouter", "router", specs.router(listener(8080, "tcp")))


def test_a_target_with_several_listeners_needs_a_port(mesh):
    """Of routes and gateway routes alike: the port of a listener of the node, or of the service's provider."""
    mesh.node("node", listener(80), listener(81))
    mesh.router("two", listener(80), listener(81))
    mesh.router(), mesh.gateway()
    mesh.service("of-node.local", node="node"), mesh.service("of-router.local", router="two")

    def route(port: int | None) -> None:
        spec = copy.deepcopy(specs.route())
        if port is not None:
            spec["httpRoute"]["action"]["weightedTargets"][0]["port"] = port
        mesh.create("route", f"route-{port}", spec, router="router")

    refused = mesh.client.exceptions.BadRequestException
    for call in (
        route,
        lambda port: mesh.gateway_route(f"node-{port}", service="of-node.local", port=port),
        lambda port: mesh.gateway_route(f"router-{port}", service="of-router.local", port=port),
    ):
        with pytest.raises(refused, match="is required: the target has listeners on ports 80, 81"):
            call(None)
        with pytest.raises(refused, match=r"must be a port that the target listens on \(80, 81\); is 82"):
            call(82)
        call(81)
