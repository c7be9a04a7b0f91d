"""Names: what a resource is called in App Mesh.

Live meshes were made by these rules, and names are identities there, so a change here would recreate every object.
Virtual nodes, routers, and the targets of http and tcp routes get a namespaced name. Meshes, virtual services, routes
and backends keep theirs. Targets of http2 and grpc routes are namespaced only if a VirtualNode resource of exactly that
name is at hand: public manifests write full App Mesh names there, which must not be namespaced twice.
"""

from collections.abc import Collection

from resources.routes import Route
from resources.virtual_node import VirtualNode
from resources.virtual_service import VirtualService


def namespaced_name(name: str, namespace: str) -> str:
    """The dot rule: `shop` in `prod` is `shop-prod`, and so is `shop.prod` in any namespace.

    A name with a dot is taken to carry its namespace already.
    """
    return name.replace(".", "-") if "." in name else f"{name}-{namespace}"


def virtual_node_api_name(node: VirtualNode) -> str:
    """The virtual node's name in App Mesh."""
    return namespaced_name(node.metadata.name, node.metadata.namespace or "")


def router_name(service: VirtualService) -> str:
    """The router's name in App Mesh: the one given, without blanks around it, or else the service's own, namespaced."""
    given = service.spec.virtual_router.name.strip() if service.spec.virtual_router else ""
    return namespaced_name(given or service.metadata.name, service.metadata.namespace or "")


def provider_node_name(service: VirtualService) -> str | None:
    """The App Mesh name of the node that answers for the service; None when a router does."""
    if service.spec.provider is None:
        return None
    name = service.spec.provider.virtual_node.virtual_node_name
    return namespaced_name(name, service.metadata.namespace or "")


def target_api_name(route: Route, target: str, namespace: str, sibling_nodes: Collection[str]) -> str:
    """The App Mesh name of a route's target.

    Args:
        route: The route that names the target.
        target: The target as written.
        namespace: The VirtualService's namespace.
        sibling_nodes: Names of the VirtualNode resources in that namespace.
    """
    if route.takes_full_names and target not in sibling_nodes:
        return target
    return namespaced_name(target, namespace)


def node_candidates(api_or_cr_name: str, namespace: str) -> tuple[str, ...]:
    """Names of VirtualNode resources in `namespace` that a target of an http2 or grpc route can mean, likeliest first.

    The name as it stands; and, read as an App Mesh name, what is left without the namespace's suffix.
    """
    stripped = api_or_cr_name.removesuffix(f"-{namespace}")
    return (api_or_cr_name,) if stripped in ("", api_or_cr_name) else (api_or_cr_name, stripped)
