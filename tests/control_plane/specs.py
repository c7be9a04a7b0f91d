"""A small valid spec of each kind, and the names to create it with; a test states only what it is about."""

from collections.abc import Mapping
from typing import Any

Spec = dict[str, Any]


def listener(port: int = 8080, protocol: str = "http", **more: Any) -> Spec:
    """A listener of a node, router or gateway."""
    return {"portMapping": {"port": port, "protocol": protocol}, **more}


def health_check(**changes: Any) -> Spec:
    """A health check that leaves the port to the server."""
    check = {"protocol": "http", "path": "/ping", "healthyThreshold": 2, "unhealthyThreshold": 3}
    return {**check, "timeoutMillis": 2000, "intervalMillis": 5000, **changes}


def backend(name: str) -> Spec:
    """A backend of a node."""
    return {"virtualService": {"virtualServiceName": name}}


def node(*listeners: Spec, **members: Any) -> Spec:
    """A node with these listeners, or with an ordinary one, found by DNS."""
    return {
        "listeners": list(listeners) or [listener()],
        "serviceDiscovery": {"dns": {"hostname": "node.shop.local"}},
        **members,
    }


def router(*listeners: Spec) -> Spec:
    """A router with these listeners, or with an ordinary one."""
    return {"listeners": list(listeners) or [listener()]}


def targets(**weights: int) -> Spec:
    """The action of a route: nodes by name, with their weights."""
    return {"weightedTargets": [{"virtualNode": name, "weight": weight} for name, weight in weights.items()]}


def route(
    *, protocol: str = "http", match: Spec | None = None, to: Mapping[str, int] | None = None, **weights: int
) -> Spec:
    """A route of a type to weighted nodes (as keywords, or as a mapping); without any, to `node`."""
    default_match = {"http": {"prefix": "/"}, "http2": {"prefix": "/"}, "grpc": {"serviceName": "shop.Cart"}, "tcp": {}}
    content = {"action": targets(**(weights or to or {"node": 100})), "match": match or default_match[protocol]}
    return {f"{protocol}Route": content if content["match"] else {"action": content["action"]}}


def service(*, node: str | None = None, router: str | None = None) -> Spec:
    """A service with that provider, or none."""
    if node is not None:
        return {"provider": {"virtualNode": {"virtualNodeName": node}}}
    if router is not None:
        return {"provider": {"virtualRouter": {"virtualRouterName": router}}}
    return {}


def gateway(*listeners: Spec) -> Spec:
    """A gateway with these listeners, or with an ordinary one."""
    return {"listeners": list(listeners) or [listener()]}


def gateway_route(
    service: str = "service.local", *, protocol: str = "http", match: Spec | None = None, port: int | None = None
) -> Spec:
    """A gateway route of a type to a service."""
    target: Spec = {"virtualService": {"virtualServiceName": service}}
    if port is not None:
        target["port"] = port
    default_match = {"serviceName": "shop.Cart"} if protocol == "grpc" else {"prefix": "/"}
    return {f"{protocol}Route": {"match": match or default_match, "action": {"target": target}}}
