"""Who is connected, and how far each proxy is: plain values, for whoever shows them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from control_plane.store.records import ObjectKey
from control_plane.xds.proxies import ProxyId
from control_plane.xds.snapshot import Kind


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a proxy did not accept (a NACK)."""

    message: str
    version: str
    at: datetime
    names: tuple[str, ...]
    """The resources that the response told of."""
    sources: frozenset[ObjectKey]
    """The objects that these come from."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a proxy does without a resource, or has it in its old form."""

    message: str
    sources: frozenset[ObjectKey]
    """The objects whose fault it is, as far as one can tell; the proxy's own node at least."""
    refused: bool = True
    """False: it was not sent, as it needs another one that was refused."""


Faults = Mapping[tuple[Kind, str], Fault]
"""By kind and name of the resource."""


@dataclass(frozen=True, slots=True)
class KindStatus:
    """How far a proxy is with one kind."""

    sent: str = ""
    """The version sent last; empty: none yet."""
    accepted: str = ""
    """The version accepted last; empty: none yet."""
    refusal: Refusal | None = None
    """The last one, until something newer is accepted."""
    quarantined: tuple[str, ...] = ()
    """Resources that the proxy refused and does without, or has in their old form."""

    @property
    def refused(self) -> bool:
        """Whether the proxy refuses something of it now."""
        return self.refusal is not None or bool(self.quarantined)


@dataclass(frozen=True, slots=True)
class Connection:
    """One stream of one proxy."""

    id: str
    proxy: ProxyId
    node_id: str
    address: str
    form: str
    """`sotw` or `delta`."""
    since: datetime
    kinds: Mapping[Kind, KindStatus] = field(default_factory=lambda: MappingProxyType({k: KindStatus() for k in Kind}))
    known: bool = True
    """False: the state has no such proxy, so it is told nothing."""
    revision: int = 0
    """Of the newest snapshot it was given; 0: none yet."""
    synced: int = 0
    """Of the newest snapshot all of which it accepted; 0: none yet."""
    reached: int = 0
    """Of the newest snapshot all of which it accepted but for what `faults` tells; 0: none yet."""
    faults: Faults = field(default_factory=lambda: MappingProxyType({}))
    """What it does without, and why."""

    @property
    def pending(self) -> bool:
        """Whether it has yet to accept something, or refused it."""
        return self.synced != self.revision


Listener = Callable[[Connection], None]


class Connections:
    """All streams of one server."""

    def __init__(self) -> None:
        self._all: dict[str, Connection] = {}
        self._listeners: list[Listener] = []

    def list(self) -> tuple[Connection, ...]:
        """All connections, the oldest first."""
        return tuple(self._all.values())

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call this on each change, also the last of a connection (`get` then has it no more). Returns how to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def get(self, connection_id: str) -> Connection | None:
        """A connection, if it is still there."""
        return self._all.get(connection_id)

    def put(self, connection: Connection) -> Connection:
        """A connection is new, or has changed."""
        if self._all.get(connection.id) != connection:
            self._all[connection.id] = connection
            self._tell(connection)
        return connection

    def remove(self, connection: Connection) -> None:
        """A connection has ended."""
        if (last := self._all.pop(connection.id, None)) is not None:
            self._tell(last)

    def _tell(self, connection: Connection) -> None:
        for listener in list(self._listeners):
            listener(connection)


def with_kind(connection: Connection, kind: Kind, **changes: object) -> Connection:
    """The connection with another status of one kind."""
    status = replace(connection.kinds[kind], **changes)  # type: ignore[arg-type]
    return replace(connection, kinds=MappingProxyType({**connection.kinds, kind: status}))
