"""What a gRPC client without a proxy is told: listeners by names of services, and clusters that it knows."""

import pytest

from control_plane.xds.compile import Options
from control_plane.xds.snapshot import Kind
from tests.control_plane import specs
from tests.control_plane.xds.compile.meshes import caller, mesh, one_route, one_target, problems, snapshot_of, told

PROXYLESS = Options(capture=False, proxyless=True)
ROUTES = "rds_egress_http_15001"


def test_each_name_of_a_service_is_a_listener_that_has_no_address():
    """With the service's first port and without; all lead to the routes that its virtual host has."""
    snapshot = snapshot_of(one_route(specs.route(blue=1, protocol="grpc"), protocol="grpc"), options=PROXYLESS)
    assert snapshot.named(Kind.LISTENER).keys() == {"colors.local", "colors.local:8080"}
    listener = told(snapshot, Kind.LISTENER, "colors.local")
    assert listener.keys() == {"name", "api_listener"}
    assert listener["api_listener"]["api_listener"]["rds"]["route_config_name"] == ROUTES
    assert told(snapshot, Kind.ROUTE, ROUTES)["virtual_hosts"][0]["domains"] == ["colors.local", "colors.local:8080"]


def test_a_node_that_serves_is_told_of_nothing_that_comes_in():
    """Its own listeners are its own affair."""
    state = one_target(specs.node(specs.listener(8080, "grpc")))
    assert not snapshot_of(state, "target", PROXYLESS).named(Kind.LISTENER)


@pytest.mark.parametrize("response", ["LOADBALANCER", "ENDPOINTS"])
def test_what_dns_finds_is_found_in_the_one_way_that_is_known(response: str):
    """Envoy's other sort would be refused, and all calls with it."""
    dns = {"dns": {"hostname": "target.local", "responseType": response}}
    snapshot = snapshot_of(one_target(specs.node(serviceDiscovery=dns)), options=PROXYLESS)
    assert told(snapshot, Kind.CLUSTER, "cds_egress_shop_target_http_8080")["type"] == "LOGICAL_DNS"


def test_what_takes_tls_is_refused_and_never_called_in_the_clear():
    """The client knows its certificates by other names than files at a proxy."""
    tls = {"mode": "STRICT", "certificate": {"file": {"certificateChain": "/c.pem", "privateKey": "/k.pem"}}}
    snapshot = snapshot_of(one_target(specs.node(specs.listener(8080, "grpc", tls=tls))), options=PROXYLESS)
    assert not snapshot.named(Kind.CLUSTER)
    [host] = told(snapshot, Kind.ROUTE, ROUTES)["virtual_hosts"]
    assert host["routes"][0]["direct_response"]["status"] == 503
    assert ("front", "spec.backends[0].virtualService.virtualServiceName") in problems(snapshot)


def test_a_tcp_service_is_a_problem_and_the_others_are_served():
    """There is nobody to call it."""
    state = mesh(
        nodes={
            "front": caller("db.local", "web.local"),
            "db": specs.node(specs.listener(5432, "tcp")),
            "web": specs.node(),
        },
        services={"db.local": specs.service(node="db"), "web.local": specs.service(node="web")},
    )
    snapshot = snapshot_of(state, options=PROXYLESS)
    assert problems(snapshot) == [("front", "spec.backends[0].virtualService.virtualServiceName")]
    assert snapshot.named(Kind.LISTENER).keys() == {"web.local", "web.local:8080"}
