"""What a mesh holds, as plain data, and drawn as a tree. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.text import Text
from rich.tree import Tree


@dataclass(frozen=True)
class Target:
    """Where a route sends a share of its requests."""

    node: str
    weight: int


@dataclass(frozen=True)
class RouteView:
    """A route: what it matches, and where that goes."""

    name: str
    match: str
    targets: tuple[Target, ...]
    priority: int | None = None

    @property
    def split(self) -> str:
        """`blue-colors 80 %, green-colors 20 %`."""
        total = sum(target.weight for target in self.targets)
        if not total:
            return "nowhere"
        return ", ".join(f"{target.node} {100 * target.weight / total:.3g} %" for target in self.targets)


@dataclass(frozen=True)
class ServiceView:
    """A virtual service with the router and the routes behind it."""

    name: str
    router: str
    listener: str
    routes: tuple[RouteView, ...]


@dataclass(frozen=True)
class NodeView:
    """A virtual node."""

    name: str
    listener: str
    found_by: str
    backends: tuple[str, ...] = ()


@dataclass(frozen=True)
class MeshView:
    """A mesh and all in it."""

    name: str
    services: tuple[ServiceView, ...]
    nodes: tuple[NodeView, ...]

    @property
    def objects(self) -> int:
        """How many App Mesh objects it is made of."""
        return 1 + len(self.nodes) + sum(2 + len(service.routes) for service in self.services)

    def routes_of(self, service: str) -> tuple[RouteView, ...]:
        """The routes of one service."""
        return next((found.routes for found in self.services if found.name == service), ())

    def splits(self, service: str) -> dict[str, tuple[Target, ...]]:
        """Where each route of one service goes."""
        return {route.name: route.targets for route in self.routes_of(service)}


def draw(mesh: MeshView) -> Tree:
    """The mesh as a tree: services with routers and routes, then nodes; columns aligned within each group."""
    tree = Tree(Text.assemble("mesh ", (mesh.name, "bold")), guide_style="dim")
    for service in mesh.services:
        below = tree.add(Text.assemble("service ", (service.name, "bold")))
        router = below.add(Text(f"router {service.router}  {service.listener}"))
        name = max((len(route.name) for route in service.routes), default=0)
        match = max((len(route.match) for route in service.routes), default=0)
        for route in service.routes:
            router.add(Text(f"route {route.name:<{name}}  {route.match:<{match}}  → {route.split}"))
    name = max((len(node.name) for node in mesh.nodes), default=0)
    found_by = max((len(node.found_by) for node in mesh.nodes), default=0)
    for node in mesh.nodes:
        calls = f"  calls {', '.join(node.backends)}" if node.backends else ""
        tree.add(Text(f"node {node.name:<{name}}  {node.listener}  {node.found_by:<{found_by}}{calls}".rstrip()))
    return tree


def listener_text(spec: Mapping[str, Any]) -> str:
    """`http:8080` from a spec with listeners; several joined by commas."""
    mappings = [listener["portMapping"] for listener in spec.get("listeners", ())]
    return ", ".join(f"{mapping['protocol']}:{mapping['port']}" for mapping in mappings) or "no listener"


def discovery_text(spec: Mapping[str, Any]) -> str:
    """`dns blue.colors` or `cloud map blue.colors` from a virtual node's spec."""
    discovery = spec.get("serviceDiscovery", {})
    if "dns" in discovery:
        return f"dns {discovery['dns']['hostname']}"
    if "awsCloudMap" in discovery:
        return f"cloud map {discovery['awsCloudMap']['serviceName']}.{discovery['awsCloudMap']['namespaceName']}"
    return "not discovered"


def route_view(name: str, spec: Mapping[str, Any]) -> RouteView:
    """A route from its spec as the API answers it."""
    protocol = next(kind for kind in ("http", "http2", "grpc", "tcp") if f"{kind}Route" in spec)
    route = spec[f"{protocol}Route"]
    targets = tuple(Target(target["virtualNode"], target["weight"]) for target in route["action"]["weightedTargets"])
    return RouteView(name, match_text(route.get("match", {})), targets, spec.get("priority"))


def match_text(match: Mapping[str, Any]) -> str:
    """What a request must be like: `/shop, header user = alice`."""
    words = []
    if "prefix" in match:
        words.append(f"{match['prefix']}*")
    if "path" in match:
        words.append(next((f"path {value}" for value in match["path"].values()), "path"))
    if "method" in match:
        words.append(match["method"])
    if "serviceName" in match:
        words.append(f"{match['serviceName']}/{match.get('methodName', '*')}")
    words += [f"header {_header_text(header)}" for header in match.get("headers", ())]
    words += [f"metadata {_header_text(header)}" for header in match.get("metadata", ())]
    return ", ".join(words) or "everything"


_COMPARISONS = {
    "exact": "= {}",
    "regex": "~ {}",
    "prefix": "= {}*",
    "suffix": "= *{}",
    "present": "present",
}


def _header_text(header: Mapping[str, Any]) -> str:
    match: Mapping[str, Any] = header.get("match") or {"present": None}
    way, value = next(iter(match.items()))
    words = f"in {value['start']}..{value['end']}" if way == "range" else _COMPARISONS[way].format(value)
    return f"{'not ' if header.get('invert') else ''}{header['name']} {words}"
