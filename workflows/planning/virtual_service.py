"""A VirtualService wants a router, its routes, and a service that points at the router; or at a node and no more.

It waits for its mesh and for every node that it targets. A router without listeners takes the first listener of the
first route's first target, as the reference controller did, but never writes it into the user's spec, so a later change
of that node is followed.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, ClassVar

from activities.messages import ReadReferences, Record, References
from activities.objects import ApiKind, ApiObject
from resources.conditions import ConditionType, Reason
from resources.errors import InvalidResource
from resources.kinds import Kind
from resources.names import provider_node_name, router_name
from resources.parsing import parse_virtual_service
from resources.relations import Claim, names_of_router
from resources.translate.virtual_service import route_spec, router_spec, virtual_service_spec
from resources.virtual_service import VirtualServiceSpec
from workflows.messages import Snapshot
from workflows.planning.desired import Desired, arn_of, mesh_stands_in_the_way
from workflows.planning.outcome import ACHIEVED, Again, Outcome
from workflows.planning.plan import Observed, Wanted
from workflows.planning.refusal import LASTING, Refusal
from workflows.planning.routing import (
    choose_router,
    is_made_from,
    live_router,
    moved,
    routing_update,
)
from workflows.planning.sharing import (
    Contribution,
    Group,
    Refused,
    Sharer,
    Union,
    as_they_are,
    name_conflict,
    older_rival,
    on_router,
    unite,
    with_routes,
)
from workflows.planning.targets import Targets


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
        self._service = parse_virtual_service(snapshot.as_resource())
        self._snapshot = snapshot
        self._relatives = relatives
        self._refusals = refusals
        self._namespace = self._service.metadata.namespace or ""
        mesh = self._service.spec.mesh_name
        self._object = ApiObject(kind=ApiKind.VIRTUAL_SERVICE, mesh=mesh, name=self._service.metadata.name)
        self._mode = routing_update(self._service.metadata.annotations)
        self._router = ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh=mesh, name=router_name(self._service))
        self._node_provider = provider_node_name(self._service)
        self._targets = Targets(self._service)
        self._group = None if self._node_provider is not None else self._group_of(self._router.name)

    def references(self) -> ReadReferences:
        """The mesh, and every node resource that a target may mean; for the leader of a router, also of its sharers."""
        names = [name for each in (self, *(other for _, other in self._led)) for name in each._targets.node_names]
        return ReadReferences(mesh=self._object.mesh, namespace=self._namespace, nodes=tuple(dict.fromkeys(names)))

    def blocked(self, references: References) -> Outcome | None:
        """By its mesh, by an older resource of its name, by targets that are missing, by a router without a listener.

        Where a router is shared, only the first two stop everything: the others may go on without this one's routes.
        """
        if (by_mesh := mesh_stands_in_the_way(self._object.mesh, references.mesh)) is not None:
            return by_mesh
        for claimed, object in self._claimed():
            if rival := older_rival(self._snapshot, claimed, self._relatives):
                return name_conflict(rival, object)
        return self._targets.lacks(references) if self._group is None else None

    def shortfall(self, references: References, observed: Observed) -> Outcome:
        """What keeps this service's own routes off a shared router; or that something waits to be cleaned up."""
        if self._group is not None:
            lacking = self._targets.lacks(references, alone=False) or self._shortfall_in(
                self._group, references, observed
            )
            if lacking is not None:
                return lacking
        _, router = self._planned(references, observed)
        if self._held(observed, router):
            return Outcome(reason=Reason.ACTIVE, again=Again.SOON)
        return Outcome(reason=Reason.ACTIVE, again=Again.SLOWLY) if self._set_aside else ACHIEVED

    def refused(self, outcome: Outcome, references: References, observed: Observed) -> Refusal | None:
        """Of those who share the router: whose route it was; of a quota, the youngest who asks for more than is there.

        Never of one that has been set aside already, as that one asks for nothing.
        """
        route = outcome.failed_object
        _, router = self._planned(references, observed)
        if self._group is None or route is None or router is None or route.on_router != router:
            return None
        if outcome.reason not in LASTING:
            return None
        union = self._union(references, observed)
        asker = union.asked_by.get(route.name)
        if outcome.reason is Reason.LIMIT_EXCEEDED:
            missing = union.asked_by.keys() - on_router(observed, router).keys()
            asker = max((union.asked_by[name] for name in missing), key=lambda each: each.age, default=asker)
        return Refusal.of(asker.snapshot, outcome) if asker is not None else None

    def wanted(self, references: References, observed: Observed) -> tuple[Wanted, ...]:
        """Router, routes, service; on the live router or on a new one beside it, as `routing` chooses.

        With a node of its own, or a router that another service sees to, the service is all. A router that was there
        goes once the service has been turned, or when nobody else is on it either.
        """
        routing, router = self._planned(references, observed)
        held = self._held(observed, router)
        if self._node_provider is not None:
            return (self._turned(node=self._node_provider), *held)
        if self._group is not None and not self._leads:
            live = self._group.live
            if live is None or not (self._is_on_it(observed) or self._is_accepted(self._group)):
                return (*self._as_it_is(observed), *held)
            return (self._turned(router=live.name), *held)
        if router is None:
            return as_they_are(observed, (record.object for record in observed.records))
        if self._group is None or self._is_on_it(observed) or self._accepts_me(references, observed):
            return (*moved(routing, router), self._turned(router=router.name), *held)
        return (*moved(routing, router), *self._as_it_is(observed), *held)

    def leaves_to_others(self, observed: Observed) -> frozenset[ApiObject]:
        """The service, to an older resource of its name; each router that somebody else sees to, with its routes."""
        left = {object for claimed, object in self._claimed() if older_rival(self._snapshot, claimed, self._relatives)}
        for record in observed.of_kind(ApiKind.VIRTUAL_ROUTER):
            if record.object in left or not self._sees_to(record.object):
                left |= set(with_routes(observed, record.object))
        return frozenset(left)

    def keeps_for_others(self, observed: Observed) -> tuple[Wanted, ...]:
        """Routers that are this service's to delete, but on which others still are."""
        routers = [record.object for record in observed.of_kind(ApiKind.VIRTUAL_ROUTER)]
        shared = [router for router in routers if (group := self._holders(router)) is not None and group.needs(router)]
        return as_they_are(observed, (object for router in shared for object in with_routes(observed, router)))

    def identities(self) -> tuple[ApiObject, ...]:
        """Service, and the router if this service sees to it."""
        sees_to_it = self._node_provider is None and self._leads
        return (*((self._router,) if sees_to_it else ()), self._object)

    def further(self, observed: Observed) -> tuple[ApiObject, ...]:
        """Routers not known yet that are this service's to see to.

        The live one, when it was made by a swap or by another service that led before; and those that its status
        tells of, when those who saw to them are gone.
        """
        on = live_router(self._object, observed)
        me = Sharer(self._snapshot)
        told = (*((on,) if on == me.live else ()), *me.retired)
        routers = [router for router in told if router is not None and self._is_left_with(router)]
        if (
            self._node_provider is None
            and self._leads
            and not self._snapshot.deleting
            and (live := self._live(observed)) is not None
        ):
            routers.append(live)
        return tuple(dict.fromkeys(router for router in routers if observed.find(router) is None))

    def status_members(self, observed: Observed, references: References | None) -> dict[str, Any]:
        """ARNs of service, router and routes, who shares the router, and the listeners if taken from a target."""
        inferred = None
        if references is not None and self._node_provider is None and not self._targets.own_listeners():
            listeners = self._targets.listeners(references)
            inferred = [{"portMapping": listener.model_dump(by_alias=True)} for listener in listeners] or None
        return {
            "virtualServiceArn": arn_of(observed, self._object),
            **self._router_members(observed, references),
            "inferredListeners": inferred,
        }

    # -- the router and its routes ---------------------------------------------------------------------------------

    @property
    def spec(self) -> VirtualServiceSpec:
        """What the resource's spec says."""
        return self._service.spec

    def contribution(self, references: References) -> Contribution | None:
        """What this service asks of its router; None while it waits for something."""
        if self._node_provider is not None or self._targets.lacks(references, alone=False) is not None:
            return None
        return self._asks(references)

    def _asks(self, references: References) -> Contribution:
        siblings = frozenset(name for name, node in references.nodes.items() if node.found)
        routes = {route.name: route_spec(route, self._namespace, siblings) for route in self._service.spec.routes}
        own, listeners = self._targets.own_listeners(), self._targets.listeners(references)
        return Contribution(
            Sharer(self._snapshot),
            routes,
            router_spec(own) if own else None,
            router_spec(listeners) if listeners else None,
        )

    def _union(self, references: References, observed: Observed) -> Union:
        """All that the router shall hold."""
        group = self._group or Group(self._claim(self._router.name), Sharer(self._snapshot), ())
        own = self._asks(references) if self._group is None else self.contribution(references)
        asked = {group.me.uid: own}
        asked |= {sharer.uid: other.contribution(references) for sharer, other in self._led}
        live = self._live(observed)
        there = on_router(observed, live) if live is not None else {}
        return unite(group, {uid: each for uid, each in asked.items() if each is not None}, there, self._set_aside)

    def _routing(self, references: References, observed: Observed) -> tuple[Wanted, ...]:
        """Router and routes under the name that the spec gives; none while nobody says what it listens to."""
        union = self._union(references, observed)
        if union.router is None:
            return ()
        mesh, router = self._object.mesh, self._router
        routes = (
            Wanted(object=ApiObject(kind=ApiKind.ROUTE, mesh=mesh, name=name, router=router.name), spec=spec)
            for name, spec in union.routes.items()
        )
        return (Wanted(object=router, spec=union.router), *routes)

    def _planned(self, references: References, observed: Observed) -> tuple[tuple[Wanted, ...], ApiObject | None]:
        """The routing that this service sees to, and the router that shall hold it; nothing where it sees to none."""
        sees_to_it = self._node_provider is None and self._leads
        routing = self._routing(references, observed) if sees_to_it else ()
        if not routing:
            return (), None
        return routing, choose_router(self._router, self._live(observed), routing, observed, self._mode)

    def _live(self, observed: Observed) -> ApiObject | None:
        """The router of this name that carries traffic: by what we know of our service, else by what the others say."""
        own = live_router(self._object, observed)
        if own is not None and is_made_from(own, self._router):
            return own
        return self._group.live if self._group is not None else None

    def _is_on_it(self, observed: Observed) -> bool:
        """Whether the service is on the router that it names, and so has to turn when the router is swapped."""
        on = live_router(self._object, observed)
        return on is not None and is_made_from(on, self._router)

    def _as_it_is(self, observed: Observed) -> tuple[Wanted, ...]:
        """The service where it is, with the router that it is on as far as that is this service's to see to."""
        on = live_router(self._object, observed)
        router = with_routes(observed, on) if on is not None else ()
        return as_they_are(observed, (self._object, *router))

    def _turned(self, router: str | None = None, node: str | None = None) -> Wanted:
        return Wanted(object=self._object, spec=virtual_service_spec(router, node))

    # -- those who share it ----------------------------------------------------------------------------------------

    def _claim(self, router: str) -> Claim:
        return Claim("virtualRouter", self._object.mesh, router)

    def _claimed(self) -> tuple[tuple[Claim | None, ApiObject], ...]:
        router = () if self._node_provider is not None else ((self._claim(self._router.name), self._router),)
        return ((None, self._object), *router)

    def _group_of(self, router: str, mesh: str | None = None) -> Group | None:
        """Those who share a router with this service; None when nobody does."""
        claim = Claim("virtualRouter", mesh or self._object.mesh, router)
        group = Group.of(claim, self._snapshot, self._relatives)
        return group if group.others else None

    def _holders(self, router: ApiObject) -> Group | None:
        """Those who share a router that this service has made or taken over; None when nobody does."""
        groups = (self._group_of(name, router.mesh) for name in reversed(names_of_router(router.name)))
        return next((group for group in groups if group is not None), None)

    @property
    def _set_aside(self) -> tuple[Refusal, ...]:
        """Of those who share the router that this service sees to: whom App Mesh has refused as they are now."""
        if self._group is None or not self._leads:
            return ()
        sharers = [each.snapshot for each in self._group.all]
        return tuple(refusal for refusal in self._refusals if any(refusal.is_about(each) for each in sharers))

    @property
    def _leads(self) -> bool:
        """Whether it is up to this service to see to the router that it names, without question."""
        return self._group is None or (self._group.i_lead and self._group.waits_for is None)

    def _sees_to(self, router: ApiObject) -> bool:
        """Whether a router is this service's, because nobody shares it or because this one leads."""
        group = self._holders(router)
        return group is None or group.is_mine(router)

    def _is_left_with(self, router: ApiObject) -> bool:
        """Whether nobody else is there to see to a router."""
        group = self._holders(router)
        return group is None or group.i_lead

    @cached_property
    def _led(self) -> tuple[tuple[Sharer, "DesiredVirtualService"], ...]:
        """The others whose routes this service sees to, as far as their specs can be read."""
        led = []
        if self._group is not None and self._leads:
            for sharer in self._group.others:
                if sharer.names(self._group.router):
                    with suppress(InvalidResource):
                        led.append((sharer, DesiredVirtualService(sharer.snapshot)))
        return tuple(led)

    def _is_accepted(self, group: Group) -> bool:
        verdict = group.verdict_on_me()
        return verdict is not None and verdict.refusal is None

    def _accepts_me(self, references: References, observed: Observed) -> bool:
        mine = self.contribution(references) is not None
        return mine and self._snapshot.key.uid not in self._union(references, observed).refusals

    def _shortfall_in(self, group: Group, references: References, observed: Observed) -> Outcome | None:
        if self._leads:
            union = self._union(references, observed)
            if union.router is None:
                return Outcome(reason=Reason.NO_LISTENER, message=self._targets.no_listener())
            refusal = union.refusals.get(self._snapshot.key.uid)
        else:
            verdict = group.verdict_on_me()
            if verdict is None or group.live is None:
                message = f"{group.leader.label} sees to router {self._router.name} and has not taken this up yet"
                if group.waits_for is not None:
                    message = f"{group.waits_for.label} shares router {self._router.name} and has not noticed this yet"
                return Outcome(reason=Reason.WAITING_FOR_ROUTER, message=message)
            refusal = verdict.refusal
        if refusal is None:
            return None
        again = Again.SLOWLY if self._leads and refusal.by_app_mesh else Again.NEVER
        return Outcome(reason=refusal.reason, message=refusal.message, again=again, failed_kind=ApiKind.ROUTE)

    def _held(self, observed: Observed, current: ApiObject | None) -> tuple[Wanted, ...]:
        """Routers that stay for the sake of others: old ones of ours until all have turned, and those we have left.

        Args:
            observed: what App Mesh holds.
            current: the router that shall hold the routing; None when this service sees to none.
        """
        held: list[ApiObject] = []
        for record in observed.of_kind(ApiKind.VIRTUAL_ROUTER):
            router = record.object
            if router == current:
                continue
            group = self._holders(router)
            if group is None:
                continue
            if current is not None and is_made_from(router, self._router):
                stays = not group.released(current)
            else:
                stays = group.needs(router)
            if stays:
                held += with_routes(observed, router)
        return as_they_are(observed, held)

    def _router_members(self, observed: Observed, references: References | None) -> dict[str, Any]:
        """What the status tells of the router; in a group, what the others go by."""
        group, mine = self._group, self._snapshot.key.uid
        before = Sharer(self._snapshot).routes
        on = live_router(self._object, observed)
        retired = [
            self._retired(record) for record in observed.of_kind(ApiKind.VIRTUAL_ROUTER) if self._has_left(record)
        ]
        members: dict[str, Any] = {
            "routerLeader": self._leader_to_name(on),
            "routerSharers": self._still_allowed(),
            "retiredRouters": retired or None,
        }
        if group is None or (self._leads and references is None):
            has_service = observed.find(self._object) is not None
            shared = on is not None and self._holders(on) is not None
            routes = sorted(
                record.arn
                for record in observed.of_kind(ApiKind.ROUTE)
                if (record.object.router == on.name if on is not None else not has_service)
                and not (shared and record.object.name not in before)
            )
            if on is not None and observed.find(on) is None:
                # It is on a router that another one saw to, and says so until it has turned elsewhere.
                kept = _beside(arn_of(observed, self._object), on)
                return members | {
                    "virtualRouterArn": kept,
                    "routeArns": [f"{kept}/route/{name}" for name in sorted(before)] or None,
                }
            router = arn_of(observed, on) if on is not None else self._made(observed)
            return members | {"virtualRouterArn": router, "routeArns": routes or None}
        own = arn_of(observed, self._object)
        if not self._leads or references is None:
            accepted = self._is_accepted(group) and on == group.live
            router = (_beside(own, on) if on is not None else None) or self._made(observed)
            names = [route.name for route in self._service.spec.routes] if accepted else sorted(group.me.routes)
        else:
            union = self._union(references, observed)
            _, chosen = self._planned(references, observed)
            done = chosen is not None and on_router(observed, chosen) == dict(union.routes)
            elsewhere = on is not None and not is_made_from(on, self._router)
            current = on if on is not None and not elsewhere else (chosen if done else group.live)
            router = arn_of(observed, current) if current is not None else None
            if on is not None and elsewhere:
                members["retiredRouters"] = [*retired, *([{"arn": router}] if router is not None else [])] or None
                router = _beside(own, on)
            accepts = {sharer.uid: other.contribution(references) is not None for sharer, other in self._led}
            if done and current == chosen:
                entries = [
                    _sharer(group, sharer, other, union.refusals.get(sharer.uid))
                    for sharer, other in self._led
                    if accepts[sharer.uid]
                ]
                told = {entry["uid"] for entry in entries}
                entries += [entry for entry in group.still_allowed() if entry["uid"] not in told]
                members["routerSharers"] = entries or None
            else:
                members["routerSharers"] = self._snapshot.status.get("routerSharers")
            took_mine = self.contribution(references) is not None and mine not in union.refusals
            names = [route.name for route in self._service.spec.routes] if took_mine else sorted(group.me.routes)
            there = on_router(observed, current) if current is not None else {}
            names = sorted(group.me.routes) if elsewhere else [name for name in names if name in there]
        arns = [f"{router}/route/{name}" for name in sorted(names)] if router is not None else []
        return members | {"virtualRouterArn": router, "routeArns": arns or None}

    def _still_allowed(self) -> list[dict[str, Any]] | None:
        """For one that is leaving the router that it saw to: whom it told to go there."""
        live = Sharer(self._snapshot).live
        group = self._holders(live) if live is not None else None
        if group is None or group.me.names(group.router):
            return None
        return group.still_allowed() or None

    def _made(self, observed: Observed) -> str | None:
        """The ARN of a router of this name that is there though the service is not on it (yet, or any more)."""
        made = (record for record in observed.of_kind(ApiKind.VIRTUAL_ROUTER) if not self._has_left(record))
        return next((record.arn for record in made), None)

    def _has_left(self, router: Record) -> bool:
        """Whether a router that is known is one that only waits to be deleted, or for somebody to take it over."""
        return self._node_provider is not None or not is_made_from(router.object, self._router)

    def _retired(self, router: Record) -> dict[str, Any]:
        group = self._holders(router.object)
        heir = group.leader.as_seen if group is not None and not group.i_lead else None
        return {"arn": router.arn} | ({"heir": heir} if heir is not None else {})

    def _leader_to_name(self, on: ApiObject | None) -> dict[str, Any] | None:
        """Who sees to the router that the service is to be on, or else to the one that it is on, if it is another."""
        groups = [self._holders(on)] if on is not None else []
        for group in (self._group, *groups):
            if group is not None and not group.i_lead:
                return group.leader.as_seen
        return None


def _sharer(group: Group, sharer: Sharer, service: DesiredVirtualService, refusal: Refused | None) -> dict[str, Any]:
    entry = sharer.as_seen | {"accepted": refusal is None}
    if refusal is None:
        return entry | {"routes": [route.name for route in service.spec.routes]}
    # One that was allowed may have turned by that without having said so: its routes stay until it has.
    allowed = {"routes": sorted(group.routes_of(sharer))} if group.has_allowed(sharer) else {}
    return entry | {"reason": refusal.reason.value, "message": refusal.message} | allowed


def _beside(service_arn: str | None, router: ApiObject) -> str | None:
    """The ARN of a router in the mesh of a service, from that service's."""
    return f"{service_arn.partition('/virtualService/')[0]}/virtualRouter/{router.name}" if service_arn else None
