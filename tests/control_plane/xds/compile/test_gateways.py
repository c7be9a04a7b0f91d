"""Virtual gateways: from the gateway route, through the gateway itself, to the service's own routes."""

import pytest

from control_plane.xds.compile import Options
from control_plane.xds.snapshot import Kind
from tests.control_plane import specs
from tests.control_plane.xds.compile.invariants import check
from tests.control_plane.xds.compile.meshes import mesh, problems, snapshot_of, told


def gate(*routes, listeners=(), gateway=None, **members):
    """A gateway `gate` with these routes to `web.local`, a node."""
    spec = gateway or specs.gateway(*listeners)
    return mesh(
        **{
            "nodes": {"web": specs.node(specs.listener(8080))},
            "services": {"web.local": specs.service(node="web")},
            "gateways": {"gate": spec},
            "gateway_routes": {f"gate/r{number}": route for number, route in enumerate(routes)},
            **members,
        }
    )


def snapshot(state, options=Options()):  # noqa: B008
    """What the gateway's proxy is to have."""
    found = snapshot_of(state, "gate", options, "virtualGateway")
    check(found)
    return found


def routes(state, port=8080, options=Options()):  # noqa: B008
    """The routes of the gateway's port."""
    [host] = told(snapshot(state, options), Kind.ROUTE, f"rds_ingress_http_{port}")["virtual_hosts"]
    assert host["domains"] == ["*"]
    return host.get("routes", [])


def http(match=None, rewrite=None, *, protocol="http", **more):
    """A gateway route to `web.local`."""
    route = specs.gateway_route("web.local", protocol=protocol, match=match)
    if rewrite is not None:
        route[f"{protocol}Route"]["action"]["rewrite"] = rewrite
    return {**route, **more}


def test_a_gateway_has_app_meshs_names():
    """Its own port, and a local egress with everything that it calls."""
    found = snapshot(gate(http()))
    assert {kind.rsplit(".", 1)[1]: sorted(found.named(kind)) for kind in Kind} == {
        "Listener": ["lds_egress_0.0.0.0_15001", "lds_ingress_0.0.0.0_8080"],
        "RouteConfiguration": ["rds_egress_http_15001", "rds_ingress_http_8080"],
        "Cluster": ["cds_egress_shop_web_http_8080", "cds_ingress_shop_gate_self_redirect_http_15001"],
        "ClusterLoadAssignment": [],
    }
    assert not found.problems
    egress = told(found, Kind.LISTENER, "lds_egress_0.0.0.0_15001")
    assert egress["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 15001}
    [host] = told(found, Kind.ROUTE, "rds_egress_http_15001")["virtual_hosts"]
    assert host["domains"] == ["web.local", "web.local:8080"]
    assert host["routes"][0]["route"]["cluster"] == "cds_egress_shop_web_http_8080"


def test_a_route_goes_to_the_gateways_own_egress_as_the_service():
    """The service's routes decide how long it may take."""
    [route] = routes(gate(http()))
    assert route["route"] == {
        "cluster": "cds_ingress_shop_gate_self_redirect_http_15001",
        "host_rewrite_literal": "web.local",
        "timeout": "0s",
    }


@pytest.mark.parametrize(
    ("match", "rewrite", "told_as"),
    [
        pytest.param({"prefix": "/"}, None, None, id="everything"),
        pytest.param({"prefix": "/web/"}, None, "/", id="a prefix, by default"),
        pytest.param({"prefix": "/web/"}, {"prefix": {"defaultPrefix": "ENABLED"}}, "/", id="a prefix, as said"),
        pytest.param({"prefix": "/web/"}, {"prefix": {"defaultPrefix": "DISABLED"}}, None, id="a prefix, kept"),
        pytest.param({"prefix": "/web/"}, {"prefix": {"value": "/v2/"}}, "/v2/", id="another prefix"),
        pytest.param({"path": {"exact": "/a"}}, None, None, id="a path"),
        pytest.param({"path": {"exact": "/a"}}, {"path": {"exact": "/b"}}, "/b", id="another path"),
        pytest.param({"path": {"regex": "/a.*"}}, {"path": {"exact": "/b"}}, "/b", id="one path for many"),
        pytest.param({"hostname": {"exact": "shop.example"}}, None, None, id="only a host"),
    ],
)
def test_paths_are_rewritten(match, rewrite, told_as):
    """A prefix to `/`, unless something else is said."""
    [route] = routes(gate(http(match, rewrite)))
    assert route["route"].get("prefix_rewrite") == told_as


def test_a_path_that_cannot_be_sent_is_a_problem():
    """Envoy would refuse all routes of the port."""
    state = gate(http({"prefix": "/web/"}, {"prefix": {"value": "/v2\n/"}}))
    assert [route for route in routes(state) if "route" in route] == []
    assert [field for _, field in problems(snapshot(state))] == ["spec.httpRoute.action.rewrite"]


def test_a_call_may_keep_its_host():
    """It goes through the gateway under a name of its own, and gets its host back on the way out."""
    found = gate(http(rewrite={"hostname": {"defaultTargetHostname": "DISABLED"}}), http({"prefix": "/plain/"}))
    kept, plain = sorted(routes(found), key=lambda route: "request_headers_to_add" not in route)
    assert kept["route"]["host_rewrite_literal"] == "web.local~8080"
    assert kept["request_headers_to_add"] == [
        {
            "header": {"key": "x-meshwright-host", "value": "%REQ(:AUTHORITY)%"},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }
    ]
    assert plain["route"]["host_rewrite_literal"] == "web.local"
    hosts = told(snapshot(found), Kind.ROUTE, "rds_egress_http_15001")["virtual_hosts"]
    by_domain = {host["domains"][0]: host for host in hosts}
    assert by_domain["web.local~8080"]["routes"][0]["route"]["host_rewrite_header"] == "x-meshwright-host"
    assert "host_rewrite_header" not in by_domain["web.local"]["routes"][0]["route"]


@pytest.mark.parametrize("kind", ["exact", "suffix"])
@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_hosts_are_matched(kind, protocol):
    """In any case, whole or by their end; the port is taken off first."""
    match = {"hostname": {kind: "shop.example"}}
    found = gate(http(match, protocol=protocol), listeners=[specs.listener(8080, protocol)])
    [route] = routes(found)
    assert route["match"]["headers"] == [
        {"name": ":authority", "string_match": {kind: "shop.example", "ignore_case": True}}
    ]
    [chain] = told(snapshot(found), Kind.LISTENER, "lds_ingress_0.0.0.0_8080")["filter_chains"]
    assert chain["filters"][0]["typed_config"]["strip_any_host_port"] is True


@pytest.mark.parametrize("protocol", ["http", "grpc"])
@pytest.mark.parametrize(
    "matches",
    [
        pytest.param([{"exact": "a.shop.example"}, {"suffix": ".example"}], id="a whole name before an end"),
        pytest.param([{"suffix": ".shop.example"}, {"suffix": ".example"}], id="a long end before a short one"),
        pytest.param([{"suffix": "e"}, None], id="any end before none"),
        pytest.param([{"exact": "b"}, {"suffix": ".shop.example"}], id="a whole name, however short"),
    ],
)
def test_the_more_specific_host_is_tried_first(matches, protocol):
    """Whatever the names of the routes: the other would take all that it matches."""
    path = {"prefix": "/"} if protocol == "http" else {}
    routes_in_order = [http({**path, **({"hostname": each} if each else {})}, protocol=protocol) for each in matches]
    state = gate(*reversed(routes_in_order), listeners=[specs.listener(8080, protocol)])
    assert [route["name"] for route in routes(state)] == ["r1", "r0"]


def test_a_host_counts_before_the_path_and_after_the_priority():
    """As it would if it were a domain; a route without a prefix matches every path, as one with the prefix `/` does."""
    own, any_of_shop = {"hostname": {"exact": "a.shop.example"}}, {"hostname": {"suffix": ".shop.example"}}
    state = gate(
        http({"prefix": "/cart/"}),
        http({"path": {"exact": "/cart"}, **any_of_shop}),
        http({"prefix": "/", "method": "GET", **any_of_shop}),
        http({"prefix": "/", **own}),
        http({"method": "GET", **own}),
        http({"prefix": "/cart/", **own}),
        http({"prefix": "/"}, priority=9),
    )
    assert [route["name"] for route in routes(state)] == ["r6", "r5", "r4", "r3", "r1", "r2", "r0"]


def test_each_port_has_its_routes():
    """Those that name it, and those that name none."""
    state = gate(
        http({"prefix": "/a/", "port": 8080}),
        http({"prefix": "/b/"}),
        listeners=[specs.listener(8080), specs.listener(9090, "http2")],
    )
    assert [route["match"]["prefix"] for route in routes(state, 8080)] == ["/a/", "/b/"]
    assert [route["match"]["prefix"] for route in routes(state, 9090)] == ["/b/"]


def test_a_route_for_a_port_that_the_gateway_lost_is_a_problem():
    """An update of the gateway may take the port from under it; nobody would know why it answers no more."""
    state = gate(http({"prefix": "/a/", "port": 9090}), http({"prefix": "/b/"}), listeners=[specs.listener(8080)])
    assert [route["match"]["prefix"] for route in routes(state)] == ["/b/"]
    assert problems(snapshot(state)) == [("r0", "spec.httpRoute.match.port")]


def test_a_service_with_several_ports_is_called_at_the_one_that_is_meant():
    """By the target's port; without it, the first."""
    state = gate(
        http({"prefix": "/a/"}),
        specs.gateway_route("web.local", match={"prefix": "/b/"}, port=9090),
        nodes={"web": specs.node(specs.listener(8080), specs.listener(9090))},
    )
    assert [route["route"]["host_rewrite_literal"] for route in routes(state)] == ["web.local", "web.local:9090"]


def test_routes_of_each_protocol_go_through_in_their_own():
    """GRPC needs HTTP/2 all the way; pools are the listeners'."""
    state = gate(
        http(protocol="grpc"),
        listeners=[specs.listener(8080, "grpc", connectionPool={"grpc": {"maxRequests": 9}})],
    )
    cluster = told(snapshot(state), Kind.CLUSTER, "cds_ingress_shop_gate_self_redirect_grpc_15001")
    assert "typed_extension_protocol_options" in cluster
    assert cluster["circuit_breakers"]["thresholds"][0]["max_requests"] == 9


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"services": {}}, ("r0", "spec.httpRoute.action.target.virtualService.virtualServiceName")),
        (
            {"nodes": {"web": specs.node(specs.listener(8080, "tcp"))}},
            ("r0", "spec.httpRoute.action.target.virtualService.virtualServiceName"),
        ),
    ],
    ids=["no service", "TCP"],
)
def test_a_route_that_leads_nowhere_answers_503(members, field):
    """And is a problem."""
    state = gate(http(), **members)
    assert [route["direct_response"] for route in routes(state)] == [{"status": 503}]
    assert field in problems(snapshot(state))


def test_a_gateway_has_the_mesh_around_it_in_view():
    """A change of anything on the way is a change for it."""
    read = {(key.kind, key.name) for key in snapshot(gate(http())).reads}
    assert read >= {("virtualGateway", "gate"), ("virtualService", "web.local"), ("virtualNode", "web")}


def test_without_capture_a_gateway_listens_where_it_is_told():
    """Ports are the machine's."""
    found = snapshot(gate(http()), Options(capture=False, egress_port=15201, ingress_ports={8080: 18080}))
    assert sorted(found.named(Kind.LISTENER)) == ["lds_egress_127.0.0.1_15201", "lds_ingress_0.0.0.0_18080"]
    assert "cds_ingress_shop_gate_self_redirect_http_15201" in found.named(Kind.CLUSTER)


def test_a_gateway_encrypts_as_its_defaults_say():
    """To all its services."""
    policy = {"tls": {"validation": {"trust": {"file": {"certificateChain": "/tls/ca.pem"}}}}}
    spec = {**specs.gateway(), "backendDefaults": {"clientPolicy": policy}}
    cluster = told(snapshot(gate(http(), gateway=spec)), Kind.CLUSTER, "cds_egress_shop_web_http_8080")
    assert "transport_socket" in cluster
