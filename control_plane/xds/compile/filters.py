"""Network filters: HTTP by a route configuration, TCP by weight, and the refusal of a connection."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from envoy.config.accesslog.v3.accesslog_pb2 import AccessLog
from envoy.config.listener.v3.listener_components_pb2 import Filter, ListenerFilter, ListenerFilterChainMatchPredicate
from envoy.extensions.filters.http.router.v3.router_pb2 import Router
from envoy.extensions.filters.listener.original_dst.v3.original_dst_pb2 import OriginalDst
from envoy.extensions.filters.listener.tls_inspector.v3.tls_inspector_pb2 import TlsInspector
from envoy.extensions.filters.network.direct_response.v3.config_pb2 import Config as DirectResponse
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
    HttpFilter,
    Rds,
)
from envoy.extensions.filters.network.tcp_proxy.v3.tcp_proxy_pb2 import TcpProxy
from envoy.type.v3.range_pb2 import Int32Range
from google.protobuf.duration_pb2 import Duration
from google.protobuf.wrappers_pb2 import BoolValue

from control_plane.xds.compile.messages import from_ads, packed


@dataclass(frozen=True)
class Recording:
    """What is written down of requests and connections."""

    access_logs: Sequence[AccessLog] = ()
    tracing: bool = False
    """Whether requests are traced, by the tracer of the proxy's bootstrap; without one they are not."""


def http(stat_prefix: str, routes: str, recording: Recording, *, strip_ports: bool = False) -> Filter:
    """HTTP of any version, led by the route configuration of that name.

    `strip_ports`: hosts are matched, and passed on, without a port.
    """
    manager = HttpConnectionManager(
        stat_prefix=stat_prefix,
        rds=Rds(config_source=from_ads(), route_config_name=routes),
        http_filters=[HttpFilter(name="envoy.filters.http.router", typed_config=packed(Router()))],
        upgrade_configs=[HttpConnectionManager.UpgradeConfig(upgrade_type="websocket")],
        normalize_path=BoolValue(value=True),
        merge_slashes=True,
        strip_any_host_port=strip_ports,
        path_with_escaped_slashes_action=HttpConnectionManager.KEEP_UNCHANGED,
        access_log=recording.access_logs,
        tracing=HttpConnectionManager.Tracing() if recording.tracing else None,
        # App Mesh has no idle timeout unless it is asked for; Envoy's own would end quiet streams after five minutes.
        stream_idle_timeout=Duration(),
    )
    return Filter(name="envoy.filters.network.http_connection_manager", typed_config=packed(manager))


def tcp(
    stat_prefix: str, clusters: Sequence[tuple[str, int]], idle_timeout: Duration | None, recording: Recording
) -> Filter:
    """Connections by weight to clusters; refused if there is none with any weight."""
    weighted = [(name, weight) for name, weight in clusters if weight]  # Envoy takes no weight of 0 here
    if not weighted:
        return Filter(name="envoy.filters.network.direct_response", typed_config=packed(DirectResponse()))
    proxy = TcpProxy(stat_prefix=stat_prefix, access_log=recording.access_logs, idle_timeout=idle_timeout or Duration())
    if len(weighted) == 1:
        proxy.cluster = weighted[0][0]
    else:
        for name, weight in weighted:
            proxy.weighted_clusters.clusters.add(name=name, weight=weight)
    return Filter(name="envoy.filters.network.tcp_proxy", typed_config=packed(proxy))


def original_destination() -> ListenerFilter:
    """Finds where a captured connection was going."""
    return ListenerFilter(name="envoy.filters.listener.original_dst", typed_config=packed(OriginalDst()))


def tls_inspector(ports: Iterable[int] | None = None) -> ListenerFilter:
    """Finds whether a connection begins with TLS, and for which server.

    To find it, it waits for the client's first word. So it must not look where it need not: where the server speaks
    first, as those of MySQL and SMTP do, it would wait in vain, and Envoy then ends the connection.

    `ports`: where connections were going that it looks at (one at least); None: at all of them.
    """
    found = ListenerFilter(name="envoy.filters.listener.tls_inspector", typed_config=packed(TlsInspector()))
    if ports is not None:
        found.filter_disabled.not_match.CopyFrom(_to_any_of(ports))
    return found


def _to_any_of(ports: Iterable[int]) -> ListenerFilterChainMatchPredicate:
    rules = [
        ListenerFilterChainMatchPredicate(destination_port_range=Int32Range(start=port, end=port + 1))
        for port in sorted(set(ports))
    ]
    if len(rules) == 1:  # Envoy takes no choice of one
        return rules[0]
    return ListenerFilterChainMatchPredicate(or_match=ListenerFilterChainMatchPredicate.MatchSet(rules=rules))
