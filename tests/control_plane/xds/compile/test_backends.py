"""What a node may call, and that one bad service never blocks the others."""

import dataclasses

import pytest

from control_plane.xds.compile import Options
from control_plane.xds.snapshot import Kind
from tests.control_plane import specs
from tests.control_plane.xds.compile.invariants import check
from tests.control_plane.xds.compile.meshes import EXPLICIT, caller, mesh, problems, snapshot_of, told


def services(*ports_and_protocols, names=None):
    """`front` calls services `a.local`, `b.local`..., each a node with one listener."""
    names = names or [f"{letter}.local" for letter in "abcdef"[: len(ports_and_protocols)]]
    nodes = {f"n{at}": specs.node(specs.listener(*each)) for at, each in enumerate(ports_and_protocols)}
    return mesh(
        nodes={"front": caller(*names), **nodes},
        services={name: specs.service(node=f"n{at}") for at, name in enumerate(names)},
    )


def domains(snapshot, port=8080):
    """The domains of each virtual host of a port."""
    found = told(snapshot, Kind.ROUTE, f"rds_egress_http_{port}")
    return {host["name"]: host["domains"] for host in found.get("virtual_hosts", [])}


def test_services_on_one_port_share_it():
    """HTTP of every sort is told apart by its host."""
    snapshot = snapshot_of(services((8080, "http"), (8080, "http2"), (8080, "grpc")))
    assert domains(snapshot) == {name: [name, f"{name}:8080"] for name in ("a.local", "b.local", "c.local")}
    assert not snapshot.problems


@pytest.mark.parametrize(("first", "second"), [("http", "tcp"), ("tcp", "http"), ("tcp", "tcp")])
def test_a_port_that_cannot_be_shared_is_the_first_ones(first, second):
    """As the node names them; the other is a problem of its own."""
    snapshot = snapshot_of(services((8080, first), (8080, second), (9090, "http")))
    check(snapshot)
    assert problems(snapshot) == [("front", "spec.backends[1].virtualService.virtualServiceName")]
    assert "cds_egress_shop_n0_" + first + "_8080" in snapshot.named(Kind.CLUSTER)
    assert "cds_egress_shop_n1_" + second + "_8080" not in snapshot.named(Kind.CLUSTER)
    assert domains(snapshot, 9090) == {"c.local": ["c.local", "c.local:9090"]}


def test_names_that_differ_in_case_alone_are_one_to_envoy():
    """It would refuse the whole port."""
    snapshot = snapshot_of(services((8080, "http"), (8080, "http"), names=["a.local", "A.local"]))
    check(snapshot)
    assert list(domains(snapshot)) == ["a.local"]
    assert problems(snapshot) == [("front", "spec.backends[1].virtualService.virtualServiceName")]


@pytest.mark.parametrize("name", ["*", "*.local", "a b", "a:8080", "ä.local"])
def test_a_service_that_cannot_be_a_host_is_left_out(name):
    """To Envoy it would mean something else, or nothing."""
    snapshot = snapshot_of(services((8080, "http"), (8080, "http"), names=[name, "b.local"]))
    assert list(domains(snapshot)) == ["b.local"]
    assert problems(snapshot) == [(name, "virtualServiceName")]


def test_a_service_with_several_ports_is_there_at_each():
    """Captured calls are told by their port; without capture only one can have the plain name."""
    state = mesh(
        nodes={"front": caller("a.local"), "n": specs.node(specs.listener(8080), specs.listener(9090))},
        services={"a.local": specs.service(node="n")},
    )
    captured, explicit = snapshot_of(state), snapshot_of(state, options=EXPLICIT)
    assert domains(captured, 8080) == {"a.local": ["a.local", "a.local:8080"]}
    assert domains(captured, 9090) == {"a.local": ["a.local", "a.local:9090"]}
    assert domains(explicit, 15001) == {"a.local": ["a.local", "a.local:8080"], "a.local:9090": ["a.local:9090"]}


def test_tcp_without_capture_has_a_local_port():
    """Named in the proxy's metadata; otherwise it is a problem."""
    state = services((5432, "tcp"), (8080, "http"))
    snapshot = snapshot_of(state, options=EXPLICIT)
    assert problems(snapshot) == [("front", "spec.backends[0].virtualService.virtualServiceName")]
    given = dataclasses.replace(EXPLICIT, tcp_ports={"a.local:5432": 15432})
    snapshot = snapshot_of(state, options=given)
    [chain] = told(snapshot, Kind.LISTENER, "lds_egress_127.0.0.1_15432")["filter_chains"]
    [proxy] = chain["filters"]
    assert proxy["typed_config"]["cluster"] == "cds_egress_shop_n0_tcp_5432"
    taken = dataclasses.replace(EXPLICIT, tcp_ports={"a.local:5432": EXPLICIT.egress_port})
    assert problems(snapshot_of(state, options=taken)) == problems(snapshot_of(state, options=EXPLICIT))


def tcp_routes(**routes):
    """`front` calls a router with TCP routes."""
    return mesh(
        nodes={"front": caller("db.local"), **{n: specs.node(specs.listener(5432, "tcp")) for n in ("blue", "green")}},
        services={"db.local": specs.service(router="db")},
        routers={"db": specs.router(specs.listener(5432, "tcp"))},
        routes={f"db/{name}": route for name, route in routes.items()},
    )


def tcp_filter(snapshot):
    """What is done with the database's connections."""
    chains = told(snapshot, Kind.LISTENER, "lds_egress_0.0.0.0_15001")["filter_chains"]
    [chain] = [each for each in chains if each["filter_chain_match"].get("destination_port") == 5432]
    return chain["filters"][0]["typed_config"]


def test_tcp_routes_go_by_weight():
    """Nothing goes to a weight of 0; connections may be silent for ever unless said otherwise."""
    proxy = tcp_filter(snapshot_of(tcp_routes(r=specs.route(protocol="tcp", blue=3, green=1))))
    assert proxy["weighted_clusters"]["clusters"] == [
        {"name": "cds_egress_shop_blue_tcp_5432", "weight": 3},
        {"name": "cds_egress_shop_green_tcp_5432", "weight": 1},
    ]
    assert proxy["idle_timeout"] == "0s"
    route = specs.route(protocol="tcp", blue=3, green=0)
    route["tcpRoute"]["timeout"] = {"idle": {"value": 60, "unit": "s"}}
    proxy = tcp_filter(snapshot_of(tcp_routes(r=route)))
    assert (proxy["cluster"], proxy["idle_timeout"]) == ("cds_egress_shop_blue_tcp_5432", "60s")


def test_only_one_tcp_route_can_count():
    """It takes every connection; the others are problems."""
    first = {**specs.route(protocol="tcp", blue=1), "priority": 1}
    snapshot = snapshot_of(tcp_routes(a=specs.route(protocol="tcp", green=1), b=first))
    assert tcp_filter(snapshot)["cluster"] == "cds_egress_shop_blue_tcp_5432"
    assert problems(snapshot) == [("a", "spec")]


@pytest.mark.parametrize("routes", [{}, {"r": specs.route(protocol="tcp", gone=1)}], ids=["no route", "no target"])
def test_tcp_that_leads_nowhere_is_closed(routes):
    """Rather than let through to wherever it was going."""
    assert tcp_filter(snapshot_of(tcp_routes(**routes)))["@type"].endswith("direct_response.v3.Config")


def test_a_router_without_routes_answers_404():
    """As App Mesh: no route matches."""
    state = mesh(
        nodes={"front": caller("a.local")},
        services={"a.local": specs.service(router="r")},
        routers={"r": specs.router()},
    )
    [host] = told(snapshot_of(state), Kind.ROUTE, "rds_egress_http_8080")["virtual_hosts"]
    assert "routes" not in host


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        pytest.param({"services": {"a.local": {}}}, ("a.local", "spec"), id="no provider"),
        pytest.param(
            {"services": {"a.local": specs.service(node="gone")}},
            ("a.local", "spec.provider.virtualNode.virtualNodeName"),
            id="no node",
        ),
        pytest.param(
            {"services": {"a.local": specs.service(router="gone")}},
            ("a.local", "spec.provider.virtualRouter.virtualRouterName"),
            id="no router",
        ),
        pytest.param(
            {"services": {"a.local": specs.service(node="n")}, "nodes": {"front": caller("a.local"), "n": {}}},
            ("a.local", "spec.provider.virtualNode"),
            id="a node without listeners",
        ),
        pytest.param(
            {"services": {"a.local": specs.service(router="r")}, "routers": {"r": {}}},
            ("r", "spec"),
            id="a router without listeners",
        ),
    ],
)
def test_a_service_that_leads_nowhere_is_a_problem(members, expected):
    """Told where it is to be mended."""
    snapshot = snapshot_of(mesh(**{"nodes": {"front": caller("a.local")}, **members}))
    assert problems(snapshot) == [expected]


def test_a_route_of_another_protocol_than_its_listener_is_a_problem():
    """The API does not let it in; the compiler does not fall over it."""
    state = mesh(
        nodes={"front": caller("a.local"), "blue": specs.node()},
        services={"a.local": specs.service(router="r")},
        routers={"r": specs.router()},
        routes={"r/odd": specs.route(protocol="tcp", blue=1)},
    )
    assert problems(snapshot_of(state)) == [("odd", "spec")]


@pytest.mark.parametrize("options", [Options(), EXPLICIT], ids=["captured", "explicit"])
def test_a_proxy_with_nothing_to_call_listens_all_the_same(options):
    """Calls are answered, not refused."""
    snapshot = snapshot_of(mesh(nodes={"front": {}}), options=options)
    check(snapshot)
    assert len(snapshot.named(Kind.LISTENER)) == 1
