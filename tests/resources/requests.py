"""Everything App Mesh is asked for, to make what a set of manifests describes, when nothing is there yet."""

from collections.abc import Iterator
from typing import Any

from resources.kinds import API_VERSION, Kind
from resources.names import router_name, virtual_node_api_name
from resources.parsing import parse_mesh, parse_virtual_node, parse_virtual_service
from resources.references import first_target
from resources.translate.mesh import mesh_spec
from resources.translate.virtual_node import virtual_node_spec
from resources.translate.virtual_service import route_spec, router_spec, virtual_service_spec
from resources.virtual_node import VirtualNode
from resources.virtual_service import VirtualService

Request = dict[str, Any]


def requests_for(manifests: list[dict[str, Any]]) -> Iterator[Request]:
    """One request for each App Mesh object, in an order in which they can be made: its kind and name, and its spec."""
    ours = [manifest for manifest in manifests if manifest["apiVersion"] == API_VERSION]
    nodes = [parse_virtual_node(manifest) for manifest in ours if manifest["kind"] == Kind.VIRTUAL_NODE]
    for manifest in ours:
        if manifest["kind"] == Kind.MESH:
            mesh = parse_mesh(manifest)
            yield {"mesh": mesh.metadata.name, "spec": mesh_spec(mesh)}
    for node in nodes:
        yield {"virtualNode": virtual_node_api_name(node), "spec": virtual_node_spec(node)}
    for manifest in ours:
        if manifest["kind"] == Kind.VIRTUAL_SERVICE:
            yield from service_requests(parse_virtual_service(manifest), nodes)


def service_requests(service: VirtualService, nodes: list[VirtualNode]) -> Iterator[Request]:
    """Router, routes and service, in the order of their creation."""
    namespace = service.metadata.namespace or ""
    siblings = {node.metadata.name: node for node in nodes if node.metadata.namespace == namespace}
    given = service.spec.virtual_router.listeners if service.spec.virtual_router else ()
    first = siblings.get(first_target(service) or "")
    listeners = given or (first.spec.listeners[:1] if first else ())
    router = router_name(service)
    yield {"virtualRouter": router, "spec": router_spec([listener.port_mapping for listener in listeners])}
    for route in service.spec.routes:
        yield {"route": route.name, "of": router, "spec": route_spec(route, namespace, siblings)}
    yield {"virtualService": service.metadata.name, "spec": virtual_service_spec(router)}
