"""`meshwright worker`: runs the workflows and their activities."""

from typing import Annotated

from cli.options import (
    Cluster,
    Config,
    LogFormat,
    LogLevel,
    MetricsListen,
    TaskQueue,
    TemporalAddress,
    TemporalNamespace,
    setting,
)


def worker(
    temporal_address: TemporalAddress = None,
    temporal_namespace: TemporalNamespace = None,
    task_queue: TaskQueue = None,
    app_mesh_endpoint: Annotated[str | None, setting("app_mesh_endpoint")] = None,
    app_mesh_region: Annotated[str | None, setting("app_mesh_region")] = None,
    app_mesh_ca_file: Annotated[str | None, setting("app_mesh_ca_file")] = None,
    app_mesh_certificate_file: Annotated[str | None, setting("app_mesh_certificate_file")] = None,
    app_mesh_key_file: Annotated[str | None, setting("app_mesh_key_file")] = None,
    app_mesh_writes_per_second: Annotated[float | None, setting("app_mesh_writes_per_second")] = None,
    app_mesh_reads_per_second: Annotated[float | None, setting("app_mesh_reads_per_second")] = None,
    cloud_map_endpoint: Annotated[str | None, setting("cloud_map_endpoint")] = None,
    cloud_map_writes_per_second: Annotated[float | None, setting("cloud_map_writes_per_second")] = None,
    cloud_map_reads_per_second: Annotated[float | None, setting("cloud_map_reads_per_second")] = None,
    dns_check: Annotated[bool | None, setting("dns_check")] = None,
    worker_threads: Annotated[int | None, setting("worker_threads")] = None,
    worker_cached_workflows: Annotated[int | None, setting("worker_cached_workflows")] = None,
    cluster: Cluster = None,
    payload_keys_file: Annotated[str | None, setting("payload_keys_file")] = None,
    metrics_listen: MetricsListen = None,
    log_format: LogFormat = None,
    log_level: LogLevel = None,
    config: Config = None,
) -> None:
    """Run workflows and activities: the part that reconciles. Start as many as you like."""
    given = locals().copy()

    import uvloop

    from cli.lean import lean_imports

    with lean_imports():
        from cli import garbage, logs
        from cli.serve_worker import serve
        from cli.settings import load

    settings = load(given)
    logs.configure(settings, "worker")
    garbage.collect_rarely()
    uvloop.run(serve(settings))
