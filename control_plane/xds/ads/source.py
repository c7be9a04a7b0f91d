"""Where streams get their snapshots from: the border between the ADS server and whoever compiles."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Protocol

from control_plane.xds.proxies import ProxyId
from control_plane.xds.snapshot import Kind, Resource, Snapshot


@dataclass(frozen=True, slots=True)
class Update:
    """What a proxy is to have from now on."""

    snapshot: Snapshot | None
    """None: the state is known, and there is no such proxy in it. It is told nothing and keeps what it has."""
    revision: int = 0
    """The revision of the store that the snapshot shows."""
    spare: Mapping[Kind, Mapping[str, Resource]] = field(default_factory=lambda: MappingProxyType({}))
    """What the proxy may still be using beside that, where it came with clusters that are not the snapshot's."""


class Watch(Protocol):
    """The updates for one stream."""

    async def next(self) -> Update:
        """The newest update that was not returned yet; waits for one, and for as long as no state is known.

        It may be cancelled at any time without losing an update.
        """
        ...

    def close(self) -> None:
        """The stream has ended."""
        ...


class Source(Protocol):
    """Gives snapshots by proxy."""

    def watch(self, proxy: ProxyId, metadata: Mapping[str, Any], claimed: str = "") -> Watch:
        """Follow the snapshots for a stream of this proxy.

        Args:
            proxy: who it is.
            metadata: the node metadata that it told (JSON values).
            claimed: the version of all clusters that it came with; empty: none, or it says what it has by name.

        Raises:
            ValueError: the metadata asks for something that cannot be.
        """
        ...


class LatestWatch:
    """A watch that keeps the newest update only."""

    def __init__(self, closed: Callable[["LatestWatch"], None] = lambda _watch: None) -> None:
        self._closed = closed
        self._newest: Update | None = None
        self._some = asyncio.Event()

    def put(self, update: Update) -> None:
        """Replace what was not taken yet."""
        if self._newest is not None and self._newest.spare:
            update = replace(update, spare=self._newest.spare)
        self._newest = update
        self._some.set()

    async def next(self) -> Update:
        """See `Watch`."""
        while (newest := self._newest) is None:
            await self._some.wait()
        self._newest = None
        self._some.clear()
        return newest

    def close(self) -> None:
        """See `Watch`."""
        self._closed(self)


class Snapshots:
    """A source that is told its snapshots: for tests and benchmarks. Metadata is ignored."""

    def __init__(self) -> None:
        self._newest: dict[ProxyId, Update] = {}
        self._watches: dict[ProxyId, set[LatestWatch]] = {}
        self._revision = 0

    def set(self, proxy: ProxyId, snapshot: Snapshot | None) -> int:
        """From now on this proxy is to have this; None: there is no such proxy. Returns the new revision."""
        self._revision += 1
        self._newest[proxy] = Update(snapshot, self._revision)
        for watch in self._watches.get(proxy, ()):
            watch.put(self._newest[proxy])
        return self._revision

    @property
    def revision(self) -> int:
        """Of the last snapshot set."""
        return self._revision

    def watched(self) -> frozenset[ProxyId]:
        """The proxies that have a stream."""
        return frozenset(self._watches)

    def watch(self, proxy: ProxyId, metadata: Mapping[str, Any], claimed: str = "") -> Watch:
        """Follow what `set` is told for a proxy."""
        watch = LatestWatch(lambda closed: self._forget(proxy, closed))
        self._watches.setdefault(proxy, set()).add(watch)
        if (newest := self._newest.get(proxy)) is not None:
            watch.put(newest)
        return watch

    def _forget(self, proxy: ProxyId, watch: LatestWatch) -> None:
        watches = self._watches.get(proxy, set())
        watches.discard(watch)
        if not watches:
            self._watches.pop(proxy, None)
