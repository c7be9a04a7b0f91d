"""One kind of resource on one stream: what the client asked for, holds, was sent and refused. Pure.

Only one response of a kind is under way at a time: what changes meanwhile goes with the next. So a slow client costs
no memory, and each answer is to a known question.

What a client refuses is not sent again. Which of several resources was at fault it does not say, so after a refusal
the next response carries half as many changes, until one change alone is refused: that one is quarantined until its
content is another, and the rest goes on.

Where a response is all that there is, and it is not known what the client holds, half of it could take away what is in
use. Then those wait that the client names in its refusal, as Envoy does, and all others are sent.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from control_plane.xds.snapshot import Kind, Resource, version_of

_NONE: Mapping[str, Resource] = MappingProxyType({})
_REFUSALS = 32
"""In a row; then a client is left alone until there is something new. Enough to find any one by halves."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one response tells."""

    changes: Mapping[str, Resource | None]
    """By name; None: it is removed."""
    whole: Mapping[str, Resource]
    """All that the client holds if it accepts."""
    version: str
    """Of `whole`."""


class Mode(Enum):
    """How much a response tells."""

    DELTA = "what is new, and what is gone"
    FULL_SET = "all there is: what is left out is gone (listeners and clusters in state-of-the-world)"
    ADDITIONS = "what is new; what is gone cannot be told (routes and endpoints in state-of-the-world)"


class Subscription:
    """The state of one kind on one stream."""

    def __init__(self, kind: Kind, mode: Mode) -> None:
        self.kind = kind
        self.mode = mode
        self.wildcard = False
        self.names: set[str] = set()
        self.held: Mapping[str, Resource] = _NONE
        """What was accepted. A body is empty where only the version is known."""
        self.claimed: str | Mapping[str, str] | None = None
        """What the client came with, until it is compared with what there is: a version of all, or versions by name."""
        self.nonce = ""
        """Of the last response."""
        self.asked = False
        """There was a request."""
        self.flight: Batch | None = None
        self.quarantined: dict[str, str] = {}
        """Versions that were refused alone, by name; "" for a removal."""
        self.primed = False
        """It was offered something; before that nothing is answered."""
        self._offer: Mapping[str, Resource] = _NONE
        self._offer_version = ""
        self._fresh: set[str] = set()  # asked for since they were sent last
        self._forced: set[str] = set()  # to be sent once more even if they are held, when they are asked for
        self._doubtful: set[str] = set()  # refused together with others: a client may have applied some of them
        self._resumed = False  # the client came with something
        self._perhaps_gone: set[str] = set()  # their removal was among what was refused
        self._answered = False  # a first response was accepted, be it empty
        self._limit: int | None = None  # of changes in one response, while who is at fault is being found
        self._suspects: set[str] = set()  # named in a refusal: sent when nothing else is to be sent
        self._refusals = 0
        self._idle = False  # known to have nothing to send

    @property
    def active(self) -> bool:
        """Whether the client asks for anything."""
        return self.wildcard or bool(self.names)

    @property
    def gave_up(self) -> bool:
        """Whether the client refused so often in a row that it is told nothing until there is something new."""
        return self._refusals >= _REFUSALS

    @property
    def unknown(self) -> bool:
        """Whether the client may hold something of which nothing is known: it came with a version that is not ours."""
        if not self._resumed:
            return False
        return not self._answered if self.mode is Mode.FULL_SET else not self.names <= self.held.keys()

    def has(self, name: str) -> bool:
        """Whether the client holds this and will, whatever it answers to what is in flight."""
        return name in self.held and name not in self._perhaps_gone and (not self.flight or name in self.flight.whole)

    # What the client asks for.

    def ask_for_everything(self) -> None:
        """Subscribe to whatever there is."""
        self.wildcard, self._idle = True, False

    def ask_only_by_name(self) -> None:
        """The client no longer wants whatever there is."""
        self.wildcard, self._idle = False, False
        self._forget({name for name in self.held if name not in self.names})

    def add(self, names: Iterable[str]) -> None:
        """Subscribe to names; each is sent, even if it is held: who subscribes anew waits for an answer."""
        added = set(names)
        self.names |= added
        self._fresh |= added
        self._idle = False

    def drop(self, names: Iterable[str]) -> None:
        """Unsubscribe from names."""
        dropped = self.names & set(names)
        self.names -= dropped
        if self.wildcard:
            self._fresh |= dropped  # still wanted: a client that has let go of it has to get it again
        else:
            self._forget(dropped)
        self._idle = False

    def claim(self, version: str | Mapping[str, str]) -> None:
        """The client said at the start of the stream that it has this."""
        self.claimed, self._resumed = version, True

    def confirm(self, resources: Mapping[str, Resource], version: str) -> None:
        """Compare what the client came with to what there is."""
        wanted = self._asked_of(resources)
        if isinstance(self.claimed, Mapping):
            self.held = {name: self._recognised(name, each, wanted) for name, each in self.claimed.items()}
            self._answered = True
        elif self.claimed == (version if wanted is resources else version_of(wanted.values())):
            self.held, self._answered = wanted, True
        if self.kind in (Kind.LISTENER, Kind.CLUSTER):
            self._fresh -= self.held.keys()
        # Routes and endpoints go out once more: a listener or cluster that was taken over just before the connection
        # was lost may still wait for them, and the client does not say so.
        self.claimed, self._idle = None, False

    def _recognised(self, name: str, version: str, wanted: Mapping[str, Resource]) -> Resource:
        ours = wanted.get(name)
        return ours if ours is not None and ours.version == version else Resource(self.kind, name, b"", version)

    def _forget(self, names: set[str]) -> None:
        if names & self.held.keys():
            self.held = {name: each for name, each in self.held.items() if name not in names}
        self._fresh -= names
        self._forced -= names
        self._doubtful -= names

    # What it may be told.

    def offer(self, resources: Mapping[str, Resource], version: str) -> None:
        """From now on this is what there is, with the version of all of it."""
        if not self.primed or version != self._offer_version:
            self._refusals, self._idle = 0, False
            # A removal has no version that could be another: it is tried again with whatever is new.
            self.quarantined = {name: each for name, each in self.quarantined.items() if each}
        if self._forced:
            self._idle = False  # of the same version, it may have the body now that a claim alone did not
        self.primed = True
        self._learn_bodies(resources)
        self._offer, self._offer_version = resources, version

    def _learn_bodies(self, resources: Mapping[str, Resource]) -> None:
        """What the client came with had a version and no body: where it is offered again, it is known what it names."""
        found = {
            name: resources[name]
            for name, each in self.held.items()
            if not each.body and name in resources and resources[name].version == each.version and resources[name].body
        }
        if found:
            self.held = {**self.held, **found}

    @property
    def offered(self) -> Mapping[str, Resource]:
        """What it was offered last."""
        return self._offer

    @property
    def offered_version(self) -> str:
        """The version of all that it was offered."""
        return self._offer_version

    def force(self, names: Iterable[str]) -> None:
        """Send these once more even if they are held, or will turn out to be when the client asks for them."""
        self._forced |= set(names)
        self._idle = False

    # What is said and answered.

    def due(self) -> Batch | None:
        """What is to be sent now."""
        if self._idle or self.flight is not None or not self.primed or not self.active:
            return None
        batch = None if self.gave_up else self._next()
        self._idle = batch is None
        return batch

    def sent(self, batch: Batch, nonce: str) -> None:
        """It was sent."""
        self.flight, self.nonce = batch, nonce
        self._fresh -= batch.changes.keys()
        self._forced -= batch.changes.keys()

    def accepted(self) -> Batch:
        """The client accepted what is in flight. Returns it."""
        batch = self._landed()
        self._doubtful -= batch.changes.keys()
        self._perhaps_gone -= batch.changes.keys()
        self.held, self._answered = batch.whole, True
        if not self.wildcard and not batch.whole.keys() <= self.names:
            self.held = {name: each for name, each in batch.whole.items() if name in self.names}
        self._refusals = 0
        self._limit = None if self._limit is None else self._limit * 2
        return batch

    def refused(self, message: str = "") -> Batch:
        """The client refused what is in flight, and says why. Returns it."""
        batch = self._landed()
        self._refusals += 1
        named = _named_in(message, batch.changes) if self.mode is Mode.FULL_SET and self.unknown else set()
        if 0 < len(named) < len(batch.changes):
            self._suspects |= named
            self._doubtful |= batch.changes.keys()
            return batch
        self._doubtful |= {name for name in batch.changes if self.wildcard or name in self.names}
        self._perhaps_gone |= {name for name, each in batch.changes.items() if each is None}
        if len(batch.changes) == 1:
            for name, each in batch.changes.items():
                self.quarantined[name] = _version(each)
        self._limit = max(1, len(batch.changes) // 2)
        self._answered = self._answered or not batch.changes  # that there is nothing is not said again
        return batch

    def _landed(self) -> Batch:
        assert self.flight is not None
        batch, self.flight, self._idle = self.flight, None, False
        return batch

    def _asked_of(self, resources: Mapping[str, Resource]) -> Mapping[str, Resource]:
        if self.wildcard:
            return resources
        return {name: resources[name] for name in self.names if name in resources}

    def _next(self) -> Batch | None:
        wanted, held = self._asked_of(self._offer), self.held
        again = self._fresh | self._forced | self._doubtful
        changes: dict[str, Resource | None] = {
            name: each
            for name, each in wanted.items()
            if each.body and (name in again or name not in held or held[name].version != each.version)
        }
        if self.mode is not Mode.ADDITIONS:
            changes |= dict.fromkeys((held.keys() | self._doubtful) - wanted.keys())
        self._release(wanted)
        for name, version in self.quarantined.items():
            if name in changes and version == _version(changes[name]):
                del changes[name]
        if not changes:
            self._limit = None
            if self._answered or self.quarantined or not self.wildcard:
                return None  # only who asks for everything is to be told that there is nothing
        self._suspects &= changes.keys()
        if self._suspects and len(changes) > len(self._suspects):
            changes = {name: each for name, each in changes.items() if name not in self._suspects}
        elif self._limit is not None and len(changes) > self._limit:
            changes = {name: changes[name] for name in sorted(changes)[: self._limit]}
        whole = wanted
        if self._limit is not None or self.quarantined or self._suspects:
            whole = {**held, **{name: each for name, each in changes.items() if each is not None}}
            for name in [name for name, each in changes.items() if each is None]:
                whole.pop(name, None)
        return Batch(changes, whole, self._offer_version if whole is self._offer else version_of(whole.values()))

    def _release(self, wanted: Mapping[str, Resource]) -> None:
        """Take out of quarantine what is another by now."""
        for name, version in list(self.quarantined.items()):
            if version != _version(wanted.get(name)) or (name not in wanted and name not in self.held):
                del self.quarantined[name]


def _named_in(message: str, names: Iterable[str]) -> set[str]:
    """Of which of these a message tells something.

    Envoy says `NAME: what is wrong`, one after the other; of a field that breaks a rule it shows the whole resource.
    """

    def is_named(name: str) -> bool:
        return f'name: "{name}"' in message or re.search(rf"(?<![\w.-]){re.escape(name)}: ", message) is not None

    return {name for name in names if is_named(name)}


def _version(resource: Resource | None) -> str:
    return "" if resource is None else resource.version
