"""What the injector puts into pods, from the settings of its process."""

from collections.abc import Callable
from typing import TypeVar

from cli.settings import Settings, SettingsError
from control_plane.xds.bootstrap import UnusableAddress
from injector import forms
from injector.configuration import Configuration, Flavour, Unmatched
from injector.proxy_bootstrap import check

T = TypeVar("T")


def configuration(settings: Settings, native: bool) -> Configuration:
    """What is put into pods; `native` says whether the cluster knows sidecar containers.

    Raises:
        SettingsError: a setting cannot be used; the message names it.
    """
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
