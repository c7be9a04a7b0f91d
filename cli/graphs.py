"""The mesh as a drawing: services, routers, routes with their weights, nodes, and who calls whom. Pure."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from resources.errors import InvalidResource
from resources.kinds import Kind
from resources.names import namespaced_name, router_name, target_api_name, virtual_node_api_name
from resources.parsing import parse_virtual_node, parse_virtual_service
from resources.virtual_node import VirtualNode
from resources.virtual_service import VirtualService


@dataclass(frozen=True)
class Vertex:
    """Something in the mesh; `sort` is one of service, router, route, node."""

    id: str
    sort: str
    label: str


@dataclass(frozen=True)
class Edge:
    """From one vertex to another; the label is a weight, or nothing."""

    source: str
    target: str
    label: str = ""
    calls: bool = False
    """A node's backend, rather than where traffic is routed."""


@dataclass(frozen=True)
class Graph:
    """Vertices in the order of their mention, each once, and edges."""

    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]


def graph(resources: Iterable[Mapping[str, Any]]) -> Graph:
    """What the VirtualServices and VirtualNodes say; those that make no sense are left out.

    All are told apart by their names in App Mesh; a node is shown by that of its resource, if that is there.
    """
    vertices: dict[str, Vertex] = {}
    edges: dict[Edge, None] = {}
    for part in _parts(resources):
        if isinstance(part, Vertex):
            vertices.setdefault(part.id, part)
        else:
            edges[part] = None
    return Graph(tuple(vertices.values()), tuple(edges))


def mermaid(drawn: Graph) -> str:
    """As a Mermaid flow chart, which Markdown viewers draw."""
    shapes = {"service": '(["{}"])', "router": '{{{{"{}"}}}}', "route": '["{}"]', "node": '[["{}"]]'}
    ids = {vertex.id: f"v{number}" for number, vertex in enumerate(drawn.vertices)}
    lines = ["flowchart LR"]
    for vertex in drawn.vertices:
        text = vertex.label.replace("&", "&amp;").replace('"', "&quot;")
        lines.append(f"  {ids[vertex.id]}{shapes[vertex.sort].format(text)}")
    for edge in drawn.edges:
        arrow = "-.->" if edge.calls else "-->"
        lines.append(f"  {ids[edge.source]} {arrow}{f'|{edge.label}|' if edge.label else ''} {ids[edge.target]}")
    return "\n".join(lines)


def dot(drawn: Graph) -> str:
    """In the language of Graphviz."""
    shapes = {"service": "oval", "router": "hexagon", "route": "box", "node": "box3d"}
    lines = ["digraph mesh {", "  rankdir=LR;"]
    lines += [
        f"  {_quoted(each.id)} [label={_quoted(each.label)}, shape={shapes[each.sort]}];" for each in drawn.vertices
    ]
    for edge in drawn.edges:
        marks = [f"label={_quoted(edge.label)}"] if edge.label else []
        marks += ["style=dashed"] if edge.calls else []
        told = f" [{', '.join(marks)}]" if marks else ""
        lines.append(f"  {_quoted(edge.source)} -> {_quoted(edge.target)}{told};")
    return "\n".join([*lines, "}"])


def _parts(resources: Iterable[Mapping[str, Any]]) -> Iterator[Vertex | Edge]:
    given = list(resources)
    nodes = [each for each in given if each.get("kind") == Kind.VIRTUAL_NODE]
    siblings: dict[str, set[str]] = {}
    for each in nodes:
        siblings.setdefault(each["metadata"].get("namespace", ""), set()).add(each["metadata"]["name"])
    for each in nodes:
        with suppress(InvalidResource):
            yield from _of_node(parse_virtual_node(each))
    for each in given:
        if each.get("kind") == Kind.VIRTUAL_SERVICE:
            with suppress(InvalidResource):
                service = parse_virtual_service(each)
                yield from _of_service(service, siblings.get(service.metadata.namespace or "", set()))


def _of_node(node: VirtualNode) -> Iterator[Vertex | Edge]:
    mesh = node.spec.mesh_name
    here = _node(mesh, virtual_node_api_name(node), node.metadata.name)
    yield here
    for backend in node.spec.backends:
        service = _service(mesh, backend.virtual_service.virtual_service_name)
        yield from (service, Edge(here.id, service.id, calls=True))


def _of_service(service: VirtualService, siblings: Collection[str]) -> Iterator[Vertex | Edge]:
    mesh, namespace = service.spec.mesh_name, service.metadata.namespace or ""
    here = _service(mesh, service.metadata.name)
    yield here
    if service.spec.provider is not None:
        written = service.spec.provider.virtual_node.virtual_node_name
        node = _node(mesh, namespaced_name(written, namespace), written)
        yield from (node, Edge(here.id, node.id))
        return
    name = router_name(service)
    router = Vertex(f"router/{mesh}/{name}", "router", name)
    yield from (router, Edge(here.id, router.id))
    for each in service.spec.routes:
        route = Vertex(f"route/{mesh}/{name}/{each.name}", "route", each.name)
        yield from (route, Edge(router.id, route.id))
        for target in each.targets:
            written = target.virtual_node_name
            node = _node(mesh, target_api_name(each, written, namespace, siblings), written)
            yield from (node, Edge(route.id, node.id, str(target.weight)))


def _service(mesh: str, name: str) -> Vertex:
    return Vertex(f"service/{mesh}/{name}", "service", name)


def _node(mesh: str, api_name: str, written: str) -> Vertex:
    return Vertex(f"node/{mesh}/{api_name}", "node", written)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
