"""What connects the store with the proxies: follows what is written, and compiles for whoever is connected.

Two tasks share one view of the meshes. One brings it up to date, when this process writes (the bell) or, where others
write too, twice a second; and it marks whom the change concerns. The other compiles for those who are marked, one by
one, in a thread. So a burst of changes costs one compilation for each proxy, from the newest state, and a change that
comes during a compilation is not lost: whoever is being compiled for is marked again.

Nobody is told anything before the state was loaded and Cloud Map was heard, where it is needed; and nobody anything
less when one of them is gone: what was told last stands.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import structlog

from control_plane.api.bell import Bell
from control_plane.store.errors import DatabaseUnavailable
from control_plane.store.records import ObjectKey
from control_plane.xds.ads.source import LatestWatch, Update
from control_plane.xds.compile.options import Options, options_of
from control_plane.xds.meshes import Meshes, Service
from control_plane.xds.proxies import ProxyId
from control_plane.xds.reader import Everything, Reader
from control_plane.xds.snapshot import Kind, Problem, Resource, Snapshot
from control_plane.xds.state import Instance, MeshState

POLL_SECONDS = 0.5
"""How often the store is looked at where other processes write to it, whose writes do not ring here."""
RETRY_SECONDS = 1.0

log = structlog.get_logger("control_plane.xds")


class Compiler(Protocol):
    """Makes snapshots. Pure, and for one thread at a time."""

    def compile_proxy(self, state: MeshState, proxy: ProxyId, options: Options) -> Snapshot | None:
        """The snapshot for a proxy; None if the mesh has nothing of that name."""
        ...

    def spare(self, state: MeshState, proxy: ProxyId, options: Options) -> Mapping[Kind, Mapping[str, Resource]]:
        """What the proxy may be using that its snapshot does not have."""
        ...


@dataclass(eq=False)
class _Watched:
    """A proxy as somebody is connected for it: its replicas share what is compiled."""

    proxy: ProxyId
    options: Options
    reads: frozenset[ObjectKey | Service]
    """What the newest snapshot was made from."""
    watches: set[LatestWatch] = field(default_factory=set)
    newest: Update | None = None
    through: int = 0
    """The revision up to which the newest one is right."""
    services: frozenset[Service] = frozenset()
    """Those of them that Cloud Map knows of."""
    dirty: bool = True
    compiling: bool = False

    def concerned(self, changed: frozenset[ObjectKey] | frozenset[Service]) -> bool:
        """Whether a change of these may make another snapshot."""
        return self.compiling or not self.reads.isdisjoint(changed)


@dataclass(frozen=True, slots=True)
class Told:
    """The newest snapshot for a connected proxy."""

    proxy: ProxyId
    revision: int
    """The revision that it was made from."""
    through: int
    """The revision up to which another one would be the same."""
    problems: tuple[Problem, ...]


class Feed:
    """Snapshots for the proxies that are connected. All of it on one event loop, apart from reading and compiling."""

    def __init__(self, reader: Reader, compiler: Compiler, bell: Bell, reading: Executor, compiling: Executor) -> None:
        self._reader = reader
        self._compiler = compiler
        self._bell = bell
        self._reading = reading
        self._compiling = compiling
        self._meshes: Meshes | None = None
        self._watched: dict[tuple[ProxyId, Options], _Watched] = {}
        self._claims: dict[LatestWatch, str] = {}  # of those who came with clusters, until they are told something
        self._work = asyncio.Event()
        self.moved = asyncio.Event()
        """Set when `told` or `revision_of` may answer otherwise than before."""
        self.discovers = False
        """Whether somebody asks Cloud Map for what is needed, and calls `discovered`."""
        self.services_needed = asyncio.Event()
        """Set when another Cloud Map service may be needed than before."""

    @property
    def revision(self) -> int | None:
        """Up to where the state is known; None before it was loaded."""
        return self._meshes.revision if self._meshes is not None else None

    def revision_of(self, mesh: str) -> int:
        """A revision since which nothing was written in a mesh, as far as is known here; 0 before anything is."""
        return self._meshes.revision_of(mesh) if self._meshes is not None else 0

    def told(self) -> list[Told]:
        """The newest snapshots; none of a proxy for which there is none yet."""
        return [
            Told(each.proxy, each.newest.revision, each.through, each.newest.snapshot.problems)
            for each in self._watched.values()
            if each.newest is not None and each.newest.snapshot is not None
        ]

    def watch(self, proxy: ProxyId, metadata: Mapping[str, Any], claimed: str = "") -> LatestWatch:
        """Follow the snapshots of a proxy; `close` ends it. See `Source`.

        Raises:
            ValueError: the metadata asks for something that cannot be.
        """
        options = options_of(metadata)
        watched = self._watched.setdefault((proxy, options), _Watched(proxy, options, frozenset({proxy.key})))
        watch = LatestWatch(lambda closed: self._close(watched, closed))
        watched.watches.add(watch)
        if claimed:
            self._claims[watch] = claimed
            watched.dirty = True
        elif watched.newest is not None:
            watch.put(watched.newest)
        self._work.set()
        return watch

    def problems(self, proxy: ProxyId) -> tuple[Problem, ...]:
        """What a connected proxy could not be told as asked, in its newest snapshot."""
        newest = (watched.newest for watched in self._watched.values() if watched.proxy == proxy)
        snapshots = (update.snapshot for update in newest if update is not None and update.snapshot is not None)
        return tuple(dict.fromkeys(problem for snapshot in snapshots for problem in snapshot.problems))

    def services(self) -> set[Service]:
        """The Cloud Map services by which those are found whom connected proxies talk to."""
        return {service for watched in self._watched.values() for service in watched.services}

    def discovered(self, instances: Mapping[Service, tuple[Instance, ...]]) -> None:
        """Take over what Cloud Map knows of the services that are needed."""
        if self._meshes is not None:
            self._take_over(*self._meshes.with_instances(instances))

    async def run(self) -> None:
        """Follow and compile until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            tasks.create_task(self._compile_what_is_dirty())

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        with self._bell.listener() as heard:
            while not self._bell.closed:
                heard.clear()
                wait = POLL_SECONDS if self._reader.shared else None
                try:
                    await self._read(loop)
                except DatabaseUnavailable as error:
                    log.warning("the database cannot be read; proxies keep what they have", error=str(error))
                    wait = RETRY_SECONDS
                except Exception:
                    log.exception("the state cannot be followed; proxies keep what they have")
                    wait = RETRY_SECONDS
                try:
                    async with asyncio.timeout(wait):
                        await heard.wait()
                except TimeoutError:
                    continue

    async def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        found = await loop.run_in_executor(self._reading, self._reader.since, self.revision)
        # No await from here on: instances that are discovered meanwhile would be lost.
        if self._meshes is None:
            assert isinstance(found, Everything), "nothing was read before"
            self._meshes = Meshes.of(found.revision, found.records)
            self._work.set()
            self.moved.set()
        elif isinstance(found, Everything):
            self._take_over(*self._meshes.replaced(found.revision, found.records))
        elif found.revision != self._meshes.revision:
            self._take_over(*self._meshes.changed(found.revision, found.records))

    def _close(self, watched: _Watched, watch: LatestWatch) -> None:
        watched.watches.discard(watch)
        self._claims.pop(watch, None)
        key = (watched.proxy, watched.options)
        if not watched.watches and self._watched.get(key) is watched:
            del self._watched[key]

    def _take_over(self, meshes: Meshes, changed: frozenset[ObjectKey] | frozenset[Service]) -> None:
        self._meshes = meshes
        for watched in self._watched.values():
            if watched.concerned(changed):
                watched.dirty = True
                self._work.set()
            elif not watched.dirty:
                watched.through = meshes.revision
        self.moved.set()

    async def _compile_what_is_dirty(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            for watched in list(self._watched.values()):
                if watched.dirty and watched.watches and self._meshes is not None:
                    await self._compile_for(watched, self._meshes)

    async def _compile_for(self, watched: _Watched, meshes: Meshes) -> None:
        watched.dirty, watched.compiling = False, True
        state = meshes.states.get(watched.proxy.mesh, MeshState({}))
        loop = asyncio.get_running_loop()
        try:
            made = await loop.run_in_executor(
                self._compiling, self._compiler.compile_proxy, state, watched.proxy, watched.options
            )
        except Exception:  # a mistake of ours about one node must not stop the others' changes
            log.exception("cannot compile; the proxy keeps what it has", proxy=str(watched.proxy))
            return
        finally:
            watched.compiling = False
        if made is not None:
            watched.reads = made.reads | made.instances
            if made.instances != watched.services:
                watched.services = made.instances
                self.services_needed.set()
            if self.discovers and not made.instances <= meshes.instances.keys():
                return  # no instances is not the same as none heard of yet, and would be told as that
        watched.newest, watched.through = Update(made, meshes.revision), meshes.revision
        self.moved.set()
        for watch in list(watched.watches):
            watch.put(await self._with_spare(watched.newest, watched, self._claims.pop(watch, ""), state))

    async def _with_spare(self, update: Update, watched: _Watched, claimed: str, state: MeshState) -> Update:
        """The update for one who came with these clusters."""
        if not claimed or update.snapshot is None or update.snapshot.version(Kind.CLUSTER) == claimed:
            return update
        loop = asyncio.get_running_loop()
        try:
            spare = await loop.run_in_executor(
                self._compiling, self._compiler.spare, state, watched.proxy, watched.options
            )
        except Exception:  # a mistake of ours must not keep the proxy from what it is to have
            log.exception("cannot tell what the proxy may be using", proxy=str(watched.proxy))
            return update
        return replace(update, spare=spare)
