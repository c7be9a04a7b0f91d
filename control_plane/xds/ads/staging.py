"""Make before break, on one stream: what may be offered now, so that nothing is named that is not there. Pure.

Two rules, applied anew after every event, whatever has happened before:

- A new route or listener is offered when the client can use each cluster that it names; until then the old one stays.
  Of a route configuration only the virtual hosts stay, and of a listener the filter chains, that the client refuses, or
  that wait for a cluster which it refuses.
- What the new snapshot no longer has stays while something that the client holds, or is being sent, names it, and for a
  time to drain after that. A client that comes back in state-of-the-world form does not say what it holds: to it, what
  it may hold is offered until that is known.

Out of them comes the order clusters, endpoints, listeners, routes, and the removal of clusters last; a newer snapshot
in the midst of it, a refusal or a lost connection need no rule of their own.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from control_plane.xds.ads.references import References, references
from control_plane.xds.ads.splice import parts, without
from control_plane.xds.ads.subscription import Batch, Subscription
from control_plane.xds.ads.trials import Trial
from control_plane.xds.parts import Part
from control_plane.xds.snapshot import Kind, Resource, Snapshot, version_of

Spare = Mapping[Kind, Mapping[str, Resource]]
NO_SPARE: Spare = MappingProxyType({})

_HAVE_PARTS = (Kind.LISTENER, Kind.ROUTE)

ORDER = (Kind.CLUSTER, Kind.ENDPOINT, Kind.LISTENER, Kind.ROUTE)
"""In which they are sent when several may be: first what is named, then what names it."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds to wait for what no client tells."""

    drain: float = 15.0
    """How long what is no longer named stays: requests under way may still use it."""
    warming: float = 1.0
    """After which a new cluster is taken as usable that waits for DNS or its first health check."""
    endpoints: float = 15.0
    """After which a new cluster is taken as usable without its endpoints; Envoy waits as long by default."""


class Staging:
    """The state of one stream's way to its newest snapshot."""

    def __init__(self, subscriptions: Mapping[Kind, Subscription], timing: Timing) -> None:
        self._of = subscriptions
        self._timing = timing
        self._target: Snapshot | None = None
        self._spare = NO_SPARE
        self._kept: dict[Kind, dict[str, Resource]] = {kind: {} for kind in ORDER}
        self._leaves: dict[tuple[Kind, str], float] = {}  # when what is kept may go
        self._warming: dict[str, float] = {}  # clusters that are new to the client, and since when
        self._waiting: set[tuple[Kind, str]] = set()  # what is not offered yet
        self._held: set[tuple[Kind, str]] = set()  # of it, what waits for a cluster that the client refuses
        self._held_parts: dict[Part, str] = {}  # of those, parts that wait while others do not, and why
        self._trials: dict[tuple[Kind, str], Trial] = {}  # resources that were refused for one part or another
        self.wakes_at: float | None = None
        """When to look again though nothing has happened."""

    @property
    def offers_target(self) -> bool:
        """Whether all of the newest snapshot is offered."""
        return self._target is not None and not self._waiting

    @property
    def offers_all_it_can(self) -> bool:
        """The same, apart from what waits for something that the client refuses."""
        return self._target is not None and self._waiting == self._held

    @property
    def held(self) -> frozenset[tuple[Kind, str]]:
        """What is not offered as it should be because the client refuses a part of it, or a cluster that it names."""
        return frozenset(self._held)

    @property
    def held_parts(self) -> Mapping[Part, str]:
        """Of these, the parts that this is about, each with the client's words if it is refused itself."""
        return self._held_parts

    def refused_parts(self, kind: Kind) -> list[str]:
        """The parts of resources of a kind that the client refuses, told with their resource."""
        trials = [(name, each) for (at, name), each in self._trials.items() if at is kind]
        return sorted(f"{name} ({part})" for name, each in trials for part in each.refused_parts)

    def has(self, kind: Kind) -> bool:
        """Whether there is anything of a kind to get to."""
        return self._target is not None and bool(self._target.named(kind))

    def set_target(self, snapshot: Snapshot, spare: Spare = NO_SPARE) -> None:
        """The snapshot to get to, and what the client may be using beside it if it came with others."""
        self._target = snapshot
        self._spare = spare or self._spare
        for kind in ORDER:
            self._compare(kind, snapshot)

    def _compare(self, kind: Kind, snapshot: Snapshot) -> None:
        """Find out what the client has of a kind that is not in the snapshot."""
        here, named = self._of[kind], snapshot.named(kind)
        before = here.offered  # what was let go of is no longer in it, even if the client has yet to accept that
        if here.claimed is not None:
            here.confirm(named, snapshot.version(kind))
            before = {**(self._spare.get(kind, {}) if here.unknown else {}), **here.held, **before}
        self._kept[kind] = {name: each for name, each in before.items() if name not in named}
        for at in [at for at in self._leaves if at[0] is kind and at[1] not in self._kept[kind]]:
            del self._leaves[at]

    def refused(self, kind: Kind, batch: Batch, message: str) -> None:
        """The client did not accept this."""
        target = self._target.named(kind) if self._target is not None else {}
        for name, sent in batch.changes.items() if len(batch.changes) == 1 and kind in _HAVE_PARTS else ():
            base = self._of[kind].held.get(name)
            known = not self._of[kind].unknown if base is None else bool(base.body)
            if sent is not None and known and name in target and len(parts(target[name])) > 1:
                self._trials.setdefault((kind, name), Trial()).refuse(sent, base, target[name], message)

    def landed(self, kind: Kind, batch: Batch, held_before: Mapping[str, Resource], now: float) -> None:
        """The client accepted this."""
        for name in batch.changes:
            if (kind, name) in self._trials:
                self._trials[kind, name].accept()
        if kind is Kind.CLUSTER:
            for name, each in batch.changes.items():
                if each is None:
                    self._warming.pop(name, None)
                elif name not in held_before and references(each) != References():
                    self._warming[name] = now

    def sent(self, kind: Kind, batch: Batch) -> None:
        """This is being sent: what it names has to be sent again.

        A changed cluster waits for its endpoints even if they are what they were, and so does a listener that is new
        under a name for its routes; they do not ask, as they have subscribed already.
        """
        if kind in (Kind.CLUSTER, Kind.LISTENER):
            named = [references(each) for each in batch.changes.values() if each]
            self._of[Kind.ENDPOINT].force(each.endpoints for each in named if each.endpoints)
            self._of[Kind.ROUTE].force(name for each in named for name in each.routes)

    def stage(self, now: float) -> None:
        """Offer what may be offered now."""
        if self._target is None:
            return
        for kind in ORDER:
            if self._of[kind].claimed is not None:
                self._compare(kind, self._target)
        self.wakes_at = None
        self._offer_all(now)
        # What names another kind's may have to go before those do: one pass is not always enough.
        while any(self._kept.values()) and self._let_go(now):
            self._offer_all(now)

    def _offer_all(self, now: float) -> None:
        assert self._target is not None
        self._waiting.clear()
        self._held.clear()
        self._held_parts = {}
        self._trials = {at: each for at, each in self._trials.items() if at[1] in self._target.named(at[0])}
        for kind in ORDER:
            named, kept = self._target.named(kind), self._kept[kind]
            offer: Mapping[str, Resource] = {**named, **kept} if kept else named
            if kind in (Kind.LISTENER, Kind.ROUTE):
                offer = self._usable_part(kind, offer, now)
            version = self._target.version(kind) if offer is named else version_of(offer.values())
            self._of[kind].offer(offer, version)

    # The first rule.

    def _usable_part(self, kind: Kind, offer: Mapping[str, Resource], now: float) -> Mapping[str, Resource]:
        here = self._of[kind]
        if not self._of[Kind.CLUSTER].wildcard:
            return offer  # the client asks for each cluster when it needs it, and makes before it breaks by itself
        part: dict[str, Resource] = {}
        for name, each in offer.items():
            old = here.offered.get(name) or here.held.get(name)
            if old is not None and old.version == each.version and (kind, name) not in self._trials:
                part[name] = each
                continue
            usable = self._without_refused(kind, each, old)
            usable = self._without_refused_parts(usable) if usable is not None else None
            if usable is not None and self._can_use(usable, replaces=name in here.held or here.unknown, now=now):
                part[name] = usable
                continue
            self._waiting.add((kind, name))
            if usable is not None:
                self._held.discard((kind, name))  # it waits for more than what is refused
            if old is not None:
                part[name] = old
        return part if self._waiting else offer

    def _without_refused(self, kind: Kind, new: Resource, old: Resource | None) -> Resource | None:
        """As much of a resource as does not wait for a cluster that the client refuses; None: nothing of it."""
        clusters = self._of[Kind.CLUSTER]
        refused = {name for name in references(new).clusters & clusters.quarantined.keys() if not clusters.has(name)}
        if not refused:
            return new
        self._waiting.add((kind, new.name))
        self._held.add((kind, new.name))
        spliced = without(new, old, refused)
        self._held_parts |= {(kind, new.name, part): "" for part in spliced.held}
        return spliced.resource

    def _without_refused_parts(self, new: Resource) -> Resource | None:
        """As much of a resource as is not refused, or not in doubt just now; None: nothing of it."""
        at = new.kind, new.name
        trial = self._trials.get(at)
        if trial is None:
            return new
        variant = trial.variant(new, self._of[new.kind].held.get(new.name))
        if variant is new:
            del self._trials[at]
            return new
        self._waiting.add(at)
        self._held.add(at)
        self._held_parts |= {(*at, part): each.message for part, each in trial.refused_parts.items()}
        return variant

    def _can_use(self, resource: Resource, *, replaces: bool, now: float) -> bool:
        assert self._target is not None
        there = self._target.named(Kind.CLUSTER)
        clusters = self._of[Kind.CLUSTER]
        for name in references(resource).clusters:
            if name not in there:
                continue  # told in the snapshot's problems; waiting would not help
            if not clusters.has(name) or (replaces and not self._is_warm(name, now)):
                return False
        return True

    def _is_warm(self, cluster: str, now: float) -> bool:
        since = self._warming.get(cluster)
        if since is None:
            return True
        named = references(self._of[Kind.CLUSTER].held[cluster])
        if named.endpoints:
            warm_at = now if named.endpoints in self._of[Kind.ENDPOINT].held else since + self._timing.endpoints
        else:
            warm_at = since + self._timing.warming if named.warms_unseen else now
        if warm_at > now:
            self._wake(warm_at)
            return False
        del self._warming[cluster]
        return True

    # The second rule.

    def _let_go(self, now: float) -> bool:
        """Drop what is kept and no longer named, once it has had its time to drain. Whether there was any."""
        dropped = False
        for kind in ORDER:
            kept = self._kept[kind]
            named = self._still_named(kind) if kept else None
            for name in list(kept):
                if named is None or name in named:
                    self._leaves.pop((kind, name), None)
                    continue
                drain = self._timing.drain if kind in (Kind.LISTENER, Kind.CLUSTER) else 0.0
                leaves = self._leaves.setdefault((kind, name), now + drain)
                if leaves > now:
                    self._wake(leaves)
                else:
                    del kept[name], self._leaves[kind, name]
                    dropped = True
        return dropped

    def _still_named(self, kind: Kind) -> set[str] | None:
        """What is named of a kind; None: all that there is, for all we know."""
        if kind is Kind.LISTENER:
            return set() if self._made() else None
        if kind is Kind.ROUTE:
            return self._named_by(Kind.LISTENER, lambda each: each.routes)
        if kind is Kind.ENDPOINT:
            return self._named_by(Kind.CLUSTER, lambda each: (each.endpoints or "",))
        by_listeners = self._named_by(Kind.LISTENER, lambda each: each.clusters)
        by_routes = self._named_by(Kind.ROUTE, lambda each: each.clusters)
        return None if by_listeners is None or by_routes is None else by_listeners | by_routes

    def _named_by(self, kind: Kind, names: Callable[[References], Iterable[str]]) -> set[str] | None:
        here = self._of[kind]
        if here.unknown:
            return None
        named: set[str] = set()
        for resources in (here.held, here.flight.whole if here.flight else {}, here.offered):
            for each in resources.values():
                if not each.body:
                    return None
                named.update(names(references(each)))
        return named

    def _made(self) -> bool:
        """Whether all that is new is there, and only what is old has still to go."""
        return not self._waiting and all(each.flight is None and each.due() is None for each in self._of.values())

    def _wake(self, at: float) -> None:
        self.wakes_at = at if self.wakes_at is None else min(at, self.wakes_at)
