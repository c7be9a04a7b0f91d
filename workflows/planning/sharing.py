"""A router that several VirtualServices share: who sees to it, what is on it, and when it may go. Pure.

One of the services leads. Its workflow alone writes the router and the routes, the union of all that the services ask
for; each service's own workflow writes only the service. They speak through their status, which every one of them reads
afresh: the leader publishes whose routes are on the router (`routerSharers`), the others whom they follow
(`routerLeader`) and which router they are on (`virtualRouterArn`). So a router never has two masters, and a swap moves
all services before the old router goes. See docs/explanation/decisions/0006.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from activities.objects import ApiKind, ApiObject
from resources.conditions import ConditionType, Reason
from resources.errors import InvalidResource
from resources.kinds import Kind
from resources.normal import same_spec
from resources.parsing import parse_virtual_service
from resources.relations import Claim, claims, held_routers, named_router, names_of_router
from workflows.messages import Snapshot
from workflows.planning.outcome import Outcome
from workflows.planning.plan import Observed, Wanted
from workflows.planning.refusal import LASTING, Refusal


@dataclass(frozen=True)
class Refused:
    """Why the routes of a service are not on a router."""

    reason: Reason
    message: str

    @property
    def by_app_mesh(self) -> bool:
        """Whether only trying again can tell when that ends."""
        return self.reason in LASTING


@dataclass(frozen=True)
class Verdict:
    """What a leader says of another service: which generation it looked at, and why its routes are not there, if so.

    `routes` are those that it was allowed, last or before it was refused: by them it may be on the router. None: never.
    """

    generation: int
    refusal: "Refused | None" = None
    routes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Sharer:
    """One service, as its resource tells."""

    snapshot: Snapshot

    @property
    def uid(self) -> str:
        """Which life of it."""
        return self.snapshot.key.uid

    @property
    def age(self) -> tuple[str, str]:
        """For sorting, oldest first; never the same for two."""
        return self.snapshot.created, self.uid

    @property
    def label(self) -> str:
        """As messages name it."""
        return label(self.snapshot)

    def names(self, router: Claim) -> bool:
        """Whether its spec asks for the router, it is to stay, and its workflow can do something about it."""
        return not self.snapshot.deleting and self.asks_for == router and self.is_readable

    def holds(self, router: Claim) -> bool:
        """Whether its status records the router, as the one it is on or as one it has left."""
        return router in held_routers(self.snapshot.status)

    def heirs(self, router: Claim) -> list[dict[str, Any]]:
        """To whom it has left the router, by its status; mostly nobody, and one at most unless a swap was cut short."""
        retired = self.snapshot.status.get("retiredRouters") or ()
        return [
            entry["heir"]
            for entry in retired
            if entry.get("heir") and router in held_routers({"retiredRouters": [entry]})
        ]

    def leaves_it_to(self, other: "Sharer", router: Claim) -> bool:
        """Whether it says that it follows this one, or has left the router to it."""
        return self.follows_life_of(other) or any(heir["uid"] == other.uid for heir in self.heirs(router))

    @property
    def is_refused(self) -> bool:
        """Whether its name in App Mesh is somebody else's, so that it does nothing for now."""
        return any(
            condition.get("type") == ConditionType.VIRTUAL_SERVICE_ACTIVE
            and condition.get("reason") == Reason.NAME_CONFLICT
            for condition in self.snapshot.status.get("conditions") or ()
        )

    @cached_property
    def is_readable(self) -> bool:
        """Whether its spec makes sense; the workflow of one that does not will never do anything."""
        try:
            parse_virtual_service(self.snapshot.as_resource())
        except InvalidResource:
            return False
        return True

    @cached_property
    def asks_for(self) -> Claim | None:
        """The router that its spec names."""
        key = self.snapshot.key
        return named_router(key.namespace or "", key.name, self.snapshot.spec)

    @property
    def live(self) -> ApiObject | None:
        """The router that it is on, by its status."""
        arn = self.snapshot.status.get("virtualRouterArn")
        return ApiObject.from_arn(arn) if arn else None

    def live_in(self, router: Claim) -> ApiObject | None:
        """The router itself or one made beside it, as far as it is on that or sees to it for others."""
        retired = self.snapshot.status.get("retiredRouters") or ()
        kept = (entry.get("arn") for entry in retired if not entry.get("heir"))
        for arn in (self.snapshot.status.get("virtualRouterArn"), *kept):
            if arn and router in held_routers({"virtualRouterArn": arn}):
                return ApiObject.from_arn(arn)
        return None

    def is_on(self, router: Claim) -> bool:
        """Whether it is on the router or on one made beside it, or sees to that for others."""
        return self.live_in(router) is not None

    def records(self, router: ApiObject) -> bool:
        """Whether its status tells of exactly this router."""
        return router in (self.live, *self.retired)

    @property
    def retired(self) -> tuple[ApiObject | None, ...]:
        """The routers that it has left and that are not gone yet, by its status."""
        entries = self.snapshot.status.get("retiredRouters") or ()
        return tuple(ApiObject.from_arn(entry.get("arn") or "") for entry in entries)

    @property
    def has_caught_up(self) -> bool:
        """Whether its workflow has dealt with its newest generation."""
        return bool(self.snapshot.status.get("observedGeneration") == self.snapshot.generation)

    @property
    def follows(self) -> bool:
        """Whether it says that another one leads."""
        return bool(self.snapshot.status.get("routerLeader"))

    def follows_life_of(self, other: "Sharer") -> bool:
        """Whether it says that it follows this one, whichever generation of it."""
        return (self.snapshot.status.get("routerLeader") or {}).get("uid") == other.uid

    def agrees_to(self, other: "Sharer", router: Claim) -> bool:
        """Whether it says that it leaves the router to this one as its spec is now.

        Having followed an earlier one is not enough: it may have gone its own way since.
        """
        if self.asks_for != router:
            heirs = self.heirs(router)
            if heirs or not self.is_on(router):
                return self.has_caught_up and all(heir == other.as_seen for heir in heirs)
        return bool(self.snapshot.status.get("routerLeader") == other.as_seen)

    @property
    def as_seen(self) -> dict[str, Any]:
        """As those who follow it name it in their status."""
        snapshot = self.snapshot
        return {"name": snapshot.key.name, "uid": self.uid, "generation": snapshot.generation}

    @property
    def routes(self) -> frozenset[str]:
        """Names of its routes on the router."""
        objects = (ApiObject.from_arn(arn) for arn in self.snapshot.status.get("routeArns") or ())
        return frozenset(object.name for object in objects if object is not None)

    @cached_property
    def verdicts(self) -> dict[str, Verdict]:
        """What it has published of others, by uid."""
        return {
            entry["uid"]: Verdict(
                entry["generation"],
                None if entry["accepted"] else _refused(entry),
                tuple(entry.get("routes") or ()) if entry["accepted"] or "routes" in entry else None,
            )
            for entry in self.snapshot.status.get("routerSharers") or ()
        }


def label(snapshot: Snapshot) -> str:
    """`VirtualService prod/shop`."""
    key = snapshot.key
    return f"{key.kind} {key.namespace}/{key.name}" if key.namespace else f"{key.kind} {key.name}"


def strays(snapshot: Snapshot, observed: Observed) -> frozenset[Claim]:
    """Routers that were made for a service, and that neither its spec nor its status tells of.

    Whoever else asks for one of these does not know of this service, nor this one of them.
    """
    key = snapshot.key
    told = claims(key.kind, key.namespace or "", key.name, snapshot.spec, snapshot.status)
    found: set[Claim] = set()
    for record in observed.of_kind(ApiKind.VIRTUAL_ROUTER):
        named = {Claim("virtualRouter", record.object.mesh, name) for name in names_of_router(record.object.name)}
        found |= set() if named & told else named
    return frozenset(found)


def older_rival(snapshot: Snapshot, claim: Claim | None, relatives: Iterable[Snapshot]) -> Snapshot | None:
    """The oldest of those that came before and claim the same object, outside the namespace when it is a router."""

    def contests(other: Snapshot) -> bool:
        key = other.key
        if key.kind is not snapshot.key.kind or (other.created, key.uid) >= (snapshot.created, snapshot.key.uid):
            return False
        if claim is not None and claim.kind == "virtualRouter":
            return key.namespace != snapshot.key.namespace and Sharer(other).names(claim)
        return other.spec.get("meshName") == snapshot.spec.get("meshName") and _same_name(other, snapshot)

    rivals = [other for other in relatives if contests(other)]
    return min(rivals, key=lambda other: (other.created, other.key.uid), default=None)


def name_conflict(rival: Snapshot | None, object: ApiObject) -> Outcome | None:
    """What a rival means for the younger resource: it waits until the older one goes."""
    if rival is None:
        return None
    return Outcome(
        reason=Reason.NAME_CONFLICT, message=f"{label(rival)}, which is older, has the {object} in mesh {object.mesh}"
    )


def _same_name(one: Snapshot, other: Snapshot) -> bool:
    """Whether two resources of a kind, already known to claim something in common, have one name in App Mesh."""
    return one.key.kind is Kind.VIRTUAL_NODE or one.key.name == other.key.name


@dataclass(frozen=True)
class Group:
    """All who share one router, in one namespace and mesh; `me` among them."""

    router: Claim
    me: Sharer
    others: tuple[Sharer, ...]

    @classmethod
    def of(cls, router: Claim, snapshot: Snapshot, relatives: Sequence[Snapshot]) -> "Group":
        """Those of the namespace that ask for the router or still have it."""
        sharers = (Sharer(each) for each in relatives if each.key.kind is Kind.VIRTUAL_SERVICE)
        me = Sharer(snapshot)

        def shares(other: Sharer) -> bool:
            if other.snapshot.key.namespace != snapshot.key.namespace:
                return False
            may_be_at_it = (me.follows_life_of(other) or other.uid in me.verdicts) and not other.has_caught_up
            return other.asks_for == router or other.holds(router) or may_be_at_it

        return cls(router, me, tuple(sorted(filter(shares, sharers), key=lambda each: each.age)))

    @property
    def all(self) -> tuple[Sharer, ...]:
        """Everybody, oldest first."""
        return tuple(sorted((self.me, *self.others), key=lambda each: each.age))

    @cached_property
    def leader(self) -> Sharer:
        """Who sees to the router.

        Whoever led goes on leading as long as it is on the router and has not said that it follows; so there are never
        two at once. Failing that, the one whom somebody who is on it has named, as that one may be at it already; then
        the oldest that asks for the router; failing that, the oldest that still has it. A service that is leaving says
        so by following, as soon as there is somebody to follow. Nothing is given back to one that has named an heir,
        who would otherwise give it back in the same moment.
        """
        askers = [each for each in self.all if each.names(self.router)]
        if not askers:
            return next((each for each in self.all if not each.heirs(self.router)), self.all[0])
        candidates = askers if not self.me.names(self.router) else self.all
        on_it = [each for each in candidates if each.is_on(self.router)]
        incumbents = [each for each in on_it if not each.follows]
        named = [each for each in askers if any(one.leaves_it_to(each, self.router) for one in on_it)]
        return (incumbents or named or askers)[0]

    @property
    def i_lead(self) -> bool:
        """Whether it is up to me."""
        return self.leader is self.me

    def is_mine(self, router: ApiObject) -> bool:
        """Whether a router that I know is mine still: I lead, or whoever does has not taken it over yet.

        One that still says that it follows me has not: should it go now, nobody but me would know of the router.
        """
        if self.i_lead or not self.leader.records(router):
            return True
        return self.leader.names(self.router) and self.leader.follows_life_of(self.me)

    def needs(self, router: ApiObject) -> bool:
        """Whether a router that I am done with has to stay.

        Because others are on it, or may be on their way to it since I told them so, or about to take it over.
        """
        heir = self.leader
        about_to = not self.i_lead and heir.names(self.router) and not heir.is_on(self.router) and not heir.is_refused
        on_its_way = router == self.me.live and any(
            self.has_allowed(each) and each.live != router for each in self.others
        )
        return about_to or on_its_way or any(each.records(router) for each in self.others)

    @property
    def waits_for(self) -> Sharer | None:
        """Who has to say first that it follows me; None when I lead without question, or do not lead at all.

        Somebody who does not know of me yet may be making the router for itself alone.
        """
        if not self.i_lead or not self.me.names(self.router) or (self.me.is_on(self.router) and not self.me.follows):
            return None
        doubtful = (each for each in self.others if not each.agrees_to(self.me, self.router))
        return next((each for each in doubtful if each.is_readable), None)

    @property
    def live(self) -> ApiObject | None:
        """The router that the group is on, by what its leader, else the oldest of the others, says."""
        first = [] if self.i_lead else [self.leader]
        on_it = (each.live_in(self.router) for each in (*first, *self.others))
        return next((live for live in on_it if live is not None), None)

    def verdict_on_me(self) -> Verdict | None:
        """What the leader has published of me; None when it has not looked at this generation yet."""
        verdict = self.leader.verdicts.get(self.me.uid)
        return verdict if verdict is not None and verdict.generation == self.me.snapshot.generation else None

    def released(self, new: ApiObject) -> bool:
        """Whether nobody else can be on any router of this name but `new`.

        Somebody whose routes were accepted may have turned to the router of then without having said so yet.
        """
        return all(each.live == new or not (each.is_on(self.router) or self.has_allowed(each)) for each in self.others)

    def routes_of(self, sharer: Sharer) -> frozenset[str]:
        """The routes by which somebody may be reached: as its status says, and as I allowed if it may not have said."""
        return (
            sharer.routes | set(self.me.verdicts[sharer.uid].routes or ())
            if self.has_allowed(sharer)
            else sharer.routes
        )

    def has_allowed(self, sharer: Sharer) -> bool:
        """Whether I have let somebody on the router, and it has not said since that it is elsewhere, or leads."""
        verdict = self.me.verdicts.get(sharer.uid)
        if verdict is None or verdict.routes is None:
            return False
        leads = sharer.is_on(self.router) and not sharer.follows
        return not sharer.has_caught_up or (sharer.names(self.router) and not leads)

    def still_allowed(self) -> list[dict[str, Any]]:
        """What I have published of those whom I would not allow it now, and who may have gone by it."""
        allowed = {each.uid for each in self.others if self.has_allowed(each)}
        published = self.me.snapshot.status.get("routerSharers") or ()
        return [entry for entry in published if entry["uid"] in allowed]


@dataclass(frozen=True)
class Contribution:
    """What one service asks of the router: its routes, and its listeners if it insists on any."""

    sharer: Sharer
    routes: Mapping[str, dict[str, Any]]
    listeners: dict[str, Any] | None
    inferred: dict[str, Any] | None


@dataclass(frozen=True)
class Union:
    """What the router shall be.

    Its spec (None: nobody gives listeners); its routes, and who asks for each that does not just stay as it is; and
    what was refused, by uid.
    """

    router: dict[str, Any] | None
    routes: Mapping[str, dict[str, Any]]
    asked_by: Mapping[str, Sharer]
    refusals: Mapping[str, Refused]


def unite(
    group: Group,
    contributions: Mapping[str, Contribution],
    there: Mapping[str, dict[str, Any]],
    set_aside: Sequence[Refusal] = (),
) -> Union:
    """The union of all routes by name; where two want one name differently, the older has it.

    A service is taken up as a whole or not at all. Of one that is not (it waits for something, clashes, or is about to
    leave) the routes that are there stay as they are, so that nobody who is on the router meets half a change.

    Args:
        group: who shares the router.
        contributions: what each asks for, by uid; those that ask for nothing now are missing.
        there: the routes that the live router has, by name.
        set_aside: whose routes App Mesh would not have.
    """
    known = {each.uid: Refused(each.reason, each.message) for each in set_aside}
    routes: dict[str, dict[str, Any]] = {}
    owners: dict[str, Sharer] = {}
    asked_by: dict[str, Sharer] = {}
    refusals: dict[str, Refused] = {}
    insisted: tuple[Sharer, dict[str, Any]] | None = None
    inferred: dict[str, Any] | None = None
    for sharer in group.all:
        asked = contributions.get(sharer.uid)
        if asked is not None:
            why = known.get(sharer.uid) or _clash(asked, routes, owners, insisted)
            if why is not None:
                refusals[sharer.uid], asked = why, None
        taken = (
            asked.routes
            if asked is not None
            else {name: there[name] for name in group.routes_of(sharer) if name in there}
        )
        for name, spec in taken.items():
            if name not in routes:
                routes[name], owners[name] = spec, sharer
                asked_by |= {name: sharer} if asked is not None else {}
        if asked is not None:
            insisted = insisted or ((sharer, asked.listeners) if asked.listeners is not None else None)
            inferred = inferred or asked.inferred
    return Union(insisted[1] if insisted is not None else inferred, routes, asked_by, refusals)


def _clash(
    asked: Contribution,
    routes: Mapping[str, dict[str, Any]],
    owners: Mapping[str, Sharer],
    insisted: tuple[Sharer, dict[str, Any]] | None,
) -> Refused | None:
    if insisted is not None and asked.listeners is not None and not same_spec(asked.listeners, insisted[1]):
        told = f"spec.virtualRouter.listeners differ from those of {insisted[0].label}, which is older"
        return Refused(Reason.ROUTE_CONFLICT, told)
    for name, spec in asked.routes.items():
        if name in routes and not same_spec(spec, routes[name]):
            told = f"route {name} differs from that of {owners[name].label}, which is older and shares the router"
            return Refused(Reason.ROUTE_CONFLICT, told)
    return None


def _refused(entry: Mapping[str, Any]) -> Refused:
    return Refused(Reason(entry.get("reason") or Reason.ROUTE_CONFLICT), entry.get("message") or "refused")


def on_router(observed: Observed, router: ApiObject) -> dict[str, dict[str, Any]]:
    """The routes that a router has, by name."""
    return {
        record.object.name: record.spec
        for record in observed.of_kind(ApiKind.ROUTE)
        if record.object.on_router == router
    }


def with_routes(observed: Observed, router: ApiObject) -> tuple[ApiObject, ...]:
    """A router and its routes, as far as they are there."""
    return tuple(record.object for record in observed.records if router in (record.object, record.object.on_router))


def as_they_are(observed: Observed, objects: Iterable[ApiObject]) -> tuple[Wanted, ...]:
    """Objects that shall stay as they are."""
    records = (observed.find(object) for object in objects)
    return tuple(Wanted(object=record.object, spec=record.spec) for record in records if record is not None)
