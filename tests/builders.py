"""Manifests for tests: a valid object by default, so that a test states only the field it is about.

Keyword arguments are fields of `spec` under their JSON names and replace the default's; None takes a field away.

    virtual_node("cart", listeners=[listener(port=9080, protocol="grpc")])
    virtual_service("shop.prod.svc.cluster.local", routes=[http_route("all", {"cart": 90, "cart-v2": 10})])
"""

from collections.abc import Mapping
from typing import Any

from resources.kinds import API_VERSION, Kind

Manifest = dict[str, Any]

MESH = "shop"
NAMESPACE = "prod"


def mesh(name: str = MESH, **spec: Any) -> Manifest:
    """A Mesh with an empty spec."""
    return _manifest(Kind.MESH, {"name": name}, spec)


def virtual_node(name: str = "cart", namespace: str = NAMESPACE, **spec: Any) -> Manifest:
    """A VirtualNode that listens for http on 8080 and is found by DNS."""
    defaults = {
        "meshName": MESH,
        "listeners": [listener()],
        "serviceDiscovery": {"dns": {"hostName": f"{name}.{namespace}.svc.cluster.local"}},
    }
    return _manifest(Kind.VIRTUAL_NODE, {"name": name, "namespace": namespace}, defaults | spec)


def virtual_service(name: str = "cart.prod.svc.cluster.local", namespace: str = NAMESPACE, **spec: Any) -> Manifest:
    """A VirtualService whose router listens for http on 8080 and sends everything to the node `cart`."""
    defaults = {
        "meshName": MESH,
        "virtualRouter": {"name": "cart-router", "listeners": [listener()]},
        "routes": [http_route()],
    }
    return _manifest(Kind.VIRTUAL_SERVICE, {"name": name, "namespace": namespace}, defaults | spec)


def listener(port: int = 8080, protocol: str = "http", **more: Any) -> dict[str, Any]:
    """A listener of a node or a router."""
    return {"portMapping": {"port": port, "protocol": protocol}} | more


def action(targets: Mapping[str, int]) -> dict[str, Any]:
    """What a route does: share the traffic among virtual nodes by weight."""
    return {"weightedTargets": [{"virtualNodeName": name, "weight": weight} for name, weight in targets.items()]}


def http_route(name: str = "all", targets: Mapping[str, int] | None = None, **match: Any) -> dict[str, Any]:
    """An http route; keywords are fields of its match."""
    return {"name": name, "http": {"match": {"prefix": "/"} | match, "action": action(targets or {"cart": 1})}}


def http2_route(name: str = "all", targets: Mapping[str, int] | None = None, **match: Any) -> dict[str, Any]:
    """An http2 route; keywords are fields of its match."""
    return {"name": name, "http2": {"match": {"prefix": "/"} | match, "action": action(targets or {"cart": 1})}}


def grpc_route(name: str = "all", targets: Mapping[str, int] | None = None, **match: Any) -> dict[str, Any]:
    """A grpc route; keywords are fields of its match."""
    return {"name": name, "grpc": {"match": match, "action": action(targets or {"cart": 1})}}


def tcp_route(name: str = "all", targets: Mapping[str, int] | None = None) -> dict[str, Any]:
    """A tcp route."""
    return {"name": name, "tcp": {"action": action(targets or {"cart": 1})}}


def stored(manifest: Manifest, uid: str = "uid-1", generation: int = 1, **metadata: Any) -> Manifest:
    """The manifest as the API server hands it out: with an identity, a generation and a creation time."""
    server = {
        "uid": uid,
        "generation": generation,
        "resourceVersion": "100",
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    return manifest | {"metadata": manifest["metadata"] | server | metadata}


def _manifest(kind: Kind, metadata: dict[str, Any], spec: dict[str, Any]) -> Manifest:
    given = {field: value for field, value in spec.items() if value is not None}
    return {"apiVersion": API_VERSION, "kind": kind.value, "metadata": metadata, "spec": given}
