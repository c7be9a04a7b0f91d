"""One stream of one proxy: requests, snapshots and the time in, responses out. Pure.

The two forms of the protocol differ in how a request is read and a response is written (`sotw`, `delta`); all the rest
is the same: what a request answers, what is staged, what is due.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from control_plane.xds.ads.staging import NO_SPARE, ORDER, Spare, Staging, Timing
from control_plane.xds.ads.subscription import Batch, Mode, Subscription
from control_plane.xds.parts import Part
from control_plane.xds.snapshot import Kind, Snapshot

_KINDS = {str(kind): kind for kind in Kind}
_ASKERS = {Kind.ROUTE: Kind.LISTENER, Kind.ENDPOINT: Kind.CLUSTER}
"""What a client has to have accepted before it asks for the other."""


class Dialect(Protocol):
    """A form of the protocol: one of the modules `sotw` and `delta`."""

    METHOD: str
    Request: Any

    def mode(self, kind: Kind) -> Mode:
        """How responses of a kind are to be read."""
        ...

    def names_in(self, request: Any) -> int:
        """How many names a request carries."""
        ...

    def clusters_claimed(self, request: Any) -> str:
        """The version of all its clusters that a client comes with in its first request; empty: none is told."""
        ...

    def ask(self, here: Subscription, request: Any) -> None:
        """Take over what the client asks for."""
        ...

    def write(self, kind: Kind, batch: Batch, nonce: str) -> bytes:
        """A response."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client said to a response."""

    kind: Kind
    batch: Batch
    refusal: str | None
    """Why it was refused; None: it was accepted."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A response to be sent."""

    kind: Kind
    batch: Batch
    payload: bytes


class Stream:
    """The state of one stream. `name` makes its nonces unlike those of any other stream."""

    def __init__(self, dialect: Dialect, name: str, timing: Timing) -> None:
        self.subscriptions: Mapping[Kind, Subscription] = {
            kind: Subscription(kind, dialect.mode(kind)) for kind in ORDER
        }
        self._dialect = dialect
        self._name = name
        self._count = 0
        self._staging = Staging(self.subscriptions, timing)

    @property
    def wakes_at(self) -> float | None:
        """When `advance` has something to do even if nothing happens."""
        return self._staging.wakes_at

    @property
    def settled(self) -> bool:
        """Whether all of the newest snapshot that the client asks for was offered, sent and accepted.

        Who asks for all clusters will ask for listeners, routes and endpoints, and has not everything before it did.
        """
        quarantined = any(self.quarantined(kind) for kind in ORDER)
        return self._staging.offers_target and not quarantined and self.at_rest

    @property
    def at_rest(self) -> bool:
        """The same, apart from what the client refuses and what waits for that."""
        here = self.subscriptions
        needed = [kind for kind in ORDER if here[Kind.CLUSTER].wildcard and self._staging.has(kind)]
        return (
            self._staging.offers_all_it_can
            and all(here[kind].active or here[_ASKERS.get(kind, kind)].quarantined for kind in needed)
            and all(each.flight is None and each.due() is None and not each.gave_up for each in here.values())
        )

    @property
    def held(self) -> frozenset[tuple[Kind, str]]:
        """What waits for something that the client refuses."""
        return self._staging.held

    @property
    def held_parts(self) -> Mapping[Part, str]:
        """Of its resources which parts, each with the client's words if it is refused itself; the others are told."""
        return self._staging.held_parts

    def quarantined(self, kind: Kind) -> tuple[str, ...]:
        """What the client refuses, resources and parts of resources."""
        return (*sorted(self.subscriptions[kind].quarantined), *self._staging.refused_parts(kind))

    def receive(self, request: Any, now: float) -> Answer | None:
        """Take a request in. Types that are not served are left unanswered, as the protocol asks for."""
        kind = _KINDS.get(request.type_url)
        if kind is None:
            return None
        here = self.subscriptions[kind]
        answer = None
        # Any other nonce is stale: the client answers a response that was replaced since. Its names count nevertheless.
        if here.flight is not None and request.response_nonce == here.nonce:
            if request.HasField("error_detail"):
                refusal = request.error_detail.message
                answer = Answer(kind, here.refused(refusal), refusal)
                self._staging.refused(kind, answer.batch, refusal)
            else:
                before = here.held
                answer = Answer(kind, here.accepted(), None)
                self._staging.landed(kind, answer.batch, before, now)
        self._dialect.ask(here, request)
        here.asked = True
        return answer

    def update(self, snapshot: Snapshot, spare: Spare = NO_SPARE) -> None:
        """From now on this is what the client is to have; `spare` is what it may be using beside it."""
        self._staging.set_target(snapshot, spare)

    def advance(self, now: float) -> list[Outgoing]:
        """What is to be sent now; it counts as sent."""
        self._staging.stage(now)
        outgoing = []
        for kind in ORDER:
            here = self.subscriptions[kind]
            batch = here.due()
            if batch is None:
                continue
            self._count += 1
            nonce = f"{self._name}-{self._count}"
            here.sent(batch, nonce)
            self._staging.sent(kind, batch)
            outgoing.append(Outgoing(kind, batch, self._dialect.write(kind, batch, nonce)))
        return outgoing
