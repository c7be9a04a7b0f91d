"""The whole of a simple sidecar: resources by App Mesh's names, in both ways of standing before an application."""

import dataclasses

import pytest

from control_plane.xds.compile import Compiler, Options, compile_proxy
from control_plane.xds.proxies import ProxyId
from control_plane.xds.snapshot import Kind
from control_plane.xds.state import MeshState
from tests.control_plane import specs
from tests.control_plane.xds.compile.invariants import check
from tests.control_plane.xds.compile.meshes import EXPLICIT, caller, mesh, problems, record, snapshot_of, told

FRONT = ProxyId("shop", "virtualNode", "front")


def shop(**changes) -> MeshState:
    """`front` listens on 8080 and calls the colours, by weight, and a database."""
    members = {
        "spec": {"egressFilter": {"type": "ALLOW_ALL"}},
        "nodes": {
            "front": specs.node(**caller("colors.local", "db.local")),
            "blue": specs.node(specs.listener(9080)),
            "green": specs.node(specs.listener(9080)),
            "db": specs.node(specs.listener(5432, "tcp")),
        },
        "services": {"colors.local": specs.service(router="colors"), "db.local": specs.service(node="db")},
        "routers": {"colors": specs.router(specs.listener(9080))},
        "routes": {"colors/split": specs.route(blue=70, green=30)},
    }
    return mesh(**{**members, **changes})


def names(snapshot):
    """The names of all resources, by the end of their kind."""
    return {kind.rsplit(".", 1)[1]: sorted(snapshot.named(kind)) for kind in Kind if snapshot.named(kind)}


def test_captured_resources_have_app_meshs_names():
    """Dashboards and alerts know these names."""
    snapshot = snapshot_of(shop())
    check(snapshot)
    assert names(snapshot) == {
        "Listener": ["lds_egress_0.0.0.0_15001", "lds_ingress_0.0.0.0_15000"],
        "RouteConfiguration": ["rds_egress_http_9080", "rds_ingress_http_8080"],
        "Cluster": [
            "cds_egress_shop_amazonaws",
            "cds_egress_shop_blue_http_9080",
            "cds_egress_shop_db_tcp_5432",
            "cds_egress_shop_green_http_9080",
            "cds_egress_shop_mesh-allow-all",
            "cds_ingress_shop_front_http_8080",
        ],
    }
    assert not snapshot.problems


def test_without_capture_each_listener_has_a_port_of_its_own():
    """Clusters and routes are called as they are with capture."""
    snapshot = snapshot_of(shop(), options=dataclasses.replace(EXPLICIT, tcp_ports={"db.local:5432": 15432}))
    check(snapshot)
    assert names(snapshot) == {
        "Listener": ["lds_egress_127.0.0.1_15001", "lds_egress_127.0.0.1_15432", "lds_ingress_0.0.0.0_8080"],
        "RouteConfiguration": ["rds_egress_http_15001", "rds_ingress_http_8080"],
        "Cluster": [
            "cds_egress_shop_blue_http_9080",
            "cds_egress_shop_db_tcp_5432",
            "cds_egress_shop_green_http_9080",
            "cds_ingress_shop_front_http_8080",
        ],
    }
    assert not snapshot.problems


def test_captured_listeners_take_ipv6_where_that_is_captured():
    """At a second address, for hosts that know no IPv6 would refuse it; what is let out is let out by both."""
    told_both = {"address": {"socket_address": {"address": "::", "port_value": 15001}}}
    plain, both = snapshot_of(shop()), snapshot_of(shop(), options=Options(ipv6=True))
    assert "additional_addresses" not in told(plain, Kind.LISTENER, "lds_egress_0.0.0.0_15001")
    egress = told(both, Kind.LISTENER, "lds_egress_0.0.0.0_15001")
    assert egress["additional_addresses"] == [told_both]
    ranges = egress["filter_chains"][-1]["filter_chain_match"]["prefix_ranges"]
    assert [each["address_prefix"] for each in ranges] == ["0.0.0.0", "::"]
    [ingress] = told(both, Kind.LISTENER, "lds_ingress_0.0.0.0_15000")["additional_addresses"]
    assert ingress["address"]["socket_address"]["port_value"] == 15000


def test_captured_calls_are_told_by_their_port():
    """First the backends, then AWS by name, then whatever the mesh lets out."""
    listener = told(snapshot_of(shop()), Kind.LISTENER, "lds_egress_0.0.0.0_15001")
    assert [chain["filter_chain_match"] for chain in listener["filter_chains"]] == [
        {"destination_port": 5432},
        {"destination_port": 9080},
        {"destination_port": 443, "server_names": ["*.amazonaws.com"]},
        {"destination_port": 443},
        {"prefix_ranges": [{"address_prefix": "0.0.0.0", "prefix_len": 0}]},
    ]
    assert listener["traffic_direction"] == "OUTBOUND"


def test_a_mesh_that_drops_lets_out_only_aws():
    """DROP_ALL, which is also what a mesh without a filter does."""
    for spec in ({}, {"egressFilter": {"type": "DROP_ALL"}}):
        snapshot = snapshot_of(shop(spec=spec))
        listener = told(snapshot, Kind.LISTENER, "lds_egress_0.0.0.0_15001")
        assert [chain["filter_chain_match"].get("destination_port") for chain in listener["filter_chains"]] == [
            5432,
            9080,
            443,
        ]
        assert "cds_egress_shop_mesh-allow-all" not in snapshot.named(Kind.CLUSTER)


def test_calls_from_others_go_to_the_application():
    """By the port they were sent to, within the listener's time limit."""
    snapshot = snapshot_of(shop())
    listener = told(snapshot, Kind.LISTENER, "lds_ingress_0.0.0.0_15000")
    assert [chain["filter_chain_match"] for chain in listener["filter_chains"]] == [{"destination_port": 8080}]
    assert told(snapshot, Kind.ROUTE, "rds_ingress_http_8080")["virtual_hosts"] == [
        {
            "name": "rds_ingress_http_8080",
            "domains": ["*"],
            "routes": [
                {
                    "match": {"prefix": "/"},
                    "route": {"cluster": "cds_ingress_shop_front_http_8080", "timeout": "15s"},
                }
            ],
        }
    ]
    cluster = told(snapshot, Kind.CLUSTER, "cds_ingress_shop_front_http_8080")
    assert cluster["connect_timeout"] == "0.250s"
    [group] = cluster["load_assignment"]["endpoints"]
    assert group["lb_endpoints"][0]["endpoint"]["address"]["socket_address"] == {
        "address": "127.0.0.1",
        "port_value": 8080,
    }


IDLE = {"idle": {"value": 1, "unit": "s"}}


def ingress_timeouts(protocol, timeout):
    """The timeouts of a listener, as Envoy is told, and where the problems are."""
    snapshot = snapshot_of(mesh(nodes={"front": specs.node(specs.listener(8080, protocol, timeout=timeout))}))
    if protocol == "tcp":
        [chain] = told(snapshot, Kind.LISTENER, "lds_ingress_0.0.0.0_15000")["filter_chains"]
        action = chain["filters"][0]["typed_config"]
    else:
        [host] = told(snapshot, Kind.ROUTE, "rds_ingress_http_8080")["virtual_hosts"]
        action = host["routes"][0]["route"]
    return {name: value for name, value in action.items() if "timeout" in name}, problems(snapshot)


@pytest.mark.parametrize("protocol", ["http", "http2", "grpc"])
def test_timeouts_of_a_listener_are_before_the_application(protocol):
    """By the member of its protocol."""
    per_request = {"perRequest": {"value": 20, "unit": "s"}}
    assert ingress_timeouts(protocol, {protocol: {**IDLE, **per_request}}) == (
        {"timeout": "20s", "idle_timeout": "1s"},
        [],
    )
    assert ingress_timeouts("tcp", {"tcp": IDLE}) == ({"idle_timeout": "1s"}, [])


@pytest.mark.parametrize(
    ("protocol", "other", "told_as"),
    [
        ("http", "tcp", {"timeout": "15s"}),
        ("http", "http2", {"timeout": "15s"}),
        ("grpc", "http2", {"timeout": "15s"}),
        ("tcp", "http", {"idle_timeout": "0s"}),
    ],
)
def test_timeouts_of_another_protocol_have_no_effect(protocol, other, told_as):
    """And are a problem, where they are."""
    assert ingress_timeouts(protocol, {other: IDLE}) == (told_as, [("front", f"spec.listeners[0].timeout.{other}")])


def test_without_capture_the_application_may_be_elsewhere():
    """So several sidecars can share a machine."""
    options = Options(
        capture=False,
        egress_port=15101,
        ingress_address="127.0.0.1",
        ingress_ports={8080: 28080},
        application_address="127.0.0.2",
        application_ports={8080: 3000},
    )
    snapshot = snapshot_of(shop(), options=options)
    assert {"lds_ingress_127.0.0.1_28080", "lds_egress_127.0.0.1_15101"} == snapshot.named(Kind.LISTENER).keys()
    [group] = told(snapshot, Kind.CLUSTER, "cds_ingress_shop_front_http_8080")["load_assignment"]["endpoints"]
    assert group["lb_endpoints"][0]["endpoint"]["address"]["socket_address"] == {
        "address": "127.0.0.2",
        "port_value": 3000,
    }


def test_a_proxy_that_would_call_itself_gets_no_ingress():
    """Proxy and application cannot both listen on a port."""
    snapshot = snapshot_of(shop(), options=Options(capture=False, tcp_ports={"db.local:5432": 15432}))
    assert problems(snapshot) == [("front", "spec.listeners[0].portMapping.port")]
    assert not [name for name in snapshot.named(Kind.LISTENER) if "ingress" in name]


def test_a_node_without_listeners_has_no_ingress():
    """It only calls."""
    snapshot = snapshot_of(mesh(nodes={"front": {}}))
    assert list(snapshot.named(Kind.LISTENER)) == ["lds_egress_0.0.0.0_15001"]


def test_only_backends_are_known():
    """A node that does not name a service cannot call it."""
    snapshot = snapshot_of(shop(nodes={"front": caller("colors.local"), "blue": specs.node(), "green": specs.node()}))
    assert "cds_egress_shop_db_tcp_5432" not in snapshot.named(Kind.CLUSTER)


def test_a_proxy_of_nothing_has_no_snapshot():
    """The caller must not take that for an empty one."""
    assert compile_proxy(shop(), ProxyId("shop", "virtualNode", "gone"), Options()) is None


def test_a_snapshot_tells_what_it_was_made_from():
    """Everything it looked for, also what is not there."""
    state = shop(nodes={"front": caller("colors.local", "gone.local"), "blue": specs.node(specs.listener(9080))})
    snapshot = snapshot_of(state)
    assert {(key.kind, key.name) for key in snapshot.reads} == {
        ("mesh", "shop"),
        ("virtualNode", "front"),
        ("virtualNode", "blue"),
        ("virtualNode", "green"),
        ("virtualService", "colors.local"),
        ("virtualService", "gone.local"),
        ("virtualRouter", "colors"),
    }
    assert problems(snapshot) == [
        ("split", "spec.httpRoute.action.weightedTargets[1].virtualNode"),
        ("front", "spec.backends[1].virtualService.virtualServiceName"),
    ]
    assert {key.name for key in snapshot.sources[Kind.ROUTE, "rds_egress_http_9080"]} == {
        "colors.local",
        "colors",
        "split",
    }


def test_the_same_snapshot_is_given_until_something_it_reads_changes():
    """Whatever else happens in the mesh."""
    compiler, state = Compiler(), shop()
    first = compiler.compile_proxy(state, FRONT, Options())
    other = record("virtualNode", "other", specs.node())
    state = MeshState({**state.objects, other.key: other})
    assert compiler.compile_proxy(state, FRONT, Options()) is first
    route = record("route", "split", specs.route(blue=10, green=90), parent="colors", revision=2)
    state = MeshState({**state.objects, route.key: route})
    second = compiler.compile_proxy(state, FRONT, Options())
    assert first
    assert second
    assert second.version(Kind.ROUTE) != first.version(Kind.ROUTE)
    for name, cluster in first.named(Kind.CLUSTER).items():
        if name.startswith("cds_egress_shop_") and "_http_" in name:
            assert second.named(Kind.CLUSTER)[name] is cluster


@pytest.mark.parametrize("options", [Options(), EXPLICIT], ids=["captured", "explicit"])
def test_proxies_share_what_is_the_same_for_them(options):
    """A cluster is built once for all that call it."""
    compiler = Compiler()
    state = shop()
    twin = record("virtualNode", "twin", state.objects[FRONT.key].spec)
    state = MeshState({**state.objects, twin.key: twin})
    first = compiler.compile_proxy(state, FRONT, options)
    second = compiler.compile_proxy(state, dataclasses.replace(FRONT, name="twin"), options)
    assert first
    assert second
    name = "cds_egress_shop_blue_http_9080"
    assert second.named(Kind.CLUSTER)[name] is first.named(Kind.CLUSTER)[name]
