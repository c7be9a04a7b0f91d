"""Every setting of every process, in one typed model.

A value comes from, in this order: the command's flag, the environment (`MESHWRIGHT_<NAME>`), the settings file
(`--config FILE` or `MESHWRIGHT_CONFIG`, YAML with the same names in lower case), the default below. Where a standard
variable exists (`KUBECONFIG`, `TEMPORAL_ADDRESS`, `AWS_ENDPOINT_URL_APP_MESH` ...) it is honoured under its own name
and no second one is invented.
"""

import re
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import AliasChoices, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from cli.urls import ApiUrl

_MAY_BE_SECRET = re.compile("key|token|secret|password|database_url|endpoint|temporal_ui|tracing")
"""In names of settings whose value no message shows: a secret, where one is, or a URL that may carry one."""


class SettingsError(Exception):
    """A setting cannot be used; the message names it and where it came from."""


class Settings(BaseSettings):
    """The settings; field descriptions are what `--help` shows."""

    model_config = SettingsConfigDict(env_prefix="MESHWRIGHT_", extra="ignore", populate_by_name=True, frozen=True)

    cluster: str = Field(
        "default",
        max_length=63,
        pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        description="Name of this cluster; part of every workflow id, and a tag of every object that it makes.",
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="Log lines as JSON or for people; auto: people on a terminal."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe level that is logged."
    )
    metrics_listen: str = Field(
        "127.0.0.1:0", description="HOST:PORT of /metrics and /healthz, without TLS; port 0: off."
    )

    temporal_address: str = Field(
        "localhost:7233",
        validation_alias=AliasChoices("temporal_address", "TEMPORAL_ADDRESS"),
        description="HOST:PORT of the Temporal frontend (the other TEMPORAL_ variables of its SDK count too).",
    )
    temporal_namespace: str = Field(
        "default",
        validation_alias=AliasChoices("temporal_namespace", "TEMPORAL_NAMESPACE"),
        description="Temporal namespace.",
    )
    temporal_ui: str | None = Field(None, description="URL of Temporal's UI, for links to it and for the codec server.")
    task_queue: str = Field("meshwright", description="Task queue of the workflows and of activities without a limit.")

    search_attributes: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Whether workflows carry search attributes; auto: where Temporal says that it knows them.",
    )

    payload_keys_file: Path | None = Field(
        None,
        description="File of keys that encrypt what Temporal stores, ID:KEY a line, the key 32 bytes in base64.",
    )
    codec_listen: str = Field("127.0.0.1:8234", description="HOST:PORT of the codec server (HTTP).")
    codec_origins: str | None = Field(
        None,
        description=(
            "Origins of the Temporal UIs whose pages may ask the codec server, comma-separated; "
            "none: that of temporal_ui, or this machine's at port 8233."
        ),
    )
    codec_token: str | None = Field(
        None, description="What must come as Authorization: Bearer to the codec server; none: nothing."
    )

    app_mesh_endpoint: ApiUrl | None = Field(
        None,
        validation_alias=AliasChoices("app_mesh_endpoint", "AWS_ENDPOINT_URL_APP_MESH"),
        description="URL of the App Mesh API.",
    )
    app_mesh_ca_file: Path | None = Field(
        None,
        validation_alias=AliasChoices("app_mesh_ca_file", "MESHWRIGHT_APP_MESH_CA_FILE", "AWS_CA_BUNDLE"),
        description="Whom to believe the App Mesh API's certificate (PEM); none: the usual authorities.",
    )
    app_mesh_certificate_file: Path | None = Field(
        None, description="Certificate to show to an App Mesh API that asks for one (PEM, with its chain)."
    )
    app_mesh_key_file: Path | None = Field(None, description="The key of that certificate.")
    app_mesh_region: str = Field(
        "us-west-2",
        validation_alias=AliasChoices("app_mesh_region", "AWS_REGION", "AWS_DEFAULT_REGION"),
        description="Region that requests are signed for.",
    )
    app_mesh_writes_per_second: float | None = Field(
        None, gt=0, description="Limit on App Mesh writes, over all workers; none by default."
    )
    app_mesh_reads_per_second: float | None = Field(
        None, gt=0, description="Limit on App Mesh reads, over all workers; none by default."
    )
    change_feed: Literal["auto", "off"] = Field(
        "auto",
        description="Whether the watcher follows the App Mesh API's change feed to find drift; auto: where it has one.",
    )
    dns_check: bool = Field(
        True,
        description="Look up where the worker runs whether host names of virtual nodes resolve; a warning, no more.",
    )
    drift_sweep_seconds: float = Field(
        600,
        ge=0,
        description="Without a change feed: about how often the watcher lists App Mesh to find drift; 0: never.",
    )
    cloud_map_endpoint: ApiUrl | None = Field(
        None,
        validation_alias=AliasChoices("cloud_map_endpoint", "AWS_ENDPOINT_URL_SERVICEDISCOVERY"),
        description="URL of the Cloud Map API; of the worker AWS's own by default, of the control plane none.",
    )
    cloud_map_writes_per_second: float | None = Field(
        None, gt=0, description="Limit on Cloud Map writes, over all workers; none by default."
    )
    cloud_map_reads_per_second: float | None = Field(
        None, gt=0, description="Limit on Cloud Map reads, over all workers; none by default."
    )
    worker_threads: int = Field(32, ge=1, description="App Mesh and Cloud Map calls that one worker makes at a time.")
    worker_cached_workflows: int = Field(
        500, ge=2, description="Workflows that one worker keeps in memory between tasks."
    )

    control_plane_listen: str = Field("127.0.0.1:8080", description="HOST:PORT of the App Mesh API.")
    control_plane_certificate_file: Path | None = Field(
        None, description="Certificate with which the App Mesh API is served (PEM, with its chain); none: plain HTTP."
    )
    control_plane_key_file: Path | None = Field(None, description="The key of that certificate.")
    control_plane_client_ca_file: Path | None = Field(
        None, description="Whose certificates clients of the App Mesh API must show; none: they need none."
    )
    database_url: str = Field(
        "sqlite:///meshwright.db", description="Where the control plane keeps its state: SQLite or PostgreSQL URL."
    )
    access_keys: str | None = Field(
        None,
        description="Keys that may sign requests, comma-separated: ID:SECRET, then rights as write:MESH; none: all.",
    )
    access_keys_file: Path | None = Field(
        None, description="File with a key a line, instead of or beside access_keys; read again when it changes."
    )
    account_id: str = Field("000000000000", pattern=r"^\d{12}$", description="Account number in ARNs and owners.")
    quotas_file: Path | None = Field(None, description="YAML file of quotas that differ from App Mesh's defaults.")

    xds_listen: str | None = Field(
        None, description="HOST:PORT where the control plane serves proxies (xDS); without it, it serves none."
    )
    xds_certificate_file: Path | None = Field(
        None, description="Certificate with which the control plane serves proxies (PEM, with its chain)."
    )
    xds_key_file: Path | None = Field(None, description="The key of that certificate.")
    xds_client_ca_file: Path | None = Field(
        None, description="Whose certificates proxies must show; such a certificate names the proxy that it is for."
    )
    xds_tokens_file: Path | None = Field(
        None,
        description="File of tokens that let proxies in, a line each: TOKEN PATTERN..., as mesh/shop/virtualNode/*.",
    )
    xds_plaintext: bool = Field(
        False, description="Serve proxies without TLS: whoever reaches the port can read every mesh."
    )

    xds_address: str | None = Field(
        None, description="HOST:PORT of the control plane's xDS, as injected proxies see it; the injector needs it."
    )
    xds_ca_file: Path | None = Field(
        None,
        description="Who signed the control plane's certificate (PEM); injected proxies are told. None: plaintext.",
    )
    injector_listen: str = Field("127.0.0.1:8443", description="HOST:PORT of the injection webhook (HTTPS).")
    injector_certificate_file: Path | None = Field(
        None, description="The webhook's certificate (PEM); without one the injector makes and renews it."
    )
    injector_key_file: Path | None = Field(None, description="The key of that certificate.")
    injector_service: str = Field(
        "injector.meshwright",
        pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$",
        description="SERVICE.NAMESPACE by which the API server finds the webhook; a certificate is made for it.",
    )
    injector_webhook: str = Field(
        "meshwright-injector",
        description="Name of the MutatingWebhookConfiguration, and of the Secret in which made certificates are kept.",
    )
    inject_by_default: bool = Field(True, description="Whether a pod that does not say so gets a sidecar.")
    inject_mesh: str | None = Field(
        None, description="Mesh of pods that name none and match no VirtualNode; none: they get no sidecar."
    )
    inject_unmatched: Literal["inject", "refuse", "pass"] = Field(
        "inject",
        description="Pods that match no VirtualNode, or several: inject the likeliest node's sidecar, refuse, or pass.",
    )
    inject_native: Literal["auto", "on", "off"] = Field(
        "auto", description="Sidecar containers of Kubernetes (1.29) or classic ones; auto: what the cluster knows."
    )
    inject_sidecar: Literal["envoy", "agent"] = Field(
        "envoy", description="What the image is: stock Envoy (not distroless), or the App Mesh agent's."
    )
    inject_image: str = Field("envoyproxy/envoy:v1.40.0", description="Image of the sidecar.")
    inject_init_image: str = Field(
        "meshwright:0.1.0", description="Meshwright's own image, for the init container that redirects traffic."
    )
    inject_log_level: Literal["trace", "debug", "info", "warning", "error", "critical"] = Field(
        "info", description="Envoy's log level."
    )
    inject_cpu_request: str = Field("10m", description="CPU that the sidecar requests; empty: none.")
    inject_memory_request: str = Field("32Mi", description="Memory that the sidecar requests; empty: none.")
    inject_cpu_limit: str = Field("", description="CPU that the sidecar may use; empty: no limit.")
    inject_memory_limit: str = Field("", description="Memory that the sidecar may use; empty: no limit.")
    inject_ignored_ports: str = Field("22", description="Outgoing ports that bypass the sidecar, comma-separated.")
    inject_ignored_ips: str = Field(
        "169.254.169.254", description="Addresses and networks that bypass the sidecar, comma-separated."
    )
    inject_ipv6: bool = Field(
        False, description="Whether IPv6 is redirected to the sidecar too; the cluster's nodes must know IPv6."
    )
    inject_drain_seconds: int = Field(
        20, ge=0, le=3600, description="How long a classic sidecar goes on after its pod is told to stop."
    )
    inject_certificate_secret: str | None = Field(
        None, description="Secret with the sidecar's tls.crt and tls.key, in the pod's namespace; {node} is its node."
    )
    inject_token_secret: str | None = Field(
        None, description="Secret with the sidecar's token, in the pod's namespace; {node} is its node."
    )
    inject_statsd_address: str | None = Field(None, description="IP:PORT of DogStatsD for the sidecar's statistics.")
    inject_tracing: str | None = Field(
        None,
        description="Where sidecars send spans: zipkin://HOST:PORT, jaeger://..., datadog://... or xray://IP:PORT.",
    )
    inject_stats_tags: bool = Field(False, description="Whether the sidecar's statistics have mesh and node as tags.")

    config: Path | None = Field(None, description="Settings file: YAML, the same names in lower case.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags arrive as init values; the file is merged below the environment by `load`."""
        return (init_settings, env_settings)


def load(overrides: dict[str, Any] | None = None) -> Settings:
    """Settings from flags (`overrides`; None means not given), environment and file.

    Raises:
        SettingsError: a value is not usable, or the file cannot be read or has an unknown name.
    """
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    try:
        settings = Settings(**given)
        if settings.config is None:
            return settings
        from_file = _read(settings.config)
        from_environment = settings.model_dump(include=settings.model_fields_set)
        return Settings.model_validate({**from_file, **from_environment})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        got = "" if _MAY_BE_SECRET.search(name.lower()) else f" (got {first['input']!r})"
        raise SettingsError(f"setting {name}: {first['msg']}{got}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text()) or {}
    except OSError as error:
        raise SettingsError(f"settings file {path}: {error}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings file {path}: {what_is_no_yaml(error)}") from None
    if not isinstance(content, dict):
        raise SettingsError(f"settings file {path}: expected names and values, found {type(content).__name__}")
    unknown = sorted(set(content) - set(Settings.model_fields), key=str)
    if unknown:
        raise SettingsError(f"settings file {path}: unknown setting {unknown[0]!r}")
    return content


def what_is_no_yaml(error: yaml.YAMLError | UnicodeDecodeError) -> str:
    """Where a file is no YAML, without the line itself: it may hold a secret."""
    mark = getattr(error, "problem_mark", None)
    return "not YAML" if mark is None else f"not YAML: line {mark.line + 1}, column {mark.column + 1}"
