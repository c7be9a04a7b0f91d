"""VirtualService → VirtualRouterSpec, RouteSpec and VirtualServiceSpec."""

from collections.abc import Collection, Sequence
from typing import Any

from resources.names import target_api_name
from resources.normal import pruned
from resources.ports import PortMapping
from resources.routes import (
    GrpcRetryPolicy,
    GrpcRoute,
    GrpcRouteMatch,
    HeaderMatch,
    HttpRetryPolicy,
    HttpRoute,
    HttpRouteMatch,
    Route,
)
from resources.translate.ports import port_mapping


def router_spec(listeners: Sequence[PortMapping]) -> dict[str, Any]:
    """The spec of CreateVirtualRouter and UpdateVirtualRouter."""
    return pruned({"listeners": [{"portMapping": port_mapping(listener)} for listener in listeners]})


def virtual_service_spec(router: str | None = None, node: str | None = None) -> dict[str, Any]:
    """The spec of CreateVirtualService and UpdateVirtualService: the router or the node that answers for it, if any."""
    if node:
        return {"provider": {"virtualNode": {"virtualNodeName": node}}}
    return {"provider": {"virtualRouter": {"virtualRouterName": router}}} if router else {}


def route_spec(route: Route, namespace: str, sibling_nodes: Collection[str]) -> dict[str, Any]:
    """The spec of CreateRoute and UpdateRoute.

    Args:
        route: The route.
        namespace: The VirtualService's namespace, part of its targets' names.
        sibling_nodes: Names of the VirtualNode resources in that namespace.
    """
    action = {
        "weightedTargets": [
            {
                "virtualNode": target_api_name(route, target.virtual_node_name, namespace, sibling_nodes),
                "weight": target.weight,
            }
            for target in route.targets
        ]
    }
    spec = pruned(
        {
            "priority": route.priority,
            "httpRoute": _http(route.http, action) if route.http else None,
            "http2Route": _http(route.http2, action) if route.http2 else None,
            "tcpRoute": {"action": action} if route.tcp else None,
            "grpcRoute": _grpc(route.grpc, action) if route.grpc else None,
        }
    )
    if route.grpc:
        spec["grpcRoute"].setdefault("match", {})  # App Mesh demands it even where it matches everything
    return spec


def _http(route: HttpRoute, action: dict[str, Any]) -> dict[str, Any]:
    return {
        "match": _http_match(route.match),
        "action": action,
        "retryPolicy": _retry_policy(route.retry_policy) if route.retry_policy else None,
    }


def _grpc(route: GrpcRoute, action: dict[str, Any]) -> dict[str, Any]:
    return {
        "match": _grpc_match(route.match),
        "action": action,
        "retryPolicy": _retry_policy(route.retry_policy) if route.retry_policy else None,
    }


def _http_match(match: HttpRouteMatch) -> dict[str, Any]:
    return {
        "prefix": match.prefix,
        "method": match.method.value if match.method else None,
        "scheme": match.scheme.value if match.scheme else None,
        "headers": [_header(header) for header in match.headers],
    }


def _grpc_match(match: GrpcRouteMatch) -> dict[str, Any]:
    return {
        "serviceName": match.service_name,
        "methodName": match.method_name,
        "metadata": [_header(header) for header in match.metadata],
    }


def _header(header: HeaderMatch) -> dict[str, Any]:
    """A header condition; without `match` App Mesh asks only whether the header is there."""
    return header.to_json()


def _retry_policy(policy: HttpRetryPolicy) -> dict[str, Any]:
    return {
        "perRetryTimeout": {"unit": "ms", "value": policy.per_retry_timeout_millis},
        "maxRetries": policy.max_retries,
        "httpRetryEvents": [event.value for event in policy.http_retry_events],
        "tcpRetryEvents": [event.value for event in policy.tcp_retry_events],
        "grpcRetryEvents": [event.value for event in policy.grpc_retry_events]
        if isinstance(policy, GrpcRetryPolicy)
        else None,
    }
