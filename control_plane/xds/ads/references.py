"""What a resource names: read from its bytes, once for each content. Pure.

Known are the filters that App Mesh needs: the HTTP connection manager, with its routes or without, and the TCP proxy.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.listener.v3.listener_components_pb2 import FilterChain
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_components_pb2 import RouteAction, VirtualHost
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)
from envoy.extensions.filters.network.tcp_proxy.v3.tcp_proxy_pb2 import TcpProxy
from google.protobuf.any_pb2 import Any

from control_plane.xds.snapshot import Kind, Resource

_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class References:
    """The names in a resource."""

    clusters: frozenset[str] = _NOTHING
    routes: frozenset[str] = _NOTHING
    endpoints: str | None = None
    """A cluster's: what its endpoints are asked for by, if they are served at all."""
    warms_unseen: bool = False
    """A cluster's: it is used only after DNS or a health check has answered, and nobody tells us when."""


def references(resource: Resource) -> References:
    """What this resource names. A body that is not known names nothing."""
    return _of(resource.kind, resource.body)


@lru_cache(maxsize=4096)
def _of(kind: Kind, body: bytes) -> References:
    if kind is Kind.ROUTE:
        return References(clusters=frozenset(_of_virtual_hosts(RouteConfiguration.FromString(body).virtual_hosts)))
    if kind is Kind.LISTENER:
        return _of_listener(Listener.FromString(body))
    if kind is Kind.CLUSTER:
        return _of_cluster(Cluster.FromString(body))
    return References()


def _of_cluster(cluster: Cluster) -> References:
    if cluster.type == Cluster.EDS:
        return References(endpoints=cluster.eds_cluster_config.service_name or cluster.name)
    by_name = cluster.type in (Cluster.STRICT_DNS, Cluster.LOGICAL_DNS)
    return References(warms_unseen=by_name or bool(cluster.health_checks))


def _of_listener(listener: Listener) -> References:
    chains = [*listener.filter_chains, listener.default_filter_chain]
    configs = [each.typed_config for chain in chains for each in chain.filters]
    clusters: set[str] = set()
    routes: set[str] = set()
    for config in (*configs, listener.api_listener.api_listener):
        clusters_of, routes_of = _of_filter(config)
        clusters.update(clusters_of)
        routes.update(routes_of)
    return References(clusters=frozenset(clusters), routes=frozenset(routes))


def _of_filter(config: Any) -> tuple[set[str], set[str]]:
    proxy, manager = TcpProxy(), HttpConnectionManager()
    if config.Unpack(proxy):
        weighted = {each.name for each in proxy.weighted_clusters.clusters}
        return weighted | ({proxy.cluster} - {""}), set()
    if config.Unpack(manager):
        return set(_of_virtual_hosts(manager.route_config.virtual_hosts)), {manager.rds.route_config_name} - {""}
    return set(), set()


def _of_virtual_hosts(hosts: Iterable[VirtualHost]) -> Iterator[str]:
    for host in hosts:
        yield from clusters_of_host(host)


def clusters_of_chain(chain: FilterChain) -> Iterator[str]:
    """The clusters that a filter chain names itself; those of its routes are theirs."""
    for each in chain.filters:
        yield from _of_filter(each.typed_config)[0]


def clusters_of_host(host: VirtualHost) -> Iterator[str]:
    """The clusters that a virtual host's routes name."""
    for route in host.routes:
        if route.HasField("route"):
            yield from _of_action(route.route)


def _of_action(action: RouteAction) -> Iterator[str]:
    if action.cluster:
        yield action.cluster
    for each in action.weighted_clusters.clusters:
        yield each.name
    for mirror in action.request_mirror_policies:
        yield mirror.cluster
