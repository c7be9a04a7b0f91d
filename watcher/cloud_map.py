"""The watcher's Cloud Map part: nodes and pods in, tidings for the services' workflows out.

Pods are watched from when the first VirtualNode uses Cloud Map. Nothing is told of a service before every node and, if
nodes use it, every pod has been listed once. A workflow deregisters nothing before it has heard of every pod on a
roster, which comes with the last of the first messages; one that begins later, whatever the reason, hears of all too.
Per service one message is under way at a time, and the next one follows a moment later with all that came meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator, Set
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from resources.cloud_map import CloudMapService
from resources.metadata import as_number
from resources.pods import Pod
from watcher.cloud_map_index import CloudMapIndex, News, Node
from watcher.cloud_map_poke import CloudMapWorkflows
from watcher.index import Name
from watcher.outbox import Outbox
from watcher.patience import until_answered
from watcher.stream import Listing, Sighting
from workflows.cloud_map_messages import Tidings
from workflows.messages import Snapshot

log = structlog.get_logger(__name__)

SENDERS = 8
GATHER_SECONDS = 0.1
"""After a message to a service, how long news for it is gathered before the next."""
SWEEP_SECONDS = 600.0
MOST_PODS = 100
"""Pods in one message."""


class PodStream(Protocol):
    """What happens to pods that name a virtual node, for ever."""

    def follow(self) -> AsyncIterator[Listing | Sighting]:
        """Listings and sightings."""


@dataclass(frozen=True)
class Pending:
    """What a service has not been told yet. `gone` has the version as of which a pod is gone."""

    because: str = ""
    uids: Set[str] = frozenset()
    gone: dict[str, int] = field(default_factory=dict)
    roster: bool = False
    sweep: bool = False

    def joined(self, newer: "Pending") -> "Pending":
        """This and what came after it."""
        return Pending(
            self.because or newer.because,
            self.uids | newer.uids,
            self.gone | newer.gone,
            self.roster or newer.roster,
            self.sweep or newer.sweep,
        )


class CloudMapWatch:
    """One per watcher. Any number of watchers may run: what they tell is idempotent."""

    def __init__(
        self, cluster: str, pods: PodStream, workflows: CloudMapWorkflows, sweep_seconds: float = SWEEP_SECONDS
    ) -> None:
        self._stream = pods
        self._workflows = workflows
        self._sweep_seconds = sweep_seconds
        self._outbox = Outbox(self._deliver, Pending.joined, SENDERS, self._may_be_told)
        self._needed = asyncio.Event()
        self._nodes_listed = asyncio.Event()
        self._pods_listed = False
        self._nodes_version = 0
        self._pods_version = 0
        self._lives: dict[CloudMapService, str] = {}
        """The workflow that each service had when it was last told."""
        self.index = CloudMapIndex(cluster)

    @property
    def waiting(self) -> int:
        """How many services have not been told the newest yet."""
        return self._outbox.waiting

    @property
    def delivered(self) -> int:
        """How many messages Temporal has taken."""
        return self._outbox.delivered

    async def run(self) -> None:
        """Watch and tell until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_pods())
            tasks.create_task(self._sweep_for_ever())
            tasks.create_task(self._outbox.run())

    def see_node(self, snapshot: Snapshot) -> None:
        """A sighting of a VirtualNode."""
        node = Node.of(snapshot)
        self._take(self.index.put_node(Name.of(snapshot), node), f"VirtualNode {snapshot.key.name}")
        if node is not None:
            self._needed.set()

    def lose_node(self, name: Name) -> None:
        """A VirtualNode is gone."""
        self._take(self.index.put_node(name, None), f"VirtualNode {name.name} is gone")

    def nodes_are_at(self, version: str) -> None:
        """How far the stream of VirtualNodes is; orders what is told of nodes."""
        self._nodes_version = max(self._nodes_version, as_number(version))

    def begin(self) -> None:
        """Every VirtualNode has been seen."""
        self._nodes_listed.set()
        self._outbox.wake()

    async def _follow_pods(self) -> None:
        await self._needed.wait()
        log.info("a VirtualNode uses Cloud Map, watching pods")
        async for item in self._stream.follow():
            if isinstance(item, Listing):
                self._take_listing(item)
            else:
                pod = Pod.of(item.item)
                self._pods_version = max(self._pods_version, pod.version)
                if item.type == "DELETED":
                    self._lose_pod(pod.uid, pod.version)
                else:
                    self._take(self.index.put_pod(pod), f"Pod {pod.namespace}/{pod.name}")

    def _take_listing(self, listing: Listing) -> None:
        version = as_number(listing.resource_version)
        self._pods_version = max(self._pods_version, version)
        for uid in self.index.uids() - {item["metadata"]["uid"] for item in listing.items}:
            self._lose_pod(uid, version)
        for item in listing.items:
            self._take(self.index.put_pod(Pod.of(item)), "pods were listed")
        if not self._pods_listed:
            self._pods_listed = True
            for service in self.index.services():
                self._outbox.put(service, Pending("pods were listed", set(self.index.roster(service)), roster=True))
            self._outbox.wake()

    def _lose_pod(self, uid: str, version: int) -> None:
        for service, uids in self.index.remove_pod(uid).items():
            self._outbox.put(service, Pending("a pod is gone", uids, {uid: version}))

    def _take(self, news: News, because: str) -> None:
        for service, uids in news.items():
            self._outbox.put(service, Pending(because, set(uids)))

    async def _sweep_for_ever(self) -> None:
        """At start, services that nobody uses any more; then, now and then, all of them."""
        await self._nodes_listed.wait()
        for service in sorted(await self._running() - self.index.services(), key=str):
            self._outbox.put(service, Pending("no VirtualNode uses the service"))
        while True:
            await asyncio.sleep(self._sweep_seconds)
            self.index.forget_homes()
            for service in sorted({*self.index.services(), *await self._running()}, key=str):
                self._outbox.put(service, Pending("sweep", roster=True, sweep=True))

    async def _running(self) -> frozenset[CloudMapService]:
        """The answer of Temporal, as soon as it gives one."""
        return await until_answered(self._workflows.running, "cannot list workflows")

    def _may_be_told(self, service: CloudMapService) -> bool:
        return self._nodes_listed.is_set() and (self._pods_listed or not self.index.nodes_in(service))

    async def _deliver(self, service: CloudMapService, news: Pending) -> None:
        tidings = self._tidings(service, news)
        life = await self._workflows.tell(tidings)
        if life is not None and life != self._lives.get(service):
            self._lives[service] = life
            self._introduce(service, tidings)
        await asyncio.sleep(GATHER_SECONDS)

    def _introduce(self, service: CloudMapService, told: Tidings) -> None:
        """Tell a workflow that has just begun of everybody: Temporal may have lost the one that knew them."""
        untold = set(self.index.roster(service)) - {news.uid for news in told.pods}
        if untold or told.roster is None:
            self._outbox.put(service, Pending("its workflow is new", untold, roster=True))

    def _tidings(self, service: CloudMapService, news: Pending) -> Tidings:
        """The message, made from the newest state; what does not fit stays pending."""
        told, later = set(sorted(news.uids)[:MOST_PODS]), set(sorted(news.uids)[MOST_PODS:])
        if later:
            self._outbox.put(service, Pending(news.because, later, news.gone, news.roster, news.sweep))
        roster = (news.roster or service not in self._lives) and self._pods_listed and not later
        return Tidings(
            because=news.because,
            cluster=self.index.cluster,
            service=service,
            nodes=self.index.nodes_in(service),
            nodes_version=self._nodes_version,
            pods=self.index.news_of(service, told, dict.fromkeys(told, self._pods_version) | news.gone),
            roster=tuple(self.index.roster(service)) if roster else None,
            as_of=self._pods_version,
            sweep=news.sweep and not later,
        )
