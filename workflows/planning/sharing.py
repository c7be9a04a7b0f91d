"""A router that several VirtualServices share: who sees to it, what is on it, and when it may go. Pure.

One of the services leads. Its workflow alone writes the router and the routes, the union of all that the services ask
for; each service's own workflow writes only the service. They speak through their status, which every one of them reads
afresh: the leader publishes whose routes are on the router (`routerSharers`), the others whom they follow
(`routerLeader`) and which router they are on (`virtualRouterArn`). So a router never has two masters, and a swap moves
all services before the old router goes. See docs/explanation/decisions/0006.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from activities.objects import ApiKind, ApiObject
from resources.conditions import Reason
from resources.kinds import Kind
from resources.relations import Claim, claims, names_of_router
from workflows.messages import Snapshot
from workflows.planning.outcome import Outcome
from workflows.planning.plan import Observed
from workflows.planning.sharer import Sharer, Verdict, label


def strays(snapshot: Snapshot, observed: Observed, unsure: Collection[ApiObject] = ()) -> frozenset[Claim]:
    """Routers that were, or may have been, made for a service, and that neither its spec nor its status tells of.

    Whoever else asks for one of these does not know of this service, nor this one of them.
    """
    key = snapshot.key
    told = claims(key.kind, key.namespace or "", key.name, snapshot.spec, snapshot.status)
    found: set[Claim] = set()
    objects = (*(record.object for record in observed.records), *unsure)
    for object in (object for object in objects if object.kind is ApiKind.VIRTUAL_ROUTER):
        named = {Claim("virtualRouter", object.mesh, name) for name in names_of_router(object.name)}
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
