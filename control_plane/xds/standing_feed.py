"""The standing of proxies: `GET /v1/data-plane`, an extension beside App Mesh's operations.

It answers how far the proxies of each mesh are and what they refuse (see `standing`), and waits until that differs from
what the reader knows (long poll). Parameters, both optional:

| parameter | meaning |
|---|---|
| `after` | the `version` of the answer that the reader has |
| `wait` | seconds to wait for another one, up to 60; 0 by default |

The answer is the whole state, not news, so a reader that misses some has missed nothing. Its version is a hash of the
content: any replica may be asked next. With one process (SQLite) nothing of this is stored; replicas that share a
database tell each other through it, and look there only while somebody waits here.
"""

import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import structlog

from control_plane.api.access import AccessKey, Right
from control_plane.api.bell import Bell
from control_plane.api.change_feed import POLL_SECONDS, seconds_of
from control_plane.api.errors import BadRequest
from control_plane.api.signature import SignedRequest
from control_plane.store import replicas
from control_plane.store.database import Database
from control_plane.store.errors import DatabaseUnavailable
from control_plane.xds.ads.connections import Connections
from control_plane.xds.feed import Feed
from control_plane.xds.snapshot import digest
from control_plane.xds.standing import Standing, joined, reached, read, shown, standing

PATH = "/v1/data-plane"
PAUSE_SECONDS = 0.05
"""Between two sums: under a burst of changes there is one for many."""

log = structlog.get_logger("control_plane.xds")


class StandingFeed:
    """Sums up one process's proxies, and answers for all replicas."""

    def __init__(
        self,
        feed: Feed,
        connections: Connections,
        database: Database,
        bell: Bell,
        threads: Executor,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._feed = feed
        self._connections = connections
        self._database = database
        self._bell = bell
        self._threads = threads
        self._clock = clock
        self._replica = str(uuid4())
        self._news = Bell()
        self._reached: dict[str, int] = {}
        self._own: Standing = {}
        self._lease_ends: float | None = None  # of what was said to the others; None: nothing

    async def run(self) -> None:
        """Sum up until cancelled."""
        ignore = self._connections.listen(lambda _connection: self._feed.moved.set())
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._sum_up())
                tasks.create_task(self._close_with_the_application())
        finally:
            ignore()

    async def stop(self) -> None:
        """Say to the others that there are no proxies here any more."""
        self._own = {}
        await self._say()

    async def answer(self, request: SignedRequest, key: AccessKey) -> dict[str, Any]:
        """Answer one request, which this key has signed (an `Extension`)."""
        after, wait = _question(request.raw_query)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        with self._news.listener() as heard:
            while True:
                heard.clear()
                document = await self._document(key)
                left = deadline - loop.time()
                if document["version"] != after or left <= 0 or self._news.closed:
                    return document
                try:
                    async with asyncio.timeout(min(left, POLL_SECONDS) if self._database.shared else left):
                        await heard.wait()
                except TimeoutError:
                    continue

    async def _document(self, key: AccessKey) -> dict[str, Any]:
        parts = [self._own]
        if self._database.shared:
            loop = asyncio.get_running_loop()
            parts += [read(says) for says in await loop.run_in_executor(self._threads, self._others)]
        meshes = [each for each in shown(joined(parts)) if key.may(Right.READ, each["meshName"])]
        return {"version": digest(json.dumps(meshes).encode()), "meshes": meshes}

    def _others(self) -> Any:
        with self._database.read() as connection:
            return replicas.others(connection, self._replica, self._clock())

    async def _sum_up(self) -> None:
        moved = self._feed.moved
        while True:
            moved.clear()
            connections, told = self._connections.list(), self._feed.told()
            self._reached = reached(connections, told, self._reached, self._feed.revision or 0)
            own = standing(connections, told, self._reached, self._feed.revision_of)
            if own != self._own:
                self._own = own
                self._news.ring(None)
                await self._say()
            elif self._renew_in == 0.0:
                await self._say()
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                async with asyncio.timeout(self._renew_in):
                    await moved.wait()
            except TimeoutError:
                continue

    @property
    def _renew_in(self) -> float | None:
        """Seconds until the lease has to be renewed; None: there is none."""
        if self._lease_ends is None:
            return None
        return max(0.0, self._lease_ends - self._clock() - replicas.LEASE_SECONDS * 2 / 3)

    async def _say(self) -> None:
        if not self._database.shared or not (self._own or self._lease_ends):
            return
        says = shown(self._own) if self._own else None

        def write() -> None:
            with self._database.aside() as connection:
                replicas.say(connection, self._replica, says, self._clock())

        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, write)
        except DatabaseUnavailable as error:
            log.warning("the other replicas cannot be told of the proxies here", error=str(error))
        # Also if that failed: it is tried again when it would have to be renewed.
        self._lease_ends = self._clock() + replicas.LEASE_SECONDS if says is not None else None

    async def _close_with_the_application(self) -> None:
        with self._bell.listener() as heard:
            while not self._bell.closed:
                heard.clear()
                await heard.wait()
        self._news.close()


def _question(raw_query: str) -> tuple[str | None, float]:
    """The parameters of a query.

    Raises:
        BadRequest: one is unknown, comes twice or has a value that it cannot have; names it.
    """
    pairs = parse_qsl(raw_query, keep_blank_values=True)
    given = dict(pairs)
    unknown = sorted(given.keys() - {"after", "wait"})
    if unknown:
        raise BadRequest(f"There is no parameter {unknown[0]!r} here")
    if len(given) < len(pairs):
        raise BadRequest("A parameter is given twice")
    return given.get("after"), seconds_of(given["wait"]) if "wait" in given else 0.0
