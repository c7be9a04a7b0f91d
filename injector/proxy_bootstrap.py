"""The bootstrap of a pod's proxy: the control plane's, and what a pod needs beside it. Pure.

Envoy's admin interface stays on the loopback address, for it can stop the proxy; what kubelet and Prometheus ask for
(`/ready`, `/stats/prometheus`) is passed on to it by a listener on the pod's own addresses.
"""

from pathlib import Path
from typing import Any

from control_plane.xds.bootstrap import Security, bootstrap
from control_plane.xds.compile.options import CAPTURED_INGRESS_PORT, METADATA_KEY, Options
from control_plane.xds.proxies import ProxyId
from injector.configuration import Configuration, Flavour, Tracer, Tracing

INGRESS_PORT = CAPTURED_INGRESS_PORT
EGRESS_PORT = Options().egress_port
ADMIN_PORT = 9901
STATUS_PORT = 9902
PROXY_PORTS = (INGRESS_PORT, EGRESS_PORT, ADMIN_PORT, STATUS_PORT)
"""What an application in the same pod cannot listen on."""
CERTIFICATES = Path("/etc/meshwright/certificate")
"""Where the Secret with the proxy's certificate is mounted."""
TOKEN_VARIABLE = "MESHWRIGHT_XDS_TOKEN"

_ADMIN_CLUSTER = "meshwright_admin"
_TRACING_CLUSTER = "meshwright_tracing"
_PATHS = ("/ready", "/stats/prometheus")
_TYPES = "type.googleapis.com/envoy"


def proxy_bootstrap(node: ProxyId, configuration: Configuration) -> dict[str, Any]:
    """The bootstrap, as JSON values.

    Where there is a token it says `$(MESHWRIGHT_XDS_TOKEN)`, which Kubernetes replaces in a container's arguments: so
    the token itself stands in its Secret alone. Any other `$` is not yet made safe for that (`escaped`).
    """
    options = {"ipv6": configuration.ipv6, "tracing": configuration.tracing is not None}
    told = {name: True for name, wanted in options.items() if wanted}
    with_certificate = configuration.certificate_secret is not None
    document = bootstrap(
        node,
        configuration.xds_address,
        security=Security(
            ca=configuration.xds_ca,
            certificate_file=CERTIFICATES / "tls.crt" if with_certificate else None,
            key_file=CERTIFICATES / "tls.key" if with_certificate else None,
            token=f"$({TOKEN_VARIABLE})" if configuration.token_secret is not None else None,
        ),
        admin_port=ADMIN_PORT,
        metadata={METADATA_KEY: told} if told else None,
    )
    document["static_resources"]["clusters"].append(_admin_cluster())
    document["static_resources"]["listeners"] = [_status_listener(configuration.ipv6)]
    if configuration.tracing is not None:
        _trace(document, node, configuration.tracing)
    if configuration.stats_tags:
        fixed = {"appmesh.mesh": node.mesh, "appmesh.virtual_node": node.name}
        tags = [{"tag_name": name, "fixed_value": value} for name, value in fixed.items()]
        document["stats_config"] = {"stats_tags": tags}
    if configuration.statsd_address is not None:
        document["stats_sinks"] = [_statsd(configuration.statsd_address)]
    return document


def escaped(argument: str) -> str:
    """An argument of a container, with its dollar signs as Kubernetes wants them; references to the token stay."""
    reference = f"$({TOKEN_VARIABLE})"
    return reference.join(part.replace("$", "$$") for part in argument.split(reference))


def _admin_cluster() -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address("127.0.0.1", ADMIN_PORT)}}
    return {
        "name": _ADMIN_CLUSTER,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": _ADMIN_CLUSTER, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _trace(document: dict[str, Any], node: ProxyId, tracing: Tracing) -> None:
    """Put the tracer in, which listeners of the control plane then use (their option `tracing`)."""
    if tracing.tracer is Tracer.XRAY:
        daemon = {"protocol": "UDP", "address": tracing.host, "port_value": tracing.port}
        settings: dict[str, Any] = {"segment_name": f"{node.mesh}/{node.name}", "daemon_endpoint": daemon}
    else:
        document["static_resources"]["clusters"].append(_tracing_cluster(tracing))
        settings = {"collector_cluster": _TRACING_CLUSTER}
        if tracing.tracer is Tracer.ZIPKIN:
            settings |= {"collector_endpoint": "/api/v2/spans", "collector_endpoint_version": "HTTP_JSON"}
        else:
            settings["service_name"] = f"envoy-{node.name}"
    kind = {Tracer.XRAY: "XRay", Tracer.ZIPKIN: "Zipkin", Tracer.DATADOG: "Datadog"}[tracing.tracer]
    typed = {"@type": f"{_TYPES}.config.trace.v3.{kind}Config", **settings}
    document["tracing"] = {"http": {"name": f"envoy.tracers.{tracing.tracer}", "typed_config": typed}}


def _tracing_cluster(tracing: Tracing) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(tracing.host, tracing.port)}}
    return {
        "name": _TRACING_CLUSTER,
        "type": "STRICT_DNS",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": _TRACING_CLUSTER, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _status_listener(ipv6: bool) -> dict[str, Any]:
    """What kubelet asks at the pod's first address, which may be one of IPv6."""
    routes = [{"match": {"path": path}, "route": {"cluster": _ADMIN_CLUSTER}} for path in _PATHS]
    manager = {
        "@type": f"{_TYPES}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "meshwright_status",
        "route_config": {"virtual_hosts": [{"name": "status", "domains": ["*"], "routes": routes}]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPES}.extensions.filters.http.router.v3.Router"},
            }
        ],
    }
    filter = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    listener: dict[str, Any] = {
        "name": "meshwright_status",
        "address": _address("0.0.0.0", STATUS_PORT),
        "filter_chains": [{"filters": [filter]}],
    }
    if ipv6:
        listener["additional_addresses"] = [{"address": _address("::", STATUS_PORT)}]
    return listener


def _statsd(address: str) -> dict[str, Any]:
    host, _, port = address.rpartition(":")
    return {
        "name": "envoy.stat_sinks.dog_statsd",
        "typed_config": {
            "@type": f"{_TYPES}.config.metrics.v3.DogStatsdSink",
            "address": {"socket_address": {"protocol": "UDP", "address": host.strip("[]"), "port_value": int(port)}},
        },
    }


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}


def check(configuration: Configuration) -> None:
    """See that a bootstrap can be made of these settings.

    Raises:
        ValueError: it cannot; the message says why.
    """
    proxy_bootstrap(ProxyId("mesh", "virtualNode", "node"), configuration)
    if configuration.flavour is Flavour.AGENT and configuration.token_secret is not None:
        raise ValueError("the App Mesh agent reads its bootstrap from a file, where no token of a Secret can be put in")
