"""Leading the application's traffic through the proxy: an init container, or the annotations of a CNI plugin. Pure.

The init container is `meshwright proxy-init` of our own image. It reads App Mesh's variables, so that an image made
for App Mesh would do too.
"""

from collections.abc import Mapping
from typing import Any

from injector import annotations
from injector.annotations import Asked
from injector.configuration import Configuration
from injector.proxy_bootstrap import EGRESS_PORT, INGRESS_PORT
from injector.sidecar import USER

NAME = "proxyinit"

FARGATE = "eks.amazonaws.com/fargate-profile"
"""A label of pods on machines that bring the plugin along."""


def by_plugin(asked: Asked, labels: Mapping[str, str]) -> bool:
    """Whether a CNI plugin does it for this pod."""
    return asked.cni if asked.cni is not None else bool(labels.get(FARGATE))


def init_container(
    ports: tuple[int, ...], asked: Asked, configuration: Configuration, own_resources: bool
) -> dict[str, Any]:
    """The container that redirects the pod's traffic before anything else of the pod runs with it."""
    variables = {
        "APPMESH_START_ENABLED": "1",
        "APPMESH_IGNORE_UID": str(USER),
        "APPMESH_ENVOY_INGRESS_PORT": str(INGRESS_PORT),
        "APPMESH_ENVOY_EGRESS_PORT": str(EGRESS_PORT),
        "APPMESH_APP_PORTS": _joined(ports),
        "APPMESH_EGRESS_IGNORED_IP": _joined(_ignored_ips(asked, configuration)),
        "APPMESH_EGRESS_IGNORED_PORTS": _joined(_ignored_ports(asked, configuration)),
    }
    if configuration.ipv6:
        variables["APPMESH_ENABLE_IPV6"] = "1"
    container: dict[str, Any] = {
        "name": NAME,
        "image": configuration.init_image,
        "args": ["proxy-init"],
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "securityContext": {
            # Rules of the pod's network are root's to make, whoever the rest of the pod runs as.
            "runAsUser": 0,
            "runAsNonRoot": False,
            "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN", "NET_RAW"]},
        },
    }
    if own_resources:
        requests = {"cpu": configuration.cpu_request, "memory": configuration.memory_request}
        container["resources"] = {"requests": {name: value for name, value in requests.items() if value is not None}}
    return container


def plugin_annotations(ports: tuple[int, ...], asked: Asked, configuration: Configuration) -> dict[str, str]:
    """What a CNI plugin for App Mesh reads."""
    return {
        annotations.CNI: "enabled",
        annotations.SWITCH: "enabled",
        annotations.PORTS: _joined(ports),
        annotations.IGNORED_IPS: _joined(_ignored_ips(asked, configuration)),
        annotations.IGNORED_PORTS: _joined(_ignored_ports(asked, configuration)),
        annotations.IGNORED_UID: str(USER),
        annotations.PROXY_EGRESS_PORT: str(EGRESS_PORT),
        annotations.PROXY_INGRESS_PORT: str(INGRESS_PORT),
    }


def _ignored_ips(asked: Asked, configuration: Configuration) -> tuple[str, ...]:
    return configuration.ignored_ips if asked.ignored_ips is None else asked.ignored_ips


def _ignored_ports(asked: Asked, configuration: Configuration) -> tuple[int, ...]:
    return configuration.ignored_ports if asked.ignored_ports is None else asked.ignored_ports


def _joined(values: tuple[int, ...] | tuple[str, ...]) -> str:
    return ",".join(map(str, values))
