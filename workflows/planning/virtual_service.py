"""A VirtualService wants a router, its routes, and a service that points at the router; or at a node and no more.

It waits for its mesh and for every node that it targets. A router without listeners takes the first listener of the
first route's first target, as the reference controller did, but never writes it into the user's spec, so a later change
of that node is followed.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from activities.messages import NodeReference, ReadReferences, References
from activities.objects import ApiKind, ApiObject
from resources.conditions import ConditionType, Reason
from resources.errors import InvalidResource
from resources.kinds import Kind
from resources.names import node_candidates, provider_node_name, router_name
from resources.parsing import parse_virtual_service
from resources.ports import PortMapping
from resources.references import NodeTarget, first_target, targets
from resources.translate.virtual_service import route_spec, router_spec, virtual_service_spec
from workflows.planning.desired import Desired, arn_of, mesh_stands_in_the_way
from workflows.planning.outcome import Outcome
from workflows.planning.plan import Observed, Wanted
from workflows.planning.routing import (
    ANNOTATION,
    RoutingUpdate,
    choose_router,
    is_made_from,
    live_router,
    moved,
    routing_update,
)


class DesiredVirtualService(Desired):
    """See `Desired`."""

    kind = Kind.VIRTUAL_SERVICE
    condition_kinds: ClassVar = {
        ConditionType.VIRTUAL_ROUTER_ACTIVE: frozenset({ApiKind.VIRTUAL_ROUTER}),
        ConditionType.ROUTES_ACTIVE: frozenset({ApiKind.VIRTUAL_ROUTER, ApiKind.ROUTE}),
        ConditionType.VIRTUAL_SERVICE_ACTIVE: frozenset(ApiKind),
    }

    def __init__(self, resource: Mapping[str, Any]) -> None:
        self._service = parse_virtual_service(resource)
        self._namespace = self._service.metadata.namespace or ""
        mesh = self._service.spec.mesh_name
        self._object = ApiObject(kind=ApiKind.VIRTUAL_SERVICE, mesh=mesh, name=self._service.metadata.name)
        self._mode = _routing_update(self._service.metadata.annotations)
        self._router = ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh=mesh, name=router_name(self._service))
        self._node_provider = provider_node_name(self._service)

    def references(self) -> ReadReferences:
        """The mesh, and every node resource that a target may mean."""
        names = [name for target in targets(self._service) for name in self._candidates(target)]
        return ReadReferences(mesh=self._object.mesh, namespace=self._namespace, nodes=tuple(dict.fromkeys(names)))

    def blocked(self, references: References) -> Outcome | None:
        """By its mesh, by targets that are missing or not active, by a router without any listener."""
        if (by_mesh := mesh_stands_in_the_way(self._object.mesh, references.mesh)) is not None:
            return by_mesh
        missing = [line for target in targets(self._service) if (line := self._missing(target, references))]
        if missing:
            return Outcome(reason=Reason.WAITING_FOR_NODES, message="; ".join(missing))
        if self._node_provider is None and not self._listeners(references):
            return Outcome(reason=Reason.NO_LISTENER, message=self._no_listener())
        return None

    def wanted(self, references: References, observed: Observed) -> tuple[Wanted, ...]:
        """Router, routes, service; on the live router or on a new one beside it, as `routing` chooses.

        With a node of its own the service is all, and a router that was there goes once the service has been turned.
        """
        if self._node_provider is not None:
            return (Wanted(object=self._object, spec=virtual_service_spec(node=self._node_provider)),)
        routing = self._routing(references)
        router = choose_router(self._router, self._object, routing, observed, self._mode)
        service = Wanted(object=self._object, spec=virtual_service_spec(router.name))
        return (*moved(routing, router), service)

    def _routing(self, references: References) -> tuple[Wanted, ...]:
        """Router and routes under the name that the spec gives."""
        siblings = self._siblings(references)
        routes = (
            Wanted(
                object=ApiObject(kind=ApiKind.ROUTE, mesh=self._object.mesh, name=route.name, router=self._router.name),
                spec=route_spec(route, self._namespace, siblings),
            )
            for route in self._service.spec.routes
        )
        return (Wanted(object=self._router, spec=router_spec(self._listeners(references))), *routes)

    def identities(self) -> tuple[ApiObject, ...]:
        """Router and service."""
        return (self._router, self._object)

    def further(self, observed: Observed) -> tuple[ApiObject, ...]:
        """The live router, when it was made by a swap and the status does not say so."""
        live = live_router(self._object, observed)
        unseen = live is not None and is_made_from(live, self._router) and observed.find(live) is None
        return (live,) if live is not None and unseen else ()

    def status_members(self, observed: Observed, references: References | None) -> dict[str, Any]:
        """ARNs of service, router and routes, and the listeners if they were taken from a target."""
        routes = sorted(record.arn for record in observed.of_kind(ApiKind.ROUTE))
        inferred = None
        if references is not None and self._node_provider is None and not self._own_listeners():
            listeners = self._listeners(references)
            inferred = [{"portMapping": listener.model_dump(by_alias=True)} for listener in listeners] or None
        return {
            "virtualServiceArn": arn_of(observed, self._object),
            "virtualRouterArn": arn_of(observed, live_router(self._object, observed) or self._router),
            "routeArns": routes or None,
            "inferredListeners": inferred,
        }

    def _candidates(self, target: NodeTarget) -> tuple[str, ...]:
        if not target.verbatim_allowed:
            return (target.name,)
        return node_candidates(target.name, self._namespace)

    def _siblings(self, references: References) -> frozenset[str]:
        return frozenset(name for name, node in references.nodes.items() if node.found)

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
        if node.mesh != self._object.mesh:
            return f"VirtualNode {name} belongs to mesh {node.mesh}, not {self._object.mesh}"
        return None if node.ready else f"VirtualNode {name} is not active yet"

    def _own_listeners(self) -> tuple[PortMapping, ...]:
        router = self._service.spec.virtual_router
        return tuple(listener.port_mapping for listener in router.listeners) if router is not None else ()

    def _listeners(self, references: References) -> tuple[PortMapping, ...]:
        if own := self._own_listeners():
            return own
        first = first_target(self._service)
        if first is None:
            return ()
        for name in dict.fromkeys((first, *node_candidates(first, self._namespace))):
            node = references.nodes.get(name)
            if node is not None and node.listener is not None:
                return (PortMapping.model_validate(node.listener),)
        return ()

    def _no_listener(self) -> str:
        first = first_target(self._service)
        if first is None:
            return "spec.virtualRouter.listeners is empty and there is no route to take a listener from"
        return f"spec.virtualRouter.listeners is empty and VirtualNode {first} has no listener to take"


def _routing_update(annotations: Mapping[str, str]) -> RoutingUpdate:
    try:
        return routing_update(annotations)
    except ValueError as error:
        choices = ", ".join(RoutingUpdate)
        raise InvalidResource(f"metadata.annotations[{ANNOTATION}]", f"must be one of {choices}") from error
