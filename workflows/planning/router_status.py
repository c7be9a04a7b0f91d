"""What the status of a VirtualService tells of its router; in a group, all that the others go by. Pure.

See `workflows.planning.sharing` for who writes which member, and what the others make of it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from activities.messages import Record, References
from activities.objects import ApiKind, ApiObject
from resources.normal import same_spec
from workflows.planning.desired import arn_of
from workflows.planning.plan import Observed
from workflows.planning.routing import is_made_from, live_router, on_router
from workflows.planning.service_routing import ServiceRouting
from workflows.planning.sharer import Refused
from workflows.planning.sharing import Group

Members = dict[str, Any]
"""Members of the status; None removes one."""


def router_members(routing: ServiceRouting, observed: Observed, references: References | None) -> Members:
    """ARNs of router and routes, who shares them and who leads, and which routers wait to go.

    Args:
        routing: the service, and where it stands among others.
        observed: what App Mesh holds for it.
        references: what it refers to; None when that was not looked at.
    """
    return _RouterStatus(routing, observed).members(references)


class _RouterStatus:
    def __init__(self, routing: ServiceRouting, observed: Observed) -> None:
        self._routing = routing
        self._membership = routing.membership
        self._observed = observed
        self._on = live_router(routing.object, observed)
        self._service_arn = arn_of(observed, routing.object)

    def members(self, references: References | None) -> Members:
        membership = self._membership
        common: Members = {
            "routerLeader": self._leader_to_name(),
            "routerSharers": self._still_allowed(),
            "retiredRouters": self._retired() or None,
        }
        if membership.group is None or (membership.leads and references is None):
            return common | self._of_its_own()
        if not membership.leads or references is None:
            return common | self._as_follower(membership.group)
        return common | self._as_leader(membership.group, references)

    def _of_its_own(self) -> Members:
        on, observed, before = self._on, self._observed, self._membership.me.routes
        if on is not None and observed.find(on) is None:
            # It is on a router that another one saw to, and says so until it has turned elsewhere.
            return _members(self._beside(on), before)
        shared = on is not None and self._membership.holders(on) is not None
        has_service = observed.find(self._routing.object) is not None
        routes = sorted(
            record.arn
            for record in observed.of_kind(ApiKind.ROUTE)
            if (record.object.router == on.name if on is not None else not has_service)
            and not (shared and record.object.name not in before)
        )
        router = arn_of(observed, on) if on is not None else self._made()
        return {"virtualRouterArn": router, "routeArns": routes or None}

    def _as_follower(self, group: Group) -> Members:
        on = self._on
        accepted = self._membership.is_accepted and on == group.live
        router = (self._beside(on) if on is not None else None) or self._made()
        return _members(router, self._routing.route_names if accepted else group.me.routes)

    def _as_leader(self, group: Group, references: References) -> Members:
        routing, observed, on = self._routing, self._observed, self._on
        sharers = group.me.snapshot.status.get("routerSharers")
        if on is not None and routing.is_on_it(observed) and observed.find(on) is None:
            # It sees to the router from here on, and could not look at it yet; it is on it all the same.
            return {"routerSharers": sharers} | _members(self._beside(on), group.me.routes)
        union = routing.union(references, observed)
        _, chosen = routing.planned(references, observed)
        done = chosen is not None and _same_routes(union.routes, on_router(observed, chosen))
        elsewhere = on is not None and not routing.is_on_it(observed)
        current = on if on is not None and not elsewhere else (chosen if done else group.live)
        router = arn_of(observed, current) if current is not None else None
        if done and current == chosen:
            sharers = self._verdicts(group, references, union.refusals) or None
        if on is not None and elsewhere:
            # It sees to the router for others, and is not on it itself: to the others that is one it has left.
            seen_to = [{"arn": router}] if router is not None else []
            retired = [*self._retired(), *seen_to] or None
            return {"retiredRouters": retired, "routerSharers": sharers} | _members(self._beside(on), group.me.routes)
        there = on_router(observed, current) if current is not None else {}
        names = routing.route_names if routing.accepts_me(references, observed) else group.me.routes
        return {"routerSharers": sharers} | _members(router, [name for name in names if name in there])

    def _verdicts(self, group: Group, references: References, refusals: Mapping[str, Refused]) -> list[Members]:
        """Of those who wait for nothing, whose routes are on the router and whose not; and of whom that was so."""
        entries = [
            _verdict(group, other, refusals.get(other.membership.me.uid))
            for other in self._routing.led
            if other.contribution(references) is not None
        ]
        told = {entry["uid"] for entry in entries}
        return [*entries, *(entry for entry in group.still_allowed() if entry["uid"] not in told)]

    def _still_allowed(self) -> list[Members] | None:
        """For one that is leaving the router that it saw to: whom it told to go there."""
        live = self._membership.me.live
        group = self._membership.holders(live) if live is not None else None
        if group is None or group.me.names(group.router):
            return None
        return group.still_allowed() or None

    def _leader_to_name(self) -> Members | None:
        """Who sees to the router that the service is to be on, or else to the one that it is on, if it is another."""
        groups = [self._membership.holders(self._on)] if self._on is not None else []
        for group in (self._membership.group, *groups):
            if group is not None and not group.i_lead:
                return group.leader.as_seen
        group = self._membership.group
        if group is not None and group.waits_for is not None and group.me.follows_life_of(group.waits_for):
            return group.waits_for.as_seen  # or nobody would tell this one when that one has caught up
        return None

    def _retired(self) -> list[Members]:
        left = (record for record in self._observed.of_kind(ApiKind.VIRTUAL_ROUTER) if self._has_left(record))
        return [{"arn": record.arn} | self._heir(record.object) for record in left]

    def _heir(self, router: ApiObject) -> Members:
        group = self._membership.holders(router)
        return {"heir": group.leader.as_seen} if group is not None and not group.i_lead else {}

    def _made(self) -> str | None:
        """The ARN of a router of this name that is there though the service is not on it (yet, or any more)."""
        made = (record for record in self._observed.of_kind(ApiKind.VIRTUAL_ROUTER) if not self._has_left(record))
        return next((record.arn for record in made), None)

    def _has_left(self, router: Record) -> bool:
        """Whether a router that is known is one that only waits to be deleted, or for somebody to take it over."""
        return self._routing.node is not None or not is_made_from(router.object, self._routing.router)

    def _beside(self, router: ApiObject) -> str | None:
        """The ARN of a router in the mesh of the service, from the service's."""
        arn = self._service_arn
        return f"{arn.partition('/virtualService/')[0]}/virtualRouter/{router.name}" if arn else None


def _same_routes(wanted: Mapping[str, Mapping[str, Any]], there: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether these are the routes that are wanted, as far as an update would change anything.

    What is there may be in another form for good: as App Mesh describes it, or with targets in another order.
    """
    return wanted.keys() == there.keys() and all(same_spec(spec, there[name]) for name, spec in wanted.items())


def _members(router: str | None, routes: Iterable[str]) -> Members:
    arns = [f"{router}/route/{name}" for name in sorted(routes)] if router is not None else []
    return {"virtualRouterArn": router, "routeArns": arns or None}


def _verdict(group: Group, routing: ServiceRouting, refusal: Refused | None) -> Members:
    sharer = routing.membership.me
    entry = sharer.as_seen | {"accepted": refusal is None}
    if refusal is None:
        return entry | {"routes": list(routing.route_names)}
    # One that was allowed may have turned by that without having said so: its routes stay until it has.
    allowed = {"routes": sorted(group.routes_of(sharer))} if group.has_allowed(sharer) else {}
    return entry | {"reason": refusal.reason.value, "message": refusal.message} | allowed
