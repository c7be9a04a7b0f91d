"""Routes: one route of a router as Envoy's, and the order in which they are tried."""

from typing import Any, NamedTuple

from envoy.config.route.v3.route_components_pb2 import (
    DirectResponseAction,
    Route,
    RouteAction,
    RouteMatch,
    WeightedCluster,
)
from google.protobuf.duration_pb2 import Duration

from control_plane.store.records import ObjectRecord, Spec
from control_plane.xds.compile.matches import Unmatchable, grpc_match, http_match
from control_plane.xds.compile.messages import milliseconds, uint32
from control_plane.xds.compile.place import Place
from control_plane.xds.compile.retries import default_retry_policy, retry_policy
from control_plane.xds.compile.targets import Target, WeightedTarget, weighted_targets

HTTP_TYPES = ("httpRoute", "http2Route", "grpcRoute")
DEFAULT_TIMEOUT_MILLISECONDS = 15_000

_LOWEST_PRIORITY = 1000
_SERVICE_UNAVAILABLE = 503


class CompiledRoute(NamedTuple):
    """A route and what it leads to."""

    message: Route
    targets: tuple[Target, ...]


def http_route(spec: Place) -> CompiledRoute | None:
    """An HTTP, HTTP/2 or gRPC route of a router; None, and a problem, if Envoy could not match it.

    One that has nowhere to lead answers 503 itself: a request that it matches must not end in a route that is meant for
    others.
    """
    kind = next(name for name in HTTP_TYPES if name in spec.value)
    route = spec[kind]
    try:
        match = grpc_match(route["match"]) if kind == "grpcRoute" else http_match(route["match"])
    except Unmatchable:
        return None
    targets = weighted_targets(route["action"])
    if not targets:
        return CompiledRoute(unavailable(match), ())
    action = RouteAction(weighted_clusters=_shares(targets))
    set_timeouts(action, route.get("timeout"))
    policy = route.get("retryPolicy")
    action.retry_policy.CopyFrom(retry_policy(policy) if policy else default_retry_policy())
    message = Route(name=route.key.name, match=match, route=action)
    return CompiledRoute(message, tuple(each.target for each in targets))


def direct_route(target: Target) -> CompiledRoute:
    """The route of a service whose provider is a node."""
    action = RouteAction(cluster=target.cluster, retry_policy=default_retry_policy())
    set_timeouts(action, None)
    return CompiledRoute(Route(match=RouteMatch(prefix="/"), route=action), (target,))


def unavailable(match: RouteMatch) -> Route:
    """A route that answers 503."""
    return Route(match=match, direct_response=DirectResponseAction(status=_SERVICE_UNAVAILABLE))


def set_timeouts(action: RouteAction, timeout: Place | None) -> None:
    """App Mesh's timeouts of a route or listener: 15 seconds a request if nothing is said, and no idle timeout."""
    per_request = _duration(timeout, "perRequest")
    action.timeout.CopyFrom(milliseconds(DEFAULT_TIMEOUT_MILLISECONDS) if per_request is None else per_request)
    idle = _duration(timeout, "idle")
    if idle is not None:
        action.idle_timeout.CopyFrom(idle)


def in_order(records: tuple[ObjectRecord, ...]) -> list[ObjectRecord]:
    """Routes as they are tried: by priority; where that is equal, the more specific match first, then by name.

    The host of a gateway route counts before its path, as it would if it were a domain of Envoy's, which it seems to
    have been in App Mesh (aws-app-mesh-roadmap #384). Unlike there, what no route of a host takes goes on to others.
    """
    return sorted(records, key=lambda record: (*_order(record.spec), record.key.name))


def _order(spec: Spec) -> tuple[Any, ...]:
    route: Spec = next((spec[name] for name in (*HTTP_TYPES, "tcpRoute") if name in spec), {})
    match = route.get("match", {})
    path = match.get("path", {})
    conditions = sum(len(match.get(name, ())) for name in ("headers", "metadata", "queryParameters"))
    conditions += sum(name in match for name in ("method", "scheme"))
    if "exact" in path or "methodName" in match:
        sort_of_path, length = 0, 0
    elif path:
        sort_of_path, length = 1, 0
    else:
        sort_of_path, length = 2, len(match.get("prefix", "/")) + len(match.get("serviceName", ""))
    return spec.get("priority", _LOWEST_PRIORITY), *_order_of_host(match), sort_of_path, -length, -conditions


def _order_of_host(match: Spec) -> tuple[int, int]:
    """Whole names, then ends of names, the longest first, then any host: the order in which Envoy searches domains.

    https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto (VirtualHost.domains)
    """
    host = match.get("hostname", {})
    if "exact" in host:
        return 0, 0
    return (1, -len(host["suffix"])) if "suffix" in host else (2, 0)


def _duration(timeouts: Place | None, name: str) -> Duration | None:
    """A timeout of an `HttpTimeout` or the like."""
    place = timeouts.get(name) if timeouts else None
    return place.duration() if place else None


def _shares(targets: tuple[WeightedTarget, ...]) -> WeightedCluster:
    return WeightedCluster(
        clusters=[
            WeightedCluster.ClusterWeight(name=target.cluster, weight=uint32(weight)) for target, weight in targets
        ]
    )
