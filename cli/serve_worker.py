"""The worker process: workers for the workflows' queue and, where limits are set, for the limited queues."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from typing import Any

import structlog
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities import metrics, names
from activities.appmesh import AppMeshActivities
from activities.cloud_map import CloudMapActivities
from activities.dns import DnsActivities
from activities.heartbeats import SignsOfLife
from activities.kubernetes import KubernetesActivities
from activities.messages import Queues
from activities.resource_api import ClusterApi
from cli import clients, tracing
from cli.health import HealthServer, serves
from cli.settings import Settings
from cli.signals import Stopped, stop_requested, unless
from cli.temporal_metrics import TemporalMetrics
from workflows.cloud_map import CloudMapServiceWorkflow
from workflows.cloud_map_calls import LIMITED_BATCH
from workflows.entity import ALL
from workflows.log_context import LogContext

log = structlog.get_logger(__name__)

GRACE = timedelta(seconds=20)
"""How long a stopping worker lets calls that are under way finish."""

STICKY = timedelta(seconds=2)
"""How long a workflow task waits for the worker that has its workflow in memory: also when that one was killed."""

POLLS = 16
"""Workflow tasks asked for at once. One that meets no poll is written down and read again by the server: with the
SDK's own five, half of them in a large apply, and an edit waits behind them."""


async def serve(settings: Settings) -> None:
    """Run until asked to stop."""
    with suppress(Stopped):
        await _serve(settings, stop_requested())


async def _serve(settings: Settings, stop: asyncio.Event) -> None:
    spans = tracing.start("worker")
    app_mesh_client, cloud_map_client = clients.app_mesh(settings), clients.cloud_map(settings)
    if spans is not None:
        spans.watch(app_mesh_client)
        spans.watch(cloud_map_client)
    app_mesh, cloud_map = AppMeshActivities(app_mesh_client), CloudMapActivities(cloud_map_client)
    kubernetes_client = await unless(stop, clients.kubernetes())
    running: list[Worker] = []
    metrics.register()
    temporal_metrics = TemporalMetrics(wanted=serves(settings.metrics_listen))
    health = HealthServer(
        settings.metrics_listen,
        lambda: bool(running) and all(each.is_running for each in running),
        further=temporal_metrics.text,
    )
    async with AsyncExitStack() as stack:
        if spans is not None:
            stack.callback(spans.stop)
        stack.push_async_callback(kubernetes_client.close)
        await health.start()
        stack.push_async_callback(health.stop)
        interceptors = () if spans is None else (spans.interceptor,)
        temporal = await unless(stop, clients.temporal(settings, temporal_metrics.runtime, interceptors))
        threads = stack.enter_context(ThreadPoolExecutor(settings.worker_threads, "app-mesh"))
        kubernetes = KubernetesActivities(ClusterApi(kubernetes_client), queues(settings), settings.dns_check)
        built = workers(temporal, settings, app_mesh, cloud_map, kubernetes, threads)
        running.extend([await stack.enter_async_context(worker) for worker in built])
        log.info("working", task_queue=settings.task_queue, app_mesh=settings.app_mesh_endpoint)
        await stop.wait()
        log.info("stopping")


def queues(settings: Settings) -> Queues:
    """Queues of their own for calls that are limited; the workflows' queue, with its eager dispatch, for the rest."""
    return Queues(
        writes=f"{settings.task_queue}-app-mesh-writes" if settings.app_mesh_writes_per_second else None,
        reads=f"{settings.task_queue}-app-mesh-reads" if settings.app_mesh_reads_per_second else None,
        cloud_map_writes=f"{settings.task_queue}-cloud-map-writes" if settings.cloud_map_writes_per_second else None,
        cloud_map_reads=f"{settings.task_queue}-cloud-map-reads" if settings.cloud_map_reads_per_second else None,
    )


def workers(
    client: Client,
    settings: Settings,
    app_mesh: AppMeshActivities,
    cloud_map: CloudMapActivities,
    kubernetes: KubernetesActivities,
    threads: ThreadPoolExecutor,
) -> list[Worker]:
    """One worker per queue. All serve all activities, so a changed limit strands no task that is already queued."""
    everything: list[Callable[..., Any]] = [
        *kubernetes.definitions(),
        *DnsActivities().definitions(),
        *app_mesh.writes(),
        *app_mesh.reads(),
        *cloud_map.definitions(),
    ]
    limits = queues(settings)
    interceptors = [LogContext(), SignsOfLife(but_not=names.TELL_PROGRESS)]
    main = Worker(
        client,
        task_queue=settings.task_queue,
        workflows=[*ALL, CloudMapServiceWorkflow],
        activities=everything,
        activity_executor=threads,
        # Determinism is seen to by lint rules and by replaying recorded histories; the sandbox would also check it, at
        # run time, for nearly half of the CPU (docs/explanation/decisions/0003).
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_concurrent_activities=settings.worker_threads,
        max_concurrent_local_activities=100,
        max_concurrent_workflow_tasks=100,
        max_cached_workflows=settings.worker_cached_workflows,
        max_eager_activity_reservations_per_workflow_task=10,
        max_concurrent_workflow_task_polls=POLLS,
        # There is no external storage, and more than one costs a task of asyncio for each payload all the same.
        max_workflow_task_external_storage_concurrency=1,
        sticky_queue_schedule_to_start_timeout=STICKY,
        graceful_shutdown_timeout=GRACE,
        interceptors=interceptors,
    )
    limited = [
        Worker(
            client,
            task_queue=queue,
            activities=everything,
            activity_executor=threads,
            max_concurrent_activities=settings.worker_threads,
            max_task_queue_activities_per_second=limit,
            graceful_shutdown_timeout=GRACE,
            interceptors=interceptors,
        )
        for queue, limit in (
            (limits.writes, settings.app_mesh_writes_per_second),
            (limits.reads, settings.app_mesh_reads_per_second),
            # One write task is a batch of calls.
            (limits.cloud_map_writes, (settings.cloud_map_writes_per_second or 0) / LIMITED_BATCH),
            (limits.cloud_map_reads, settings.cloud_map_reads_per_second),
        )
        if queue is not None
    ]
    return [main, *limited]
