"""Clusters, field by field: how endpoints are found, watched and protected."""

import pytest

from control_plane.xds.compile import Compiler
from control_plane.xds.proxies import ProxyId
from control_plane.xds.snapshot import Kind
from control_plane.xds.state import Instance, MeshState
from tests.control_plane import specs
from tests.control_plane.xds.compile.meshes import CAPTURED, cluster, mesh, one_target, problems, snapshot_of, told

TARGET = "cds_egress_shop_target_http_8080"


def dns(**members):
    """A node found by DNS."""
    return {**specs.node(), "serviceDiscovery": {"dns": {"hostname": "target.local", **members}}}


def target(state, name=TARGET):
    """The cluster of the target."""
    return cluster(state, name)


def address(found):
    """The one endpoint of a cluster."""
    [group] = found["load_assignment"]["endpoints"]
    [endpoint] = group["lb_endpoints"]
    socket = endpoint["endpoint"]["address"]["socket_address"]
    return socket["address"], socket["port_value"]


@pytest.mark.parametrize(
    ("given", "kind"), [(None, "LOGICAL_DNS"), ("LOADBALANCER", "LOGICAL_DNS"), ("ENDPOINTS", "STRICT_DNS")]
)
def test_response_types_of_dns(given, kind):
    """One address that may change, or as many as there are."""
    found = target(one_target(dns(**({"responseType": given} if given else {}))))
    assert (found["type"], found["connect_timeout"]) == (kind, "1s")


@pytest.mark.parametrize(
    ("hostname", "asked"),
    [
        ("target.local", "target.local."),
        ("target.local.", "target.local."),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
    ],
)
def test_host_names_are_absolute(hostname, asked):
    """No search domain is tried; what is no name has no dot."""
    assert address(target(one_target(dns(hostname=hostname)))) == (asked, 8080)


@pytest.mark.parametrize(
    ("of_mesh", "of_node", "family"),
    [
        (None, None, "V4_PREFERRED"),
        ("IPv6_ONLY", None, "V6_ONLY"),
        ("IPv6_ONLY", "IPv4_ONLY", "V4_ONLY"),
        ("IPv4_PREFERRED", None, "V4_PREFERRED"),
        (None, "IPv6_PREFERRED", None),  # AUTO, the first value of its enum, is not written
    ],
)
def test_ip_preference(of_mesh, of_node, family):
    """The node's before the mesh's."""
    mesh_spec = {"serviceDiscovery": {"ipPreference": of_mesh}} if of_mesh else {}
    found = target(one_target(dns(**({"ipPreference": of_node} if of_node else {})), spec=mesh_spec))
    assert found.get("dns_lookup_family") == family


def cloud_map(**members):
    """A node found in Cloud Map."""
    return {
        **specs.node(),
        "serviceDiscovery": {"awsCloudMap": {"namespaceName": "prod", "serviceName": "target", **members}},
    }


def instances(*found):
    """What Cloud Map knows."""
    return {("prod", "target"): found}


BLUE = Instance("b", "10.0.0.2", "", {"color": "blue", "zone": "a"})
GREEN = Instance("g", "10.0.0.1", "", {"color": "green"})
ILL = Instance("i", "10.0.0.3", "", {"color": "blue"}, healthy=False)


def endpoints(state):
    """The addresses of the target."""
    groups = told(snapshot_of(state), Kind.ENDPOINT, TARGET).get("endpoints", [])
    found = [each["endpoint"]["address"]["socket_address"] for group in groups for each in group["lb_endpoints"]]
    return [(each["address"], each["port_value"]) for each in found]


def test_cloud_maps_instances_are_endpoints():
    """The healthy ones, at the node's port."""
    state = one_target(cloud_map(), instances=instances(BLUE, GREEN, ILL))
    found = target(state)
    assert found["type"] == "EDS"
    assert found["eds_cluster_config"] == {"eds_config": {"ads": {}, "resource_api_version": "V3"}}
    assert endpoints(state) == [("10.0.0.1", 8080), ("10.0.0.2", 8080)]


def test_attributes_choose_among_instances():
    """All that the node names must be so."""
    wanted = [{"key": "color", "value": "blue"}]
    assert endpoints(one_target(cloud_map(attributes=wanted), instances=instances(BLUE, GREEN))) == [("10.0.0.2", 8080)]
    nobody = [{"key": "color", "value": "red"}]
    assert endpoints(one_target(cloud_map(attributes=nobody), instances=instances(BLUE, GREEN))) == []


@pytest.mark.parametrize(
    ("of_mesh", "of_node", "told_as"),
    [
        (None, None, ["10.0.0.1", "10.0.0.2", "fd00::3"]),
        (None, "IPv4_PREFERRED", ["10.0.0.1", "10.0.0.2", "fd00::3"]),
        (None, "IPv6_PREFERRED", ["10.0.0.1", "fd00::2", "fd00::3"]),
        (None, "IPv4_ONLY", ["10.0.0.1", "10.0.0.2"]),
        (None, "IPv6_ONLY", ["fd00::2", "fd00::3"]),
        ("IPv6_ONLY", None, ["fd00::2", "fd00::3"]),
        ("IPv6_ONLY", "IPv4_ONLY", ["10.0.0.1", "10.0.0.2"]),
    ],
)
def test_ip_preference_chooses_among_the_addresses_of_instances(of_mesh, of_node, told_as):
    """The node's before the mesh's, as by DNS. An instance without an address of the only family is no endpoint."""
    found = instances(
        Instance("1", "10.0.0.1", "", {}), Instance("2", "10.0.0.2", "fd00::2", {}), Instance("3", "", "fd00::3", {})
    )
    node = cloud_map(**({"ipPreference": of_node} if of_node else {}))
    mesh_spec = {"serviceDiscovery": {"ipPreference": of_mesh}} if of_mesh else {}
    state = one_target(node, spec=mesh_spec, instances=found)
    assert endpoints(state) == [(address, 8080) for address in told_as]
    assert problems(snapshot_of(state)) == []


def test_a_preference_that_leaves_nobody_is_a_problem():
    """It is not so when there is nobody anyway."""
    only = cloud_map(ipPreference="IPv6_ONLY")
    state = one_target(only, instances=instances(BLUE))
    assert endpoints(state) == []
    assert problems(snapshot_of(state)) == [("target", "spec.serviceDiscovery.awsCloudMap")]
    assert problems(snapshot_of(one_target(only, instances=instances(ILL)))) == []


def test_instances_that_nobody_asks_for_are_a_problem_and_none_that_are_there_are_not():
    """Where the control plane does not know Cloud Map, callers would have no endpoint, and all conditions be true."""
    (found,) = snapshot_of(one_target(cloud_map())).problems
    assert (found.key.name, found.field) == ("target", "spec.serviceDiscovery.awsCloudMap")
    assert "AWS_ENDPOINT_URL_SERVICEDISCOVERY" in found.message
    assert problems(snapshot_of(one_target(cloud_map(), instances=instances()))) == []


def test_what_was_not_heard_of_yet_has_no_endpoints():
    """But an assignment, so that the cluster does not wait for one."""
    snapshot = snapshot_of(one_target(cloud_map()))
    assert told(snapshot, Kind.ENDPOINT, TARGET) == {"cluster_name": TARGET}
    assert snapshot.instances == {("prod", "target")}


def test_new_instances_change_the_endpoints_alone():
    """No cluster has to warm up again."""
    compiler, state = Compiler(), one_target(cloud_map(), instances=instances(BLUE))
    front = ProxyId("shop", "virtualNode", "front")
    before = compiler.compile_proxy(state, front, CAPTURED)
    after = compiler.compile_proxy(MeshState(state.objects, instances(BLUE, GREEN)), front, CAPTURED)
    assert before
    assert after
    assert [kind for kind in Kind if before.version(kind) != after.version(kind)] == [Kind.ENDPOINT]


def test_an_address_that_is_none_is_left_out():
    """Envoy would refuse all the others along with it."""
    state = one_target(cloud_map(), instances=instances(BLUE, Instance("n", "a name", "", {})))
    assert endpoints(state) == [("10.0.0.2", 8080)]
    assert problems(snapshot_of(state)) == [("target", "spec.serviceDiscovery.awsCloudMap")]


@pytest.mark.parametrize(
    ("changes", "told_as"),
    [
        ({"protocol": "http", "path": "/ping"}, {"http_health_check": {"path": "/ping"}}),
        ({"protocol": "http", "path": None}, {"http_health_check": {"path": "/"}}),
        ({"protocol": "http2"}, {"http_health_check": {"path": "/ping", "codec_client_type": "HTTP2"}}),
        ({"protocol": "tcp"}, {"tcp_health_check": {}}),
        ({"protocol": "grpc"}, {"grpc_health_check": {}}),
        ({"port": 8080}, {"http_health_check": {"path": "/ping"}, "alt_port": 8080}),
    ],
)
def test_health_checks_are_the_callers(changes, told_as):
    """Each kind, with its limits."""
    check = {name: value for name, value in specs.health_check(**changes).items() if value is not None}
    state = one_target(specs.node(specs.listener(8080, "http2", healthCheck=check)))
    [found] = target(state, "cds_egress_shop_target_http2_8080")["health_checks"]
    limits = {"timeout": "2s", "interval": "5s", "healthy_threshold": 2, "unhealthy_threshold": 3}
    assert found == {**limits, **told_as}


def test_a_grpc_check_of_what_speaks_http_is_a_problem():
    """Envoy would refuse the cluster."""
    state = one_target(specs.node(specs.listener(healthCheck=specs.health_check(protocol="grpc"))))
    assert "health_checks" not in target(state)
    assert problems(snapshot_of(state)) == [("target", "spec.listeners[0].healthCheck.protocol")]


@pytest.mark.parametrize("path", ["/ping\n", "/\x00", "/\x7f"])
def test_a_check_whose_path_cannot_be_sent_is_a_problem(path):
    """Envoy would refuse the cluster."""
    state = one_target(specs.node(specs.listener(healthCheck=specs.health_check(path=path))))
    assert "health_checks" not in target(state)
    assert problems(snapshot_of(state)) == [("target", "spec.listeners[0].healthCheck.path")]


OUTLIERS = {
    "maxServerErrors": 5,
    "interval": {"value": 10, "unit": "s"},
    "baseEjectionDuration": {"value": 500, "unit": "ms"},
    "maxEjectionPercent": 0,
}


def test_outlier_detection_counts_server_errors_alone():
    """Envoy's other detectors are App Mesh's not."""
    assert target(one_target(specs.node(specs.listener(outlierDetection=OUTLIERS))))["outlier_detection"] == {
        "consecutive_5xx": 5,
        "interval": "10s",
        "base_ejection_time": "0.500s",
        "max_ejection_percent": 0,
        "enforcing_consecutive_5xx": 100,
        "enforcing_success_rate": 0,
        "enforcing_consecutive_gateway_failure": 0,
    }


@pytest.mark.parametrize("field", ["interval", "baseEjectionDuration"])
def test_outlier_detection_needs_time(field):
    """A time of nothing is a problem."""
    state = one_target(specs.node(specs.listener(outlierDetection={**OUTLIERS, field: {"value": 0, "unit": "s"}})))
    assert "outlier_detection" not in target(state)
    assert problems(snapshot_of(state)) == [("target", f"spec.listeners[0].outlierDetection.{field}")]


UNLIMITED = 2147483647
ALL = ("max_connections", "max_pending_requests", "max_requests", "max_retries")


@pytest.mark.parametrize(
    ("protocol", "pool", "limits"),
    [
        ("http", None, {}),
        (
            "http",
            {"maxConnections": 3, "maxPendingRequests": 4},
            {"max_connections": 3, "max_pending_requests": 4},
        ),
        ("http2", {"maxRequests": 5}, {"max_requests": 5}),
        ("grpc", {"maxRequests": 6}, {"max_requests": 6}),
        ("tcp", {"maxConnections": 7}, {"max_connections": 7}),
    ],
)
def test_connection_pools_are_before_the_application(protocol, pool, limits):
    """What is not limited is unlimited, in both directions."""
    more = {"connectionPool": {protocol: pool}} if pool else {}
    state = one_target(specs.node(specs.listener(8080, protocol, **more)))
    local = cluster(state, f"cds_ingress_shop_target_{protocol}_8080", node="target")
    assert local["circuit_breakers"] == {"thresholds": [{**dict.fromkeys(ALL, UNLIMITED), **limits}]}
    remote = target(state, f"cds_egress_shop_target_{protocol}_8080")
    assert remote["circuit_breakers"] == {"thresholds": [dict.fromkeys(ALL, UNLIMITED)]}


@pytest.mark.parametrize(("protocol", "http2"), [("http", False), ("tcp", False), ("http2", True), ("grpc", True)])
def test_http2_is_spoken_where_it_is_understood(protocol, http2):
    """To the application and to other nodes."""
    state = one_target(specs.node(specs.listener(8080, protocol)))
    for node, direction in (("target", "ingress"), ("front", "egress")):
        found = cluster(state, f"cds_{direction}_shop_target_{protocol}_8080", node=node)
        assert ("typed_extension_protocol_options" in found) == http2


def test_every_service_of_a_node_is_one_cluster():
    """Whoever leads to it."""
    state = mesh(
        nodes={
            "front": {"backends": [specs.backend("a.local"), specs.backend("b.local")]},
            "target": specs.node(),
        },
        services={"a.local": specs.service(node="target"), "b.local": specs.service(node="target")},
    )
    assert [name for name in snapshot_of(state).named(Kind.CLUSTER) if "target" in name] == [TARGET]
