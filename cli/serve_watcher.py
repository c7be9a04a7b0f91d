"""The watcher process."""

import asyncio
from contextlib import AsyncExitStack, suppress

import structlog

from activities import metrics
from cli import clients, tracing
from cli.health import HealthServer, serves
from cli.settings import Settings
from cli.signals import Stopped, stop_requested, unless
from cli.temporal_metrics import TemporalMetrics
from resources.pods import essence
from watcher import metrics as watcher_metrics
from watcher import stream
from watcher.cloud_map import CloudMapWatch
from watcher.cloud_map_poke import TemporalCloudMapWorkflows
from watcher.metrics import Box, WatcherCollector
from watcher.poke import TemporalWorkflows, Workflows
from watcher.proxies import Proxies
from watcher.searching import Searchability
from watcher.stream import POD, ResourceStream
from watcher.watcher import Watcher

log = structlog.get_logger(__name__)


async def serve(settings: Settings) -> None:
    """Run until asked to stop; a fault of the watcher itself ends the process, so that it is started afresh."""
    with suppress(Stopped):
        await _serve(settings, stop_requested())


async def _serve(settings: Settings, stop: asyncio.Event) -> None:
    spans = tracing.start("watcher")
    kubernetes_client = await unless(stop, clients.kubernetes())
    watchers: list[Watcher] = []
    metrics.register()
    temporal_metrics = TemporalMetrics(wanted=serves(settings.metrics_listen))
    health = HealthServer(
        settings.metrics_listen,
        lambda: bool(watchers) and watchers[0].ready,
        (stream.REGISTRY, watcher_metrics.REGISTRY),
        temporal_metrics.text,
    )
    async with AsyncExitStack() as stack:
        if spans is not None:
            stack.callback(spans.stop)
        stack.push_async_callback(kubernetes_client.close)
        await health.start()
        stack.push_async_callback(health.stop)
        interceptors = () if spans is None else (spans.interceptor,)
        temporal = await unless(stop, clients.temporal(settings, temporal_metrics.runtime, interceptors))
        searchability = Searchability(temporal, settings.search_attributes)
        workflows: Workflows = TemporalWorkflows(temporal, settings.cluster, settings.task_queue, searchability)
        if spans is not None:
            workflows = spans.workflows(workflows, settings.cluster)
        cloud_map = CloudMapWatch(
            settings.cluster,
            ResourceStream(kubernetes_client, POD, essence),
            TemporalCloudMapWorkflows(temporal, settings.cluster, settings.task_queue, searchability),
        )
        proxies = Proxies()
        watcher = Watcher(lambda kind: ResourceStream(kubernetes_client, kind), workflows, cloud_map, proxies)
        watchers.append(watcher)
        boxes: dict[str, Box] = {"resource": watcher.outbox, "cloud_map": cloud_map}
        watcher_metrics.REGISTRY.register(WatcherCollector(watcher.index, boxes))
        session = await stack.enter_async_context(clients.app_mesh_session(settings))
        drift = clients.drift_watch(settings, session, watcher, workflows)
        data_plane = clients.data_plane_watch(settings, session, watcher, proxies)
        parts = (each for each in (drift, data_plane) if each is not None)
        working = [asyncio.create_task(watcher.run()), *(asyncio.create_task(part.run()) for part in parts)]
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({*working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        for task in working:
            if task.done():
                task.result()
        log.info("stopping", undelivered=watcher.outbox.waiting + cloud_map.waiting)
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
