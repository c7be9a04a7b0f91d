"""The data plane as one part of the control plane's process: feed, Cloud Map and ADS server, begun and ended as one.

All of it is on the event loop that serves the API, apart from what blocks: reading the store, asking Cloud Map, and
compiling, which has a thread of its own. Where one of its tasks ends by a fault of ours there is a `fault`, and the
process has to end: proxies would keep what they have for ever, and nobody would know.
"""

from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from prometheus_client import CollectorRegistry

from control_plane.api.access import AccessKey, Right
from control_plane.api.bell import Bell
from control_plane.api.errors import BadRequest
from control_plane.api.signature import SignedRequest
from control_plane.store.database import Database
from control_plane.xds import cloud_map, status
from control_plane.xds.ads.server import AdsConfig, AdsServer
from control_plane.xds.cloud_map import CloudMap
from control_plane.xds.compile import Compiler
from control_plane.xds.feed import Feed
from control_plane.xds.lasting import LastingTasks
from control_plane.xds.reader import Reader
from control_plane.xds.standing_feed import StandingFeed

log = structlog.get_logger("control_plane.xds")


@dataclass(frozen=True)
class DataPlaneConfig:
    """All that the data plane needs to know."""

    ads: AdsConfig
    cloud_map_endpoint: str | None = None
    """URL of the Cloud Map API; None: nodes that are found by it have no instances."""
    region: str = "us-west-2"


class DataPlane:
    """Serves the meshes of a database to proxies."""

    def __init__(
        self, config: DataPlaneConfig, database: Database, bell: Bell, reading: Executor, registry: CollectorRegistry
    ) -> None:
        self._compiling = ThreadPoolExecutor(1, thread_name_prefix="compiler")
        self._asking = ThreadPoolExecutor(1, thread_name_prefix="cloud-map")
        self._feed = Feed(Reader(database), Compiler(), bell, reading, self._compiling)
        self._cloud_map = None
        if config.cloud_map_endpoint is not None:
            client = cloud_map.client(config.cloud_map_endpoint, config.region)
            self._cloud_map = CloudMap(client, self._feed, self._asking)
        self.server = AdsServer(config.ads, self._feed, registry)
        self.standing = StandingFeed(self._feed, self.server.connections, database, bell, reading)
        self._tasks = LastingTasks()
        self.port: int | None = None
        """Where proxies are served, while they are."""

    @property
    def fault(self) -> BaseException | None:
        """What keeps it from going on; None: nothing does."""
        return self._tasks.fault

    @property
    def loaded(self) -> bool:
        """Whether the state was read once, so that whoever connects is told something."""
        return self._feed.revision is not None

    async def proxies(self, request: SignedRequest, key: AccessKey) -> dict[str, Any]:
        """Who is connected here (an `Extension`)."""
        if request.raw_query:
            raise BadRequest("The list of proxies has no parameters")
        mine = [each for each in self.server.connections.list() if key.may(Right.READ, each.proxy.mesh)]
        return status.document(mine, self._feed.problems)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve proxies for as long as the block lasts.

        Raises:
            OSError: the address cannot be listened at.
        """
        self.port = await self.server.start()
        log.info("serving proxies", port=self.port)
        self._tasks.start("feed", self._feed.run())
        self._tasks.start("standing", self.standing.run())
        if self._cloud_map is not None:
            self._tasks.start("cloud-map", self._cloud_map.run())
        try:
            yield
        finally:
            await self.server.stop()
            await self._tasks.stop()
            await self.standing.stop()
            for threads in (self._compiling, self._asking):
                threads.shutdown()
