"""What the routing of a VirtualService shall be, and on which router: its own routes, or the union of a group's. Pure.

A router without listeners takes the first listener of the first route's first target, as the reference controller did,
but never writes it into the user's spec, so a later change of that node is followed.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property

from activities.messages import References
from activities.objects import ApiKind, ApiObject
from resources.errors import InvalidResource
from resources.names import provider_node_name, router_name
from resources.parsing import parse_virtual_service
from resources.translate.virtual_service import route_spec, router_spec
from workflows.messages import Snapshot
from workflows.planning.membership import Membership, alone
from workflows.planning.plan import Observed, Wanted
from workflows.planning.refusal import Refusal
from workflows.planning.routing import (
    as_they_are,
    choose_router,
    is_made_from,
    live_router,
    on_router,
    routing_update,
    with_routes,
)
from workflows.planning.targets import Targets
from workflows.planning.union import Contribution, Union, unite


class ServiceRouting:
    """The routing that one service asks for, and that of those whom it leads."""

    def __init__(
        self, snapshot: Snapshot, relatives: Sequence[Snapshot] = (), refusals: Sequence[Refusal] = ()
    ) -> None:
        service = parse_virtual_service(snapshot.as_resource())
        mesh = service.spec.mesh_name
        self._service = service
        self._mode = routing_update(service.metadata.annotations)
        self.object = ApiObject(kind=ApiKind.VIRTUAL_SERVICE, mesh=mesh, name=service.metadata.name)
        self.router = ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh=mesh, name=router_name(service))
        """The router, by the name that the spec gives it."""
        self.node = provider_node_name(service)
        """The node that answers instead of a router; None where the spec names none."""
        self.targets = Targets(service)
        self.membership = Membership(
            snapshot, relatives, refusals, self.object, self.router if self.node is None else None
        )

    @property
    def namespace(self) -> str:
        """Where the resource lives."""
        return self._service.metadata.namespace or ""

    @property
    def route_names(self) -> tuple[str, ...]:
        """The routes of its own spec."""
        return tuple(route.name for route in self._service.spec.routes)

    @property
    def sees_to_router(self) -> bool:
        """Whether there is a router that is this service's to write."""
        return self.node is None and self.membership.leads

    @cached_property
    def led(self) -> tuple["ServiceRouting", ...]:
        """The routing of each of those whom it leads."""
        led = []
        for sharer in self.membership.led:
            with suppress(InvalidResource):  # an annotation that makes no sense: its own workflow says so
                led.append(ServiceRouting(sharer.snapshot))
        return tuple(led)

    def contribution(self, references: References) -> Contribution | None:
        """What this service asks of its router; None while it waits for something."""
        if self.node is not None or self.targets.lacks(references, alone=False) is not None:
            return None
        return self._asks(references)

    def union(self, references: References, observed: Observed) -> Union:
        """All that the router shall hold."""
        membership = self.membership
        group = membership.group or alone(membership, self.router)
        own = self._asks(references) if membership.group is None else self.contribution(references)
        asked = {membership.me.uid: own}
        asked |= {other.membership.me.uid: other.contribution(references) for other in self.led}
        live = self.live(observed)
        there = on_router(observed, live) if live is not None else {}
        contributions = {uid: each for uid, each in asked.items() if each is not None}
        return unite(group, contributions, there, membership.set_aside)

    def planned(self, references: References, observed: Observed) -> tuple[tuple[Wanted, ...], ApiObject | None]:
        """The routing that this service sees to, and the router that shall hold it; nothing where it sees to none."""
        routing = self._routing(references, observed) if self.sees_to_router else ()
        if not routing:
            return (), None
        return routing, choose_router(self.router, self.live(observed), routing, observed, self._mode)

    def live(self, observed: Observed) -> ApiObject | None:
        """The router of this name that carries traffic: by what we know of our service, else by what the others say."""
        own = live_router(self.object, observed)
        if own is not None and is_made_from(own, self.router):
            return own
        return self.membership.group.live if self.membership.group is not None else None

    def is_on_it(self, observed: Observed) -> bool:
        """Whether the service is on the router that it names, and so has to turn when the router is swapped."""
        on = live_router(self.object, observed)
        return on is not None and is_made_from(on, self.router)

    def as_it_is(self, observed: Observed) -> tuple[Wanted, ...]:
        """The service where it is, with the router that it is on as far as that is this service's to see to."""
        on = live_router(self.object, observed)
        router = with_routes(observed, on) if on is not None else ()
        return as_they_are(observed, (self.object, *router))

    def accepts_me(self, references: References, observed: Observed) -> bool:
        """Whether this service's own routes are part of the union."""
        mine = self.contribution(references) is not None
        return mine and self.membership.me.uid not in self.union(references, observed).refusals

    def _asks(self, references: References) -> Contribution:
        siblings = frozenset(name for name, node in references.nodes.items() if node.found)
        routes = {route.name: route_spec(route, self.namespace, siblings) for route in self._service.spec.routes}
        own, listeners = self.targets.own_listeners(), self.targets.listeners(references)
        return Contribution(
            self.membership.me,
            routes,
            router_spec(own) if own else None,
            router_spec(listeners) if listeners else None,
        )

    def _routing(self, references: References, observed: Observed) -> tuple[Wanted, ...]:
        """Router and routes under the name that the spec gives; none while nobody says what it listens to."""
        union = self.union(references, observed)
        if union.router is None:
            return ()
        mesh, router = self.router.mesh, self.router
        routes = (
            Wanted(object=ApiObject(kind=ApiKind.ROUTE, mesh=mesh, name=name, router=router.name), spec=spec)
            for name, spec in union.routes.items()
        )
        return (Wanted(object=router, spec=union.router), *routes)
