"""The watcher: streams in, index kept, news out.

Three streams, one per kind, feed one loop. Nothing is told until every kind has been listed once, because whom a
change concerns can only be seen against the whole. From then on each listing (after an expired watch) is compared with
the index, so what happened unseen is told as if it had been seen.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Protocol

import structlog

from resources.kinds import Kind
from watcher.admission import has_no_status
from watcher.cloud_map import CloudMapWatch
from watcher.delivery import ResourceOutbox
from watcher.index import Index, Name
from watcher.mapping import at_start, is_settled, news
from watcher.metrics import TIME_TO_ACTIVE
from watcher.owners import minds_again
from watcher.patience import until_answered
from watcher.poke import Absence, Workflows
from watcher.progress import Progress
from watcher.proxies import Proxies
from watcher.stream import Listing, Sighting
from workflows.messages import Change, Gone, Snapshot

log = structlog.get_logger(__name__)


class Stream(Protocol):
    """What happens to one kind, for ever."""

    def follow(self) -> AsyncIterator[Listing | Sighting]:
        """Listings and sightings."""


class Watcher:
    """One per process. Any number may run at once: what they tell is idempotent."""

    def __init__(
        self,
        streams: Callable[[Kind], Stream],
        workflows: Workflows,
        cloud_map: CloudMapWatch | None = None,
        proxies: Proxies | None = None,
    ) -> None:
        self._streams = {kind: streams(kind) for kind in Kind}
        self._workflows = workflows
        self._cloud_map = cloud_map
        self._proxies = proxies or Proxies()
        self._listed_kinds: set[Kind] = set()
        self._versions: dict[Kind, str] = {}
        """How far the stream of each kind is: what the index lacks did not exist then."""
        self._progress = Progress()
        self.listed = asyncio.Event()
        """Set once every kind has been listed."""
        self.index = Index()
        self.outbox = ResourceOutbox(workflows)

    @property
    def ready(self) -> bool:
        """Whether every kind has been listed."""
        return self.listed.is_set()

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.outbox.run())
            tasks.create_task(self._compare_with_workflows())
            if self._cloud_map is not None:
                tasks.create_task(self._cloud_map.run())
            for stream in self._streams.values():
                tasks.create_task(self._follow(stream))

    async def _follow(self, stream: Stream) -> None:
        async for item in stream.follow():
            if isinstance(item, Listing):
                self._take_listing(item)
                if not self.ready:
                    self._listed_kinds.add(Kind(item.kind))
                    if len(self._listed_kinds) == len(Kind):
                        self._begin()
            else:
                self._take_sighting(item)

    def _take_listing(self, listing: Listing) -> None:
        kind = Kind(listing.kind)
        sighted = [Snapshot.of(kind, item) for item in listing.items]
        self._note_version(kind, listing.resource_version)
        for snapshot in sighted:
            self._present(snapshot)
        for name in self.index.names(kind) - {Name.of(snapshot) for snapshot in sighted}:
            self._absent(name, as_of=listing.resource_version)

    def _take_sighting(self, sighting: Sighting) -> None:
        snapshot = Snapshot.of(Kind(sighting.kind), sighting.item)
        self._note_version(snapshot.key.kind, snapshot.resource_version)
        if sighting.type == "DELETED":
            self._absent(Name.of(snapshot), as_of=snapshot.resource_version)
        else:
            self._present(snapshot)

    def _note_version(self, kind: Kind, version: str) -> None:
        self._versions[kind] = version
        if self._cloud_map is not None and kind is Kind.VIRTUAL_NODE:
            self._cloud_map.nodes_are_at(version)

    def _present(self, snapshot: Snapshot) -> None:
        old = self.index.put(snapshot)
        if self._cloud_map is not None and snapshot.key.kind is Kind.VIRTUAL_NODE:
            self._cloud_map.see_node(snapshot)
        if self.ready:
            if (took := self._progress.sighted(old, snapshot, time.monotonic())) is not None:
                TIME_TO_ACTIVE.labels(snapshot.key.kind.label).observe(took)
            self.tell(news(old, snapshot, self.index))
            told = (minds_again(old, snapshot), self._proxies.sighted(snapshot))
            self.tell(change for change in told if change is not None)
        if not has_no_status(snapshot):
            self.outbox.answered(Name.of(snapshot))

    def _absent(self, name: Name, as_of: str) -> None:
        """Tell that a resource is gone as of a resourceVersion: seen to go, or missing in a list of the past perhaps.

        Not of which life: while Temporal does not answer, several may have come and gone, and the last word is for all.
        """
        old = self.index.remove(name)
        self._progress.lost(name)
        if self._cloud_map is not None and name.kind is Kind.VIRTUAL_NODE:
            self._cloud_map.lose_node(name)
        if old is not None:
            self._proxies.lost(old)
        if old is None or not self.ready:
            return
        self.outbox.answered(name)
        self.outbox.tell(Absence(name, Gone(as_of=as_of)))
        self.tell(news(old, None, self.index))

    def tell(self, changes: Iterable[Change]) -> None:
        """Tell workflows, each with what else is known that concerns it."""
        for change in changes:
            report = self._proxies.report(change.snapshot)
            self.outbox.tell(self.index.with_relatives(change).model_copy(update={"data_plane": report}))

    def _begin(self) -> None:
        """Every kind is listed: tell the resources whose workflows have not dealt with them yet."""
        self.listed.set()
        if self._cloud_map is not None:
            self._cloud_map.begin()
        changes = list(at_start(self.index))
        log.info("all kinds listed", resources=len(self.index), unsettled=len(changes))
        self.tell(changes)

    async def _compare_with_workflows(self) -> None:
        """Tell those of which only one half is there, once.

        A workflow without a resource: the finalizer was taken off by force while nobody watched. A settled resource
        without a workflow: Temporal lost its database, or is another one. All others have been told already.
        """
        await self.listed.wait()
        settled = [snapshot for snapshot in self.index.all() if is_settled(snapshot)]
        running = await self._running()
        for name in sorted(running, key=str):
            if self.index.get(name) is None:
                log.info("workflow without a resource", resource=str(name))
                self.outbox.tell(Absence(name, Gone(as_of=self._versions[name.kind])))
        lost = [name for snapshot in settled if (name := Name.of(snapshot)) not in running]
        if lost:
            log.warning("resources without a workflow", resources=len(lost))
        current = (snapshot for name in lost if (snapshot := self.index.get(name)) is not None)
        self.tell(Change(snapshot=snapshot, because="its workflow does not run") for snapshot in current)

    async def _running(self) -> frozenset[Name]:
        """The answer of Temporal, as soon as it gives one."""
        return await until_answered(self._workflows.running, "cannot list workflows")
