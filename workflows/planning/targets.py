"""What a VirtualService needs of VirtualNodes: that its targets are there, and a listener where it gives none. Pure."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from activities.messages import NodeReference, References
from resources.conditions import Reason
from resources.names import node_candidates
from resources.ports import PortMapping
from resources.references import NodeTarget, first_target, targets
from resources.virtual_service import VirtualService
from workflows.planning.outcome import Outcome


class Targets:
    """The nodes that one service sends traffic to."""

    def __init__(self, service: VirtualService) -> None:
        self._service = service
        self._namespace = service.metadata.namespace or ""

    @property
    def node_names(self) -> tuple[str, ...]:
        """Every VirtualNode resource that a target may mean, in the service's own namespace."""
        return tuple(name for target in targets(self._service) for name in self._candidates(target))

    def lacks(self, references: References, alone: bool = True) -> Outcome | None:
        """Targets that are missing or not active; for a service with a router of its own (`alone`) also a listener."""
        missing = [line for target in targets(self._service) if (line := self._missing(target, references))]
        if missing:
            return Outcome(reason=Reason.WAITING_FOR_NODES, message="; ".join(missing))
        if alone and self._service.spec.provider is None and not self.listeners(references):
            return Outcome(reason=Reason.NO_LISTENER, message=self.no_listener())
        return None

    def own_listeners(self) -> tuple[PortMapping, ...]:
        """The listeners that the spec gives the router."""
        router = self._service.spec.virtual_router
        return tuple(listener.port_mapping for listener in router.listeners) if router is not None else ()

    def listeners(self, references: References) -> tuple[PortMapping, ...]:
        """Those, or the first target's; none where neither is to be had."""
        if own := self.own_listeners():
            return own
        first = first_target(self._service)
        if first is None:
            return ()
        for name in dict.fromkeys((first, *node_candidates(first, self._namespace))):
            node = references.nodes.get(name)
            if node is not None and node.listener is not None:
                return _readable(node.listener)
        return ()

    def no_listener(self) -> str:
        """Why there is none, for people."""
        first = first_target(self._service)
        if first is None:
            return "spec.virtualRouter.listeners is empty and there is no route to take a listener from"
        return f"spec.virtualRouter.listeners is empty and VirtualNode {first} has none that could be taken"

    def _candidates(self, target: NodeTarget) -> tuple[str, ...]:
        if not target.verbatim_allowed:
            return (target.name,)
        return node_candidates(target.name, self._namespace)

    def _missing(self, target: NodeTarget, references: References) -> str | None:
        """What is wrong with a target, for people; None when it is ready.

        A full App Mesh name, which http2 and grpc targets may carry, need not belong to a resource of this namespace:
        then App Mesh alone can tell whether it exists.
        """
        candidates = {name: references.nodes.get(name, NodeReference()) for name in self._candidates(target)}
        found = next(((name, node) for name, node in candidates.items() if node.found), None)
        if found is None:
            return None if target.verbatim_allowed else f"VirtualNode {target.name} does not exist"
        name, node = found
        mesh = self._service.spec.mesh_name
        if node.mesh != mesh:
            return f"VirtualNode {name} belongs to mesh {node.mesh}, not {mesh}"
        return None if node.ready else f"VirtualNode {name} is not active yet"


def _readable(listener: Mapping[str, Any]) -> tuple[PortMapping, ...]:
    """The listener of a node, which may have been stored before our schema was there to refuse it."""
    try:
        return (PortMapping.model_validate(listener),)
    except ValidationError:
        return ()
