"""What a virtual service refers to, as written. Whether it exists is for others to find out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resources.names import node_candidates
from resources.virtual_service import VirtualService


@dataclass(frozen=True)
class NodeTarget:
    """A virtual node that a route, or the service itself, sends traffic to.

    Attributes:
        name: The name as written in the manifest.
        verbatim_allowed: Whether the name may be a full App Mesh name (http2 and grpc routes).
    """

    name: str
    verbatim_allowed: bool


def targets(service: VirtualService) -> tuple[NodeTarget, ...]:
    """The node that provides the service, or the targets of all routes, each once, in the order of their mention."""
    if service.spec.provider is not None:
        return (NodeTarget(service.spec.provider.virtual_node.virtual_node_name, verbatim_allowed=False),)
    mentions = (
        NodeTarget(target.virtual_node_name, route.takes_full_names)
        for route in service.spec.routes
        for target in route.targets
    )
    return tuple(dict.fromkeys(mentions))


def first_target(service: VirtualService) -> str | None:
    """The first target of the first route, whose listener the router takes over when it is given none of its own."""
    first = targets(service)
    return first[0].name if first else None


def node_names_in(spec: Mapping[str, Any], namespace: str) -> frozenset[str]:
    """The VirtualNode resources that targets or provider of a service may mean; none where a spec makes no sense.

    Read from the raw spec, for those who must cope with whatever the API server let through.
    """
    provider = ((spec.get("provider") or {}).get("virtualNode") or {}).get("virtualNodeName")
    found: set[str] = {provider} if provider else set()
    for route in spec.get("routes") or ():
        for type in ("http", "tcp", "http2", "grpc"):
            action = ((route.get(type) or {}).get("action")) or {}
            for target in action.get("weightedTargets") or ():
                name = target.get("virtualNodeName") or ""
                found |= {name} if type in ("http", "tcp") else {name, *node_candidates(name, namespace)}
    return frozenset(found - {""})
