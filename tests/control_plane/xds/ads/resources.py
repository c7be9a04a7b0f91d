"""Small Envoy resources for the tests of the ADS server."""

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)
from envoy.extensions.filters.network.tcp_proxy.v3.tcp_proxy_pb2 import TcpProxy

from control_plane.xds.snapshot import Kind, Resource, Snapshot


def snapshot(*resources):
    """These resources."""
    return Snapshot({kind: {each.name: each for each in resources if each.kind is kind} for kind in Kind})


def cluster(name, edition=1, type=Cluster.EDS):
    """A cluster; its edition shows as the connect timeout."""
    message = Cluster(name=name, type=type)
    message.connect_timeout.seconds = edition
    if type == Cluster.EDS:
        message.eds_cluster_config.eds_config.ads.SetInParent()
        message.eds_cluster_config.eds_config.resource_api_version = 2
    return Resource.of(Kind.CLUSTER, name, message)


def endpoints(name, port=80):
    """Where a cluster of endpoint discovery finds its hosts."""
    message = ClusterLoadAssignment(cluster_name=name)
    address = message.endpoints.add().lb_endpoints.add().endpoint.address.socket_address
    address.address, address.port_value = "127.0.0.1", port
    return Resource.of(Kind.ENDPOINT, name, message)


def route(name, *clusters, edition=1):
    """A route configuration with one host for each cluster."""
    message = RouteConfiguration(name=name)
    for each in clusters:
        host = message.virtual_hosts.add(name=f"{each}-{edition}", domains=[each])
        host.routes.add(match={"prefix": "/"}, route={"cluster": each})
    return Resource.of(Kind.ROUTE, name, message)


def http_listener(name, route_name, edition=1):
    """A listener that asks for its routes."""
    manager = HttpConnectionManager(stat_prefix=f"edition{edition}", rds={"route_config_name": route_name})
    return _listener(name, manager)


def tcp_listener(name, cluster_name):
    """A listener that names its cluster itself."""
    return _listener(name, TcpProxy(stat_prefix="tcp", cluster=cluster_name))


def _listener(name, config):
    message = Listener(name=name)
    message.filter_chains.add().filters.add(name="only").typed_config.Pack(config)
    return Resource.of(Kind.LISTENER, name, message)
