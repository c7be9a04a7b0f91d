"""A VirtualService wants a router, its routes, and a service that points at the router; or at a node and no more.

It waits for its mesh and for every node that it targets. What its routing is, and on which router, is the matter of
`service_routing`; whom it shares the router with, of `membership`; what it tells the others, of `router_status`.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from activities.messages import ReadReferences, References
from activities.objects import ApiKind, ApiObject
from resources.conditions import ConditionType, Reason
from resources.kinds import Kind
from resources.translate.virtual_service import virtual_service_spec
from workflows.messages import Snapshot
from workflows.planning.desired import Desired, arn_of, mesh_stands_in_the_way
from workflows.planning.outcome import ACHIEVED, Again, Outcome
from workflows.planning.plan import Observed, Wanted
from workflows.planning.refusal import LASTING, Refusal
from workflows.planning.router_status import router_members
from workflows.planning.routing import as_they_are, live_router, moved, on_router, with_routes
from workflows.planning.service_routing import ServiceRouting
from workflows.planning.sharing import Group, name_conflict


class DesiredVirtualService(Desired):
    """See `Desired`."""

    kind = Kind.VIRTUAL_SERVICE
    condition_kinds: ClassVar = {
        ConditionType.VIRTUAL_ROUTER_ACTIVE: frozenset({ApiKind.VIRTUAL_ROUTER}),
        ConditionType.ROUTES_ACTIVE: frozenset({ApiKind.VIRTUAL_ROUTER, ApiKind.ROUTE}),
        ConditionType.VIRTUAL_SERVICE_ACTIVE: frozenset(ApiKind),
    }

    def __init__(
        self, snapshot: Snapshot, relatives: Sequence[Snapshot] = (), refusals: Sequence[Refusal] = ()
    ) -> None:
        self._deleting = snapshot.deleting
        self._routing = ServiceRouting(snapshot, relatives, refusals)
        self._membership = self._routing.membership
        self._object = self._routing.object

    def references(self) -> ReadReferences:
        """The mesh, and every node resource that a target may mean; for the leader of a router, also of its sharers."""
        routings = (self._routing, *self._routing.led)
        names = [name for routing in routings for name in routing.targets.node_names]
        namespace = self._routing.namespace
        return ReadReferences(mesh=self._object.mesh, namespace=namespace, nodes=tuple(dict.fromkeys(names)))

    def blocked(self, references: References) -> Outcome | None:
        """By its mesh, by an older resource of its name, by targets that are missing, by a router without a listener.

        Where a router is shared, only the first two stop everything: the others may go on without this one's routes.
        """
        if (by_mesh := mesh_stands_in_the_way(self._object.mesh, references.mesh)) is not None:
            return by_mesh
        for object, rival in self._membership.rivals():
            return name_conflict(rival, object)
        return self._routing.targets.lacks(references) if self._membership.group is None else None

    def shortfall(self, references: References, observed: Observed) -> Outcome:
        """What keeps this service's own routes off a shared router; or that something waits to be cleaned up."""
        group = self._membership.group
        if group is not None:
            lacking = self._routing.targets.lacks(references, alone=False)
            lacking = lacking or self._shortfall_in(group, references, observed)
            if lacking is not None:
                return lacking
        _, router = self._routing.planned(references, observed)
        if self._membership.held(observed, router):
            return Outcome(reason=Reason.ACTIVE, again=Again.SOON)
        return Outcome(reason=Reason.ACTIVE, again=Again.SLOWLY) if self._membership.set_aside else ACHIEVED

    def refused(self, outcome: Outcome, references: References, observed: Observed) -> Refusal | None:
        """Of those who share the router: whose route it was; of a quota, the youngest who asks for more than is there.

        Never of one that has been set aside already, as that one asks for nothing.
        """
        route = outcome.failed_object
        _, router = self._routing.planned(references, observed)
        if self._membership.group is None or route is None or router is None or route.on_router != router:
            return None
        if outcome.reason not in LASTING:
            return None
        asked_by = self._routing.union(references, observed).asked_by
        asker = asked_by.get(route.name)
        if outcome.reason is Reason.LIMIT_EXCEEDED:
            missing = asked_by.keys() - on_router(observed, router).keys()
            asker = max((asked_by[name] for name in missing), key=lambda each: each.age, default=asker)
        return Refusal.of(asker.snapshot, outcome) if asker is not None else None

    def wanted(self, references: References, observed: Observed) -> tuple[Wanted, ...]:
        """Router, routes, service; on the live router or on a new one beside it, as `routing` chooses.

        With a node of its own, or a router that another service sees to, the service is all. A router that was there
        goes once the service has been turned, or when nobody else is on it either.
        """
        routing, membership = self._routing, self._membership
        planned, router = routing.planned(references, observed)
        held = membership.held(observed, router)
        if routing.node is not None:
            return (self._turned(node=routing.node), *held)
        if membership.group is not None and not membership.leads:
            live = membership.group.live
            if live is None or not (routing.is_on_it(observed) or membership.is_accepted):
                return (*routing.as_it_is(observed), *held)
            return (self._turned(router=live.name), *held)
        if router is None:
            return as_they_are(observed, (record.object for record in observed.records))
        if membership.group is None or routing.is_on_it(observed) or routing.accepts_me(references, observed):
            return (*moved(planned, router), self._turned(router=router.name), *held)
        return (*moved(planned, router), *routing.as_it_is(observed), *held)

    def leaves_to_others(self, observed: Observed) -> frozenset[ApiObject]:
        """The service, to an older resource of its name; each router that somebody else sees to, with its routes."""
        left = {object for object, _ in self._membership.rivals()}
        for record in observed.of_kind(ApiKind.VIRTUAL_ROUTER):
            if record.object in left or not self._membership.sees_to(record.object):
                left |= set(with_routes(observed, record.object))
        return frozenset(left)

    def keeps_for_others(self, observed: Observed) -> tuple[Wanted, ...]:
        """Routers that are this service's to delete, but on which others still are."""
        routers = [record.object for record in observed.of_kind(ApiKind.VIRTUAL_ROUTER)]
        groups = ((router, self._membership.holders(router)) for router in routers)
        shared = [router for router, group in groups if group is not None and group.needs(router)]
        return as_they_are(observed, (object for router in shared for object in with_routes(observed, router)))

    def identities(self) -> tuple[ApiObject, ...]:
        """Service, and the router if this service sees to it."""
        return (*((self._routing.router,) if self._routing.sees_to_router else ()), self._object)

    def further(self, observed: Observed) -> tuple[ApiObject, ...]:
        """Routers not known yet that are this service's to see to.

        The live one, when it was made by a swap or by another service that led before; and those that its status
        tells of, when those who saw to them are gone.
        """
        on = live_router(self._object, observed)
        me = self._membership.me
        elsewhere = me.live is not None and me.live.mesh != self._object.mesh
        told = (*((me.live,) if on == me.live or elsewhere else ()), *me.retired)
        routers = [router for router in told if router is not None and self._membership.is_left_with(router)]
        if self._routing.sees_to_router and not self._deleting and (live := self._routing.live(observed)) is not None:
            routers.append(live)
        return tuple(dict.fromkeys(router for router in routers if observed.find(router) is None))

    def status_members(self, observed: Observed, references: References | None) -> dict[str, Any]:
        """ARNs of service, router and routes, who shares the router, and the listeners if taken from a target."""
        inferred = None
        targets = self._routing.targets
        if references is not None and self._routing.node is None and not targets.own_listeners():
            listeners = targets.listeners(references)
            inferred = [{"portMapping": listener.model_dump(by_alias=True)} for listener in listeners] or None
        return {
            "virtualServiceArn": arn_of(observed, self._object),
            **router_members(self._routing, observed, references),
            "inferredListeners": inferred,
        }

    def _turned(self, router: str | None = None, node: str | None = None) -> Wanted:
        return Wanted(object=self._object, spec=virtual_service_spec(router, node))

    def _shortfall_in(self, group: Group, references: References, observed: Observed) -> Outcome | None:
        if self._membership.leads:
            union = self._routing.union(references, observed)
            refusal = union.refusals.get(group.me.uid)
            if union.router is None and refusal is None:
                return Outcome(reason=Reason.NO_LISTENER, message=self._routing.targets.no_listener())
        else:
            verdict = group.verdict_on_me()
            if verdict is None or group.live is None:
                router = self._routing.router.name
                message = f"{group.leader.label} sees to router {router} and has not taken this up yet"
                if group.waits_for is not None:
                    message = f"{group.waits_for.label} shares router {router} and has not noticed this yet"
                return Outcome(reason=Reason.WAITING_FOR_ROUTER, message=message)
            refusal = verdict.refusal
        if refusal is None:
            return None
        again = Again.SLOWLY if self._membership.leads and refusal.by_app_mesh else Again.NEVER
        return Outcome(reason=refusal.reason, message=refusal.message, again=again, failed_kind=ApiKind.ROUTE)
