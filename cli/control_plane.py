"""`meshwright control-plane`: serves the App Mesh API."""

from typing import TYPE_CHECKING, Annotated

from cli.options import Config, LogFormat, LogLevel, MetricsListen, setting
from cli.settings import Settings, SettingsError, what_is_no_yaml

if TYPE_CHECKING:
    from control_plane.api.access import Keys
    from control_plane.api.quotas import Quotas
    from control_plane.server import Tls
    from control_plane.xds.ads.security import Security
    from control_plane.xds.data_plane import DataPlaneConfig

NO_KEYS = (
    "the control plane has no access key, so nobody could sign a request: set access_keys to ID:SECRET "
    "(MESHWRIGHT_ACCESS_KEYS, or --access-keys) or access_keys_file to a file with one ID:SECRET a line"
)


def control_plane(
    control_plane_listen: Annotated[str | None, setting("control_plane_listen")] = None,
    database_url: Annotated[str | None, setting("database_url")] = None,
    control_plane_certificate_file: Annotated[str | None, setting("control_plane_certificate_file")] = None,
    control_plane_key_file: Annotated[str | None, setting("control_plane_key_file")] = None,
    control_plane_client_ca_file: Annotated[str | None, setting("control_plane_client_ca_file")] = None,
    access_keys: Annotated[str | None, setting("access_keys")] = None,
    access_keys_file: Annotated[str | None, setting("access_keys_file")] = None,
    account_id: Annotated[str | None, setting("account_id")] = None,
    app_mesh_region: Annotated[str | None, setting("app_mesh_region")] = None,
    quotas_file: Annotated[str | None, setting("quotas_file")] = None,
    xds_listen: Annotated[str | None, setting("xds_listen")] = None,
    xds_certificate_file: Annotated[str | None, setting("xds_certificate_file")] = None,
    xds_key_file: Annotated[str | None, setting("xds_key_file")] = None,
    xds_client_ca_file: Annotated[str | None, setting("xds_client_ca_file")] = None,
    xds_tokens_file: Annotated[str | None, setting("xds_tokens_file")] = None,
    xds_plaintext: Annotated[bool | None, setting("xds_plaintext")] = None,
    cloud_map_endpoint: Annotated[str | None, setting("cloud_map_endpoint")] = None,
    metrics_listen: MetricsListen = None,
    log_format: LogFormat = None,
    log_level: LogLevel = None,
    config: Config = None,
) -> None:
    """Serve the App Mesh API, and proxies. State is in a database: one process with SQLite, any with PostgreSQL."""
    given = locals().copy()

    from cli import garbage, logs, tracing
    from cli.settings import load
    from control_plane.server import ControlPlaneConfig, UnusableConfiguration, serve
    from control_plane.store.errors import StoreError

    settings = load(given)
    logs.configure(settings, "control-plane")
    spans = tracing.start("control-plane")
    garbage.collect_rarely()
    try:
        serve(
            ControlPlaneConfig(
                listen=settings.control_plane_listen,
                database_url=settings.database_url,
                keys=keys(settings),
                account_id=settings.account_id,
                region=settings.app_mesh_region,
                quotas=quotas(settings),
                data_plane=data_plane(settings),
                tls=tls(settings),
                metrics_listen=None if settings.metrics_listen.endswith(":0") else settings.metrics_listen,
                answered=spans.answered if spans is not None else None,
            )
        )
    except StoreError as error:
        raise SettingsError(f"setting database_url: {error}") from error
    except UnusableConfiguration as error:
        raise SettingsError(f"setting control_plane_listen, xds_listen or metrics_listen: {error}") from error
    finally:
        if spans is not None:
            spans.stop()


def tls(settings: Settings) -> "Tls | None":
    """With which certificate the API is served; None: without TLS.

    Raises:
        SettingsError: one of them needs another that is not set, or a file cannot be used.
    """
    from control_plane.server import Tls, UnusableConfiguration, server_tls

    certificate, key = settings.control_plane_certificate_file, settings.control_plane_key_file
    if certificate is not None and key is not None:
        files = Tls(certificate, key, settings.control_plane_client_ca_file)
        try:
            server_tls(files)
        except UnusableConfiguration as error:
            names = "control_plane_certificate_file, control_plane_key_file or control_plane_client_ca_file"
            raise SettingsError(f"setting {names}: {error}") from error
        return files
    if certificate is not None or key is not None:
        raise SettingsError("settings control_plane_certificate_file and control_plane_key_file: one needs the other")
    if settings.control_plane_client_ca_file is not None:
        raise SettingsError("setting control_plane_client_ca_file: needs TLS, and so control_plane_certificate_file")
    return None


def keys(settings: Settings) -> "Keys":
    """The access keys of both settings.

    Raises:
        SettingsError: there is none, one is malformed, or the file cannot be read.
    """
    from control_plane.api.access import FixedKeys, KeyFile, MalformedKey, parse

    given = [each for each in (settings.access_keys or "").split(",") if each.strip()]
    try:
        fixed = [parse(each) for each in given]
    except MalformedKey as error:
        raise SettingsError(f"setting access_keys: {error}") from error
    if settings.access_keys_file is None:
        if not fixed:
            raise SettingsError(NO_KEYS)
        return FixedKeys(fixed)
    try:
        found = KeyFile(settings.access_keys_file, fixed)
    except (OSError, MalformedKey) as error:
        raise SettingsError(f"setting access_keys_file: {error}") from error
    if not len(found):
        raise SettingsError(NO_KEYS)
    return found


def data_plane(settings: Settings) -> "DataPlaneConfig | None":
    """How proxies are served; None: they are not.

    Raises:
        SettingsError: a file cannot be read, there is none and it is not said that none is wanted, or both is said.
    """
    from control_plane.xds.ads.server import AdsConfig
    from control_plane.xds.data_plane import DataPlaneConfig

    if settings.xds_listen is None:
        return None
    return DataPlaneConfig(
        ads=AdsConfig(settings.xds_listen, settings.account_id, security=_security(settings)),
        cloud_map_endpoint=settings.cloud_map_endpoint,
        region=settings.app_mesh_region,
    )


def _security(settings: Settings) -> "Security | None":
    from control_plane.xds.ads.security import Guard, Security

    certificate, key = settings.xds_certificate_file, settings.xds_key_file
    client_ca, tokens = settings.xds_client_ca_file, settings.xds_tokens_file
    if settings.xds_plaintext:
        if any((certificate, key, client_ca, tokens)):
            raise SettingsError("setting xds_plaintext: certificates and tokens need TLS; which of the two is meant?")
        return None
    if certificate is None or key is None:
        raise SettingsError(
            "setting xds_listen: proxies are served with xds_certificate_file and xds_key_file, "
            "or without TLS where --xds-plaintext says so"
        )
    security = Security(certificate, key, client_ca, tokens)
    try:
        Guard(security)
    except OSError as error:
        files = "xds_certificate_file, xds_key_file, xds_client_ca_file or xds_tokens_file"
        raise SettingsError(f"setting {files}: {error}") from error
    return security


def quotas(settings: Settings) -> "Quotas":
    """App Mesh's quotas, with those of the quotas file instead.

    Raises:
        SettingsError: the file cannot be read or used.
    """
    import yaml

    from control_plane.api.quotas import Quotas, UnusableQuotas

    if settings.quotas_file is None:
        return Quotas()
    try:
        content = yaml.safe_load(settings.quotas_file.read_text()) or {}
        if not isinstance(content, dict):
            raise UnusableQuotas("expected names and numbers")
        return Quotas.from_mapping(content)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"setting quotas_file: {settings.quotas_file}: {what_is_no_yaml(error)}") from None
    except (OSError, UnusableQuotas) as error:
        raise SettingsError(f"setting quotas_file: {settings.quotas_file}: {error}") from error
