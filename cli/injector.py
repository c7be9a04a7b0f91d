"""`meshwright injector`: the webhook that gives pods their sidecars."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

from cli.options import Config, LogFormat, LogLevel, MetricsListen, setting
from cli.settings import Settings, SettingsError

if TYPE_CHECKING:
    from injector.configuration import Configuration

T = TypeVar("T")


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
    from cli.serve_injector import serve
    from cli.settings import load

    settings = load(given)
    logs.configure(settings, "injector")
    configuration(settings, native=True)  # what cannot be used is told before anything listens
    uvloop.run(serve(settings))


def configuration(settings: Settings, native: bool) -> "Configuration":
    """What is put into pods; `native` says whether the cluster knows sidecar containers.

    Raises:
        SettingsError: a setting cannot be used; the message names it.
    """
    from control_plane.xds.bootstrap import UnusableAddress
    from injector import forms
    from injector.configuration import Configuration, Flavour, Unmatched
    from injector.proxy_bootstrap import check

    if settings.xds_address is None:
        raise SettingsError(
            "xds_address is not set; set MESHWRIGHT_XDS_ADDRESS to where proxies reach the control plane"
        )
    if (settings.injector_certificate_file is None) != (settings.injector_key_file is None):
        raise SettingsError("injector_certificate_file and injector_key_file belong together")
    authority = _authority(settings)
    for name in ("inject_certificate_secret", "inject_token_secret"):
        if getattr(settings, name) is not None and authority is None:
            raise SettingsError(f"setting {name}: proxies show it over TLS alone; set xds_ca_file")
    made = Configuration(
        xds_address=settings.xds_address,
        xds_ca=authority,
        certificate_secret=settings.inject_certificate_secret,
        token_secret=settings.inject_token_secret,
        by_default=settings.inject_by_default,
        mesh=_formed(settings, "inject_mesh", forms.name),
        unmatched=Unmatched(settings.inject_unmatched),
        native=native,
        flavour=Flavour(settings.inject_sidecar),
        image=settings.inject_image,
        init_image=settings.inject_init_image,
        region=settings.app_mesh_region,
        log_level=settings.inject_log_level,
        cpu_request=_formed(settings, "inject_cpu_request", forms.quantity),
        memory_request=_formed(settings, "inject_memory_request", forms.quantity),
        cpu_limit=_formed(settings, "inject_cpu_limit", forms.quantity),
        memory_limit=_formed(settings, "inject_memory_limit", forms.quantity),
        ignored_ports=_formed(settings, "inject_ignored_ports", forms.ports) or (),
        ignored_ips=_formed(settings, "inject_ignored_ips", forms.addresses) or (),
        ipv6=settings.inject_ipv6,
        drain_seconds=settings.inject_drain_seconds,
        statsd_address=_formed(settings, "inject_statsd_address", forms.ip_and_port),
        tracing=_formed(settings, "inject_tracing", forms.tracing),
        stats_tags=settings.inject_stats_tags,
    )
    try:
        check(made)
    except UnusableAddress as error:
        raise SettingsError(f"setting xds_address: {error}") from error
    except ValueError as error:
        raise SettingsError(f"setting inject_sidecar: {error}") from error
    return made


def _authority(settings: Settings) -> str | None:
    if settings.xds_ca_file is None:
        return None
    try:
        return settings.xds_ca_file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"setting xds_ca_file: {error}") from error


def _formed(settings: Settings, name: str, parse: Callable[[str], T]) -> T | None:
    """The value of a setting, read; None when it is not set, or empty."""
    value = getattr(settings, name)
    if not value:
        return None
    try:
        return parse(value)
    except ValueError as error:
        raise SettingsError(f"setting {name}: {value!r} {error}") from error
