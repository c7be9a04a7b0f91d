"""`meshwright watcher`: watches the resources and tells their workflows."""

from cli.options import (
    Cluster,
    Config,
    LogFormat,
    LogLevel,
    MetricsListen,
    TaskQueue,
    TemporalAddress,
    TemporalNamespace,
)


def watcher(
    temporal_address: TemporalAddress = None,
    temporal_namespace: TemporalNamespace = None,
    task_queue: TaskQueue = None,
    cluster: Cluster = None,
    metrics_listen: MetricsListen = None,
    log_format: LogFormat = None,
    log_level: LogLevel = None,
    config: Config = None,
) -> None:
    """Watch Mesh, VirtualNode and VirtualService resources and tell their workflows what changed."""
    given = locals().copy()

    import uvloop

    from cli import logs
    from cli.serve_watcher import serve
    from cli.settings import load

    settings = load(given)
    logs.configure(settings, "watcher")
    uvloop.run(serve(settings))
