"""`meshwright watcher`: watches the resources and tells their workflows."""

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


def watcher(
    temporal_address: TemporalAddress = None,
    temporal_namespace: TemporalNamespace = None,
    task_queue: TaskQueue = None,
    cluster: Cluster = None,
    app_mesh_endpoint: Annotated[str | None, setting("app_mesh_endpoint")] = None,
    app_mesh_region: Annotated[str | None, setting("app_mesh_region")] = None,
    app_mesh_ca_file: Annotated[str | None, setting("app_mesh_ca_file")] = None,
    app_mesh_certificate_file: Annotated[str | None, setting("app_mesh_certificate_file")] = None,
    app_mesh_key_file: Annotated[str | None, setting("app_mesh_key_file")] = None,
    change_feed: Annotated[str | None, setting("change_feed")] = None,
    drift_sweep_seconds: Annotated[float | None, setting("drift_sweep_seconds")] = None,
    app_mesh_reads_per_second: Annotated[float | None, setting("app_mesh_reads_per_second")] = None,
    search_attributes: Annotated[str | None, setting("search_attributes")] = None,
    payload_keys_file: Annotated[str | None, setting("payload_keys_file")] = None,
    metrics_listen: MetricsListen = None,
    log_format: LogFormat = None,
    log_level: LogLevel = None,
    config: Config = None,
) -> None:
    """Watch Mesh, VirtualNode and VirtualService resources, and App Mesh itself; tell workflows what changed."""
    given = locals().copy()

    import uvloop

    from cli.lean import lean_imports

    with lean_imports():
        from cli import garbage, logs
        from cli.serve_watcher import serve
        from cli.settings import load

    settings = load(given)
    logs.configure(settings, "watcher")
    garbage.collect_rarely()
    uvloop.run(serve(settings))
