"""Clusters: the application behind the proxy, the nodes that it calls, and whatever else is let out."""

from typing import NamedTuple

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.core.v3.base_pb2 import TransportSocket

from control_plane.xds.compile import names
from control_plane.xds.compile.discovery import set_discovery, single_endpoint
from control_plane.xds.compile.messages import milliseconds, packed
from control_plane.xds.compile.place import Place
from control_plane.xds.compile.policies import (
    HTTP2_PROTOCOLS,
    HTTP_PROTOCOL_OPTIONS,
    circuit_breakers,
    health_check,
    http2_options,
    outlier_detection,
)
from control_plane.xds.compile.reading import Reading
from control_plane.xds.compile.targets import Target
from control_plane.xds.snapshot import Kind, Resource

_CONNECT_TIMEOUT_MILLISECONDS = 1000
_LOCAL_CONNECT_TIMEOUT_MILLISECONDS = 250


class NodeCluster(NamedTuple):
    """The cluster of a node's port at its callers, and its endpoints if the control plane knows them."""

    cluster: Resource
    endpoints: Resource | None


def node_cluster(reading: Reading, target: Target, transport_socket: bytes) -> NodeCluster:
    """The cluster of a target; the same for all callers with the same (serialised) transport socket."""

    def compiled(part: Reading) -> NodeCluster:
        return _node_cluster(part, target, transport_socket)

    return reading.part(("cluster", target, transport_socket), compiled)


def _node_cluster(reading: Reading, target: Target, transport_socket: bytes) -> NodeCluster:
    mesh = reading.get("mesh", "", target.mesh)
    node = reading.get("virtualNode", target.mesh, target.node)
    if node is None:
        raise LookupError(f"{target} is no target: there is no such node")
    spec = Place.spec_of(reading, node)
    listener = next(each for each in spec.items("listeners") if each.value["portMapping"]["port"] == target.port)
    cluster = _cluster(target.cluster, target.protocol, _CONNECT_TIMEOUT_MILLISECONDS)
    assignment = set_discovery(cluster, spec["serviceDiscovery"], mesh.spec if mesh else {}, target.port)
    check, outliers = health_check(listener, with_tls=bool(transport_socket)), outlier_detection(listener)
    if check:
        cluster.health_checks.append(check)
    if outliers:
        cluster.outlier_detection.CopyFrom(outliers)
    if transport_socket:
        cluster.transport_socket.CopyFrom(TransportSocket.FromString(transport_socket))
    return NodeCluster(
        Resource.of(Kind.CLUSTER, cluster.name, cluster),
        Resource.of(Kind.ENDPOINT, cluster.name, assignment) if assignment else None,
    )


def local_cluster(name: str, protocol: str, at: tuple[str, int], pool: Place | None) -> Resource:
    """Something on this machine, at an address and a port, within the limits of a connection pool."""
    cluster = _cluster(name, protocol, _LOCAL_CONNECT_TIMEOUT_MILLISECONDS, pool)
    cluster.type = Cluster.STATIC
    cluster.load_assignment.CopyFrom(single_endpoint(name, *at))
    return Resource.of(Kind.CLUSTER, name, cluster)


def as_addressed(name: str) -> Resource:
    """A cluster that leads each connection to where it was going."""
    cluster = _cluster(name, "tcp", _CONNECT_TIMEOUT_MILLISECONDS)
    cluster.type = Cluster.ORIGINAL_DST
    cluster.lb_policy = Cluster.CLUSTER_PROVIDED
    return Resource.of(Kind.CLUSTER, name, cluster)


def amazon_cluster(mesh: str) -> Resource:
    """AWS's own services."""
    return as_addressed(names.amazon_cluster(mesh))


def allow_all_cluster(mesh: str) -> Resource:
    """All that is not in the mesh."""
    return as_addressed(names.allow_all_cluster(mesh))


def _cluster(name: str, protocol: str, connect_timeout: int, pool: Place | None = None) -> Cluster:
    cluster = Cluster(name=name, connect_timeout=milliseconds(connect_timeout), circuit_breakers=circuit_breakers(pool))
    if protocol in HTTP2_PROTOCOLS:
        cluster.typed_extension_protocol_options[HTTP_PROTOCOL_OPTIONS].CopyFrom(packed(http2_options()))
    return cluster
