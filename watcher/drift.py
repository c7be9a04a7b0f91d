"""Following the change feed: what others write in App Mesh becomes a doubt of whoever owns it.

Where the endpoint has no feed, all that is ours is listed now and then instead (`sweep.py`).

Nothing is told before every kind has been listed: whose an object is can only be seen against the whole. The next
request, which says that all before it has been dealt with, is made when Temporal has taken the doubts; so a watcher
may die anywhere, and its successor goes on from there. Who is here for the first time, or was away for longer than the
feed remembers, doubts everything once.
"""

import asyncio
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog

from activities.objects import ApiObject
from resources.kinds import Kind
from watcher.feed import INTERRUPTIONS, Forgotten, NotOffered, Page, Written, is_denied
from watcher.index import Index, Name
from watcher.metrics import DOUBTS
from watcher.owners import all_in_doubt, doubts
from watcher.patience import retry_delay, until_answered
from watcher.poke import Workflows
from watcher.sweep import differing, routers_of
from workflows.messages import Change

log = structlog.get_logger(__name__)

SENDERS = 32
OFFERED_AGAIN_SECONDS = 600.0
"""How often an endpoint without a feed is asked whether it has one now, when nothing else is to be done there."""


class Feed(Protocol):
    """See `watcher.feed.ChangeFeed`."""

    async def where_we_were(self) -> Page:
        """Where we left off."""

    async def now(self) -> Page:
        """Where the feed is."""

    async def after(self, revision: int) -> Page:
        """What others wrote."""


class Lists(Protocol):
    """See `watcher.listing.Listing`."""

    async def meshes(self) -> dict[ApiObject, int]:
        """All meshes with their versions."""

    async def members(self, mesh: str, routers: Sequence[str]) -> dict[ApiObject, int]:
        """What a mesh holds, with versions."""


@dataclass(frozen=True)
class Sweeping:
    """How to find drift without a feed: what lists, and how many seconds apart."""

    lists: Lists
    seconds: float


class NoFeed:
    """What is followed when the feed is off."""

    async def where_we_were(self) -> Page:
        """Nowhere."""
        raise NotOffered("the change feed is off")

    async def now(self) -> Page:
        """Nowhere."""
        raise NotOffered("the change feed is off")

    async def after(self, revision: int) -> Page:
        """Nothing."""
        raise NotOffered("the change feed is off")


class DriftWatch:
    """One per process; any number may run at once: a second look at the same finds nothing new."""

    def __init__(
        self, feed: Feed, index: Index, listed: asyncio.Event, workflows: Workflows, sweeping: Sweeping | None = None
    ) -> None:
        self._feed = feed
        self._index = index
        self._listed = listed
        self._workflows = workflows
        self._sweeping = sweeping
        self._position: int | None = None
        self._lost = False

    async def run(self) -> None:
        """Follow until cancelled."""
        await self._listed.wait()
        failures = 0
        while True:
            try:
                await self._turn()
                failures = 0
            except Forgotten as error:
                log.warning("the change feed does not reach back", position=self._position, error=str(error))
                self._position, self._lost = None, True
            except (NotOffered, *INTERRUPTIONS) as error:
                if is_denied(error, self._position is not None, failures):
                    log.info("no change feed", error=str(error))
                    self._position, failures = None, 0
                    await self._sweep()
                    seconds = self._sweeping.seconds if self._sweeping is not None else OFFERED_AGAIN_SECONDS
                    await asyncio.sleep(seconds * random.uniform(0.8, 1.2))
                    continue
                delay = retry_delay(failures)
                log.info("change feed interrupted", error=(str(error) or type(error).__name__)[:200], retry_in=delay)
                failures += 1
                await asyncio.sleep(delay)

    async def _turn(self) -> None:
        if self._position is None:
            self._position = await self._begin()
            log.info("following the change feed", revision=self._position)
        page = await self._feed.after(self._position)
        await self._tell(doubts_of(page.written, self._index), "feed")
        self._position = page.revision

    async def _begin(self) -> int:
        page = await (self._feed.now() if self._lost else self._feed.where_we_were())
        if self._lost or not page.known:
            because = "App Mesh may have been changed while nobody watched"
            await self._tell(all_in_doubt(because, self._index), "start")
        self._lost = False
        return page.revision

    async def _sweep(self) -> None:
        if self._sweeping is None:
            return
        try:
            lists = self._sweeping.lists
            meshes = await lists.meshes()
            for name in sorted(name.name for name in self._index.names(Kind.MESH)):
                listed = await lists.members(name, routers_of(name, self._index))
                itself = {object: version for object, version in meshes.items() if object.name == name}
                await self._tell(differing(name, listed | itself, self._index), "sweep")
        except Exception as error:  # whatever the API says: the next sweep comes anyway
            log.warning("the sweep for drift was broken off", error=(str(error) or type(error).__name__)[:200])

    async def _tell(self, changes: Iterable[Change], found_by: str) -> None:
        """Returns when Temporal has taken all of them."""
        free = asyncio.Semaphore(SENDERS)
        async with asyncio.TaskGroup() as tasks:
            for change in changes:
                await free.acquire()
                DOUBTS.labels(found_by).inc()
                tasks.create_task(self._send(change)).add_done_callback(lambda _: free.release())

    async def _send(self, change: Change) -> None:
        await until_answered(partial(self._tell_newest, change), "Temporal did not take a doubt")

    async def _tell_newest(self, change: Change) -> None:
        """Tell with the resource as it is now: it may have gone while the doubt waited, and its workflow have ended.

        A new one would begin with the old sighting, and make in App Mesh again what has just been deleted there.
        """
        newest = self._index.get(Name.of(change.snapshot))
        if newest is not None:
            await self._workflows.tell(change.model_copy(update={"snapshot": newest}))


def doubts_of(written: Iterable[Written], index: Index) -> list[Change]:
    """What a page of the feed means for the resources."""
    ours = [each for each in written if each.object is not None]
    some = ", ".join(f"{each.operation} {each.object} by {each.by or 'somebody'}" for each in ours[:3])
    because = some + (" ..." if len(ours) > 3 else "")
    return doubts((each.object for each in ours if each.object is not None), because, index)
