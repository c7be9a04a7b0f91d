"""The configuration with which an Envoy, or a gRPC client, starts: who it is, and where it gets the rest. Pure.

For the stock image of Envoy (`--config-path`), and for the image of the App Mesh agent (`ENVOY_CONFIG_FILE`), which
then makes none of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from control_plane.xds.proxies import ProxyId

CLUSTER = "meshwright_xds"
_REGEX_SIZE_LIMIT = 1000


class UnusableAddress(ValueError):
    """Not HOST:PORT."""


@dataclass(frozen=True)
class Security:
    """How the proxy and the control plane know each other. Paths are those of the proxy's own files."""

    ca_file: Path | None = None
    """Who may sign the control plane's certificate; with neither this nor `ca`: plaintext."""
    certificate_file: Path | None = None
    """The proxy's own certificate, with its key."""
    key_file: Path | None = None
    token: str | None = field(default=None, repr=False)
    ca: str | None = None
    """The same as PEM, for a proxy that has no such file."""

    @property
    def trusted(self) -> dict[str, Any] | None:
        """Where Envoy finds whom to trust; None: there is no TLS."""
        if self.ca is not None:
            return {"inline_string": self.ca}
        return {"filename": str(self.ca_file)} if self.ca_file is not None else None


def bootstrap(
    proxy: ProxyId,
    xds_address: str,
    *,
    metadata: Mapping[str, Any] | None = None,
    security: Security = Security(),
    admin_port: int = 9901,
    delta: bool = True,
) -> dict[str, Any]:
    """The bootstrap of a proxy, as JSON values; `metadata` says how it stands (`compile/options.py`).

    With `delta` it asks for changes only. Such a proxy says after a restart of the control plane what it holds, so that
    nothing is taken from it that it still uses; one that asks for all of a kind each time may miss a cluster then.

    Raises:
        UnusableAddress: of the control plane.
    """
    return {
        "node": {"id": str(proxy), "cluster": str(proxy), **({"metadata": metadata} if metadata else {})},
        "admin": {"address": _address("127.0.0.1", admin_port)},
        "dynamic_resources": {
            "lds_config": _FROM_ADS,
            "cds_config": _FROM_ADS,
            "ads_config": {
                "api_type": "DELTA_GRPC" if delta else "GRPC",
                "transport_api_version": "V3",
                "set_node_on_first_message_only": True,
                "grpc_services": [_service(security)],
            },
        },
        "static_resources": {"clusters": [_cluster(*_parts(xds_address), security)]},
        "layered_runtime": {
            "layers": [
                # App Mesh's own; Envoy's default would refuse its longer regular expressions.
                {"name": "static", "static_layer": {"re2.max_program_size.error_level": _REGEX_SIZE_LIMIT}}
            ]
        },
    }


def grpc_bootstrap(
    proxy: ProxyId, xds_address: str, *, metadata: Mapping[str, Any], security: Security = Security()
) -> dict[str, Any]:
    """What GRPC_XDS_BOOTSTRAP names: the same for a gRPC client that reads xDS itself. It has no place for a token.

    https://github.com/grpc/proposal/blob/master/A65-xds-mtls-creds-in-bootstrap.md

    Raises:
        UnusableAddress: of the control plane.
    """
    _parts(xds_address)
    credentials: dict[str, Any] = {"type": "insecure"}
    if security.ca_file is not None:
        files = {"ca_certificate_file": security.ca_file}
        if security.certificate_file is not None and security.key_file is not None:
            files |= {"certificate_file": security.certificate_file, "private_key_file": security.key_file}
        credentials = {"type": "tls", "config": {name: str(path) for name, path in files.items()}}
    return {
        "xds_servers": [{"server_uri": xds_address, "channel_creds": [credentials], "server_features": ["xds_v3"]}],
        "node": {"id": str(proxy), "cluster": str(proxy), "metadata": metadata},
    }


# 0 s: wait for as long as it takes. A proxy that begins without its configuration would refuse what it should take.
_FROM_ADS = {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}


def _service(security: Security) -> dict[str, Any]:
    # Envoy would wait for up to 30 s before it tries again, which is long after a restart of the control plane.
    backoff = {"base_interval": "0.5s", "max_interval": "5s"}
    service: dict[str, Any] = {
        "envoy_grpc": {"cluster_name": CLUSTER, "retry_policy": {"retry_back_off": backoff}},
    }
    if security.token is not None:
        service["initial_metadata"] = [{"key": "authorization", "value": f"Bearer {security.token}"}]
    return service


def _cluster(host: str, port: int, security: Security) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(host, port)}}
    options = {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {
            "http2_protocol_options": {"connection_keepalive": {"interval": "30s", "timeout": "10s"}}
        },
    }
    cluster: dict[str, Any] = {
        "name": CLUSTER,
        "type": "STRICT_DNS",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": CLUSTER, "endpoints": [{"lb_endpoints": [endpoint]}]},
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options},
    }
    if security.trusted is not None:
        cluster["transport_socket"] = _tls(host, security)
    return cluster


def _tls(host: str, security: Security) -> dict[str, Any]:
    context: dict[str, Any] = {"validation_context": {"trusted_ca": security.trusted}}
    if security.certificate_file is not None:
        certificate = {
            "certificate_chain": {"filename": str(security.certificate_file)},
            "private_key": {"filename": str(security.key_file)},
        }
        context["tls_certificates"] = [certificate]
    # That some certificate of the authority is shown is not enough: it must be the control plane's.
    context["validation_context"]["match_typed_subject_alt_names"] = [
        {"san_type": san_type, "matcher": {"exact": host}} for san_type in ("DNS", "IP_ADDRESS")
    ]
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "sni": host,
            "common_tls_context": context,
        },
    }


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}


def _parts(address: str) -> tuple[str, int]:
    host, separator, port = address.rpartition(":")
    if not (separator and host and port.isascii() and port.isdigit() and int(port) < 65536):
        raise UnusableAddress(f"xDS address {address!r}: expected HOST:PORT")
    return host.strip("[]"), int(port)
