"""The watcher process."""

import asyncio
from contextlib import AsyncExitStack

import structlog

from cli import clients
from cli.health import HealthServer
from cli.settings import Settings
from cli.signals import stop_requested
from watcher.poke import TemporalWorkflows
from watcher.stream import ResourceStream
from watcher.watcher import Watcher

log = structlog.get_logger(__name__)


async def serve(settings: Settings) -> None:
    """Run until asked to stop; a fault of the watcher itself ends the process, so that it is started afresh."""
    kubernetes_client = await clients.kubernetes()
    watchers: list[Watcher] = []
    health = HealthServer(settings.metrics_listen, lambda: bool(watchers) and watchers[0].ready)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(kubernetes_client.close)
        stop = stop_requested()
        await health.start()
        stack.push_async_callback(health.stop)
        temporal = await clients.temporal(settings)
        workflows = TemporalWorkflows(temporal, settings.cluster, settings.task_queue)
        watcher = Watcher(lambda kind: ResourceStream(kubernetes_client, kind), workflows)
        watchers.append(watcher)
        watching = asyncio.create_task(watcher.run())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({watching, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if watching.done():
            watching.result()
        log.info("stopping", undelivered=watcher.outbox.waiting)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
