"""Routes, field by field: what App Mesh's spec says, and what Envoy is told."""

import pytest

from tests.control_plane import specs
from tests.control_plane.xds.compile.meshes import caller, mesh, one_route, one_target, problems, routes, snapshot_of

BLUE = {"weightedTargets": [{"virtualNode": "blue", "weight": 1}]}
DEFAULT_RETRIES = {
    "retry_on": "connect-failure,refused-stream,reset,unavailable,retriable-status-codes",
    "num_retries": 2,
    "retriable_status_codes": [503],
}

NO_BYTE = r"/\x{100}"
"""A character that no byte is. That Envoy refuses it is told by `test_envoy`."""


def http(match=None, *, kind="httpRoute", **more):
    """A mesh with one HTTP route to `blue`."""
    return one_route({kind: {"match": match or {"prefix": "/"}, "action": BLUE, **more}}, protocol=kind[:-5])


@pytest.mark.parametrize(
    ("match", "told"),
    [
        pytest.param({"prefix": "/"}, {"prefix": "/"}, id="everything"),
        pytest.param({"prefix": "/cart"}, {"prefix": "/cart"}, id="prefix"),
        pytest.param({"path": {"exact": "/cart"}}, {"path": "/cart"}, id="path"),
        pytest.param({"path": {"regex": "/c.*t"}}, {"safe_regex": {"regex": "/c.*t"}}, id="regex"),
        pytest.param(
            {"prefix": "/", "method": "POST", "scheme": "https"},
            {
                "prefix": "/",
                "headers": [
                    {"name": ":method", "string_match": {"exact": "POST"}},
                    {"name": ":scheme", "string_match": {"exact": "https"}},
                ],
            },
            id="method and scheme",
        ),
        pytest.param(
            {"prefix": "/", "queryParameters": [{"name": "a", "match": {"exact": "1"}}, {"name": "b"}]},
            {
                "prefix": "/",
                "query_parameters": [
                    {"name": "a", "string_match": {"exact": "1"}},
                    {"name": "b", "present_match": True},
                ],
            },
            id="query",
        ),
    ],
)
def test_http_matches(match, told):
    """Paths, methods, schemes and queries."""
    assert routes(http(match))[0]["match"] == told


@pytest.mark.parametrize(
    ("match", "told"),
    [
        pytest.param({"exact": "x"}, {"string_match": {"exact": "x"}}, id="exact"),
        pytest.param({"prefix": "x"}, {"string_match": {"prefix": "x"}}, id="prefix"),
        pytest.param({"suffix": "x"}, {"string_match": {"suffix": "x"}}, id="suffix"),
        pytest.param({"regex": "x+"}, {"string_match": {"safe_regex": {"regex": "x+"}}}, id="regex"),
        pytest.param({"range": {"start": 1, "end": 9}}, {"range_match": {"start": "1", "end": "9"}}, id="range"),
        pytest.param(None, {"present_match": True}, id="present"),
    ],
)
@pytest.mark.parametrize("invert", [None, False, True])
def test_headers_and_metadata_match_alike(match, told, invert):
    """All kinds of header matches, also turned round; gRPC calls its headers metadata."""
    header = {"name": "x-kind", **({"match": match} if match else {}), **({} if invert is None else {"invert": invert})}
    expected = [{"name": "x-kind", **told, **({"invert_match": True} if invert else {})}]
    assert routes(http({"prefix": "/", "headers": [header]}))[0]["match"]["headers"] == expected
    grpc = one_route({"grpcRoute": {"match": {"metadata": [header]}, "action": BLUE}}, protocol="grpc")
    assert routes(grpc)[0]["match"] == {"prefix": "/", "grpc": {}, "headers": expected}


@pytest.mark.parametrize(
    ("match", "told"),
    [
        ({}, {"prefix": "/"}),
        ({"serviceName": "shop.Cart"}, {"prefix": "/shop.Cart/"}),
        ({"serviceName": "shop.Cart", "methodName": "Add"}, {"path": "/shop.Cart/Add"}),
    ],
)
def test_grpc_calls_are_matched_by_their_path(match, told):
    """Service and method."""
    state = one_route({"grpcRoute": {"match": match, "action": BLUE}}, protocol="grpc")
    assert routes(state)[0]["match"] == {**told, "grpc": {}}


@pytest.mark.parametrize("protocol", ["http", "http2", "grpc"])
def test_weights_are_kept_with_zeros(protocol):
    """Relative weights, whatever their sum."""
    [route] = routes(one_route(specs.route(protocol=protocol, blue=3, green=0), protocol=protocol))
    assert route["route"]["weighted_clusters"]["clusters"] == [
        {"name": f"cds_egress_shop_blue_{protocol}_8080", "weight": 3},
        {"name": f"cds_egress_shop_green_{protocol}_8080", "weight": 0},
    ]


def test_a_target_may_be_one_port_of_several():
    """Then the target says which."""
    several = specs.node(specs.listener(8080), specs.listener(9090, "http2"))
    route = specs.route(blue=1)
    route["httpRoute"]["action"]["weightedTargets"][0]["port"] = 9090
    [told] = routes(one_route(route, blue=several))
    assert told["route"]["weighted_clusters"]["clusters"][0]["name"] == "cds_egress_shop_blue_http2_9090"


@pytest.mark.parametrize(
    ("timeout", "told"),
    [
        (None, {"timeout": "15s"}),
        ({"perRequest": {"value": 40, "unit": "s"}}, {"timeout": "40s"}),
        ({"perRequest": {"value": 0, "unit": "s"}}, {"timeout": "0s"}),
        ({"idle": {"value": 1500, "unit": "ms"}}, {"timeout": "15s", "idle_timeout": "1.500s"}),
        ({"perRequest": {"value": 2**63 - 1, "unit": "s"}}, {"timeout": "315360000s"}),
    ],
)
def test_timeouts(timeout, told):
    """15 seconds a request unless said otherwise; 0 is none; what Envoy cannot count is ten years."""
    [route] = routes(http(**({"timeout": timeout} if timeout else {})))
    assert {name: value for name, value in route["route"].items() if "timeout" in name} == told


def test_a_duration_without_unit_is_a_problem():
    """It could be seconds or milliseconds."""
    state = http(timeout={"perRequest": {"value": 5}})
    assert problems(snapshot_of(state)) == [("route", "spec.httpRoute.timeout.perRequest")]
    assert routes(state)[0]["route"]["timeout"] == "15s"


@pytest.mark.parametrize(
    ("events", "retry_on", "codes"),
    [
        (
            {"httpRetryEvents": ["server-error"]},
            "reset,retriable-status-codes",
            [500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511],
        ),
        ({"httpRetryEvents": ["gateway-error"]}, "reset,retriable-status-codes", [502, 503, 504]),
        ({"httpRetryEvents": ["client-error"]}, "retriable-status-codes", [409]),
        ({"httpRetryEvents": ["stream-error"]}, "refused-stream", []),
        ({"tcpRetryEvents": ["connection-error"]}, "connect-failure", []),
        ({"grpcRetryEvents": ["cancelled", "unavailable"]}, "cancelled,unavailable", []),
        (
            {"httpRetryEvents": ["client-error", "gateway-error"], "tcpRetryEvents": ["connection-error"]},
            "reset,connect-failure,retriable-status-codes",
            [409, 502, 503, 504],
        ),
    ],
)
def test_retry_events(events, retry_on, codes):
    """App Mesh's events in Envoy's words."""
    policy = {"maxRetries": 3, "perRetryTimeout": {"value": 2, "unit": "s"}, **events}
    spec = {"grpcRoute": {"match": {}, "action": BLUE, "retryPolicy": policy}}
    told = routes(one_route(spec, protocol="grpc"))[0]["route"]["retry_policy"]
    assert told["retry_on"] == retry_on
    assert told.get("retriable_status_codes", []) == codes
    assert (told["num_retries"], told["per_try_timeout"]) == (3, "2s")
    assert told["host_selection_retry_max_attempts"] == "5"
    assert [each["name"] for each in told["retry_host_predicate"]] == ["envoy.retry_host_predicates.previous_hosts"]


def test_routes_without_a_policy_have_app_meshs():
    """Also those of a service whose provider is a node."""
    for state in (http(), one_target(specs.node())):
        told = routes(state)[0]["route"]["retry_policy"]
        assert {name: told[name] for name in DEFAULT_RETRIES} == DEFAULT_RETRIES


def test_no_retries_are_none():
    """Not Envoy's default of one."""
    policy = {"maxRetries": 0, "perRetryTimeout": {}, "tcpRetryEvents": ["connection-error"]}
    assert routes(http(retryPolicy=policy))[0]["route"]["retry_policy"]["num_retries"] == 0


def ordered(*specs_of_routes):
    """The names of routes in the order in which they are tried."""
    state = mesh(
        nodes={"front": caller("colors.local"), "blue": specs.node()},
        services={"colors.local": specs.service(router="colors")},
        routers={"colors": specs.router()},
        routes={f"colors/{name}": spec for name, spec in specs_of_routes},
    )
    return [route["name"] for route in routes(state)]


def a_route(match, priority=None):
    """A route to `blue`."""
    spec = specs.route(match=match, blue=1)
    return spec if priority is None else {**spec, "priority": priority}


def test_priority_goes_first():
    """0 is the highest; none is the lowest."""
    everything = {"prefix": "/"}
    assert ordered(
        ("a", a_route(everything)), ("b", a_route(everything, 7)), ("c", a_route({"prefix": "/long"}, 8))
    ) == ["b", "c", "a"]


def test_of_equal_priority_the_more_specific_match_goes_first():
    """Exact paths, expressions, then long prefixes; more conditions before fewer; then by name."""
    header = {"prefix": "/", "headers": [{"name": "x"}]}
    assert ordered(
        ("a", a_route({"prefix": "/"})),
        ("b", a_route({"prefix": "/"})),
        ("c", a_route(header)),
        ("d", a_route({"prefix": "/cart"})),
        ("e", a_route({"path": {"regex": "/c.*"}})),
        ("f", a_route({"path": {"exact": "/cart"}})),
    ) == ["f", "e", "d", "c", "a", "b"]


@pytest.mark.parametrize(
    ("match", "field"),
    [
        ({"path": {"regex": "("}}, "path.regex"),
        ({"path": {"regex": "(?=look)ahead"}}, "path.regex"),
        ({"path": {"regex": NO_BYTE}}, "path.regex"),
        ({"path": {"regex": "a{1000}b"}}, "path.regex"),
        ({"prefix": "/", "headers": [{"name": "x", "match": {"regex": "["}}]}, "headers[0].match.regex"),
        ({"prefix": "/", "headers": [{"name": "no name"}]}, "headers[0].name"),
        ({"prefix": "/", "queryParameters": [{"name": ""}]}, "queryParameters[0].name"),
        ({"prefix": "/", "method": "CONNECT"}, "method"),
    ],
)
def test_a_route_that_envoy_would_refuse_is_left_out_alone(match, field):
    """The others of its port are served."""
    state = mesh(
        nodes={"front": caller("colors.local"), "blue": specs.node()},
        services={"colors.local": specs.service(router="colors")},
        routers={"colors": specs.router()},
        routes={"colors/bad": a_route(match), "colors/good": a_route({"prefix": "/"})},
    )
    assert [route["name"] for route in routes(state)] == ["good"]
    assert problems(snapshot_of(state)) == [("bad", f"spec.httpRoute.match.{field}")]


UNAVAILABLE = {"direct_response": {"status": 503}}


def test_targets_that_are_missing_give_their_share_to_the_others():
    """Half a service is better than half of its answers."""
    state = one_route(specs.route(blue=50, gone=50))
    [route] = routes(state)
    assert [each["name"] for each in route["route"]["weighted_clusters"]["clusters"]] == [
        "cds_egress_shop_blue_http_8080"
    ]
    assert problems(snapshot_of(state)) == [("route", "spec.httpRoute.action.weightedTargets[1].virtualNode")]


@pytest.mark.parametrize(
    ("targets", "fields"),
    [
        ({"gone": 1}, ["weightedTargets", "weightedTargets[0].virtualNode"]),
        ({"blue": 0}, ["weightedTargets"]),
    ],
)
def test_a_route_that_leads_nowhere_answers_503_itself(targets, fields):
    """What it matches must not fall through to a route that is meant for others."""
    state = one_route(specs.route(**targets))
    [route] = routes(state)
    assert route == {"match": {"prefix": "/"}, **UNAVAILABLE}
    assert problems(snapshot_of(state)) == [("route", f"spec.httpRoute.action.{field}") for field in fields]


@pytest.mark.parametrize(
    "target", [{}, specs.node(specs.listener(1), specs.listener(2))], ids=["no listener", "several, no port"]
)
def test_a_target_without_a_clear_port_is_a_problem(target):
    """There is nothing to call."""
    state = one_route(specs.route(blue=1), blue=target)
    assert routes(state)[0]["direct_response"] == UNAVAILABLE["direct_response"]
    assert ("route", "spec.httpRoute.action.weightedTargets[0]") in problems(snapshot_of(state))


def test_each_port_of_a_router_has_its_own_routes():
    """By the port that a route matches."""
    by_port = {f"colors/r{port}": specs.route(match={"prefix": "/", "port": port}, blue=1) for port in (8080, 9090)}
    state = mesh(
        nodes={"front": caller("colors.local"), "blue": specs.node()},
        services={"colors.local": specs.service(router="colors")},
        routers={"colors": specs.router(specs.listener(8080), specs.listener(9090))},
        routes=by_port,
    )
    for port in (8080, 9090):
        assert [route["name"] for route in routes(state, port)] == [f"r{port}"]
