"""`meshwright injector`: the webhook that gives pods their sidecars."""

from typing import Annotated

from cli.options import Config, LogFormat, LogLevel, MetricsListen, setting


def injector(
    xds_address: Annotated[str | None, setting("xds_address")] = None,
    xds_ca_file: Annotated[str | None, setting("xds_ca_file")] = None,
    injector_listen: Annotated[str | None, setting("injector_listen")] = None,
    injector_certificate_file: Annotated[str | None, setting("injector_certificate_file")] = None,
    injector_key_file: Annotated[str | None, setting("injector_key_file")] = None,
    injector_service: Annotated[str | None, setting("injector_service")] = None,
    injector_webhook: Annotated[str | None, setting("injector_webhook")] = None,
    inject_by_default: Annotated[bool | None, setting("inject_by_default")] = None,
    inject_mesh: Annotated[str | None, setting("inject_mesh")] = None,
    inject_unmatched: Annotated[str | None, setting("inject_unmatched")] = None,
    inject_native: Annotated[str | None, setting("inject_native")] = None,
    inject_sidecar: Annotated[str | None, setting("inject_sidecar")] = None,
    inject_image: Annotated[str | None, setting("inject_image")] = None,
    inject_init_image: Annotated[str | None, setting("inject_init_image")] = None,
    inject_log_level: Annotated[str | None, setting("inject_log_level")] = None,
    inject_cpu_request: Annotated[str | None, setting("inject_cpu_request")] = None,
    inject_memory_request: Annotated[str | None, setting("inject_memory_request")] = None,
    inject_cpu_limit: Annotated[str | None, setting("inject_cpu_limit")] = None,
    inject_memory_limit: Annotated[str | None, setting("inject_memory_limit")] = None,
    inject_ignored_ports: Annotated[str | None, setting("inject_ignored_ports")] = None,
    inject_ignored_ips: Annotated[str | None, setting("inject_ignored_ips")] = None,
    inject_ipv6: Annotated[bool | None, setting("inject_ipv6")] = None,
    inject_drain_seconds: Annotated[int | None, setting("inject_drain_seconds")] = None,
    inject_certificate_secret: Annotated[str | None, setting("inject_certificate_secret")] = None,
    inject_token_secret: Annotated[str | None, setting("inject_token_secret")] = None,
    inject_statsd_address: Annotated[str | None, setting("inject_statsd_address")] = None,
    inject_tracing: Annotated[str | None, setting("inject_tracing")] = None,
    inject_stats_tags: Annotated[bool | None, setting("inject_stats_tags")] = None,
    app_mesh_region: Annotated[str | None, setting("app_mesh_region")] = None,
    metrics_listen: MetricsListen = None,
    log_format: LogFormat = None,
    log_level: LogLevel = None,
    config: Config = None,
) -> None:
    """Serve the admission webhook that gives pods of labelled namespaces their sidecars."""
    given = locals().copy()

    import uvloop

    from cli import logs
    from cli.injected import configuration
    from cli.serve_injector import serve
    from cli.settings import load

    settings = load(given)
    logs.configure(settings, "injector")
    configuration(settings, native=True)  # what cannot be used is told before anything listens
    uvloop.run(serve(settings))
