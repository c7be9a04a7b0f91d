"""The container with the proxy: stock Envoy with its bootstrap inline, or the App Mesh agent's image. Pure.

Where the cluster knows sidecar containers it is one: it starts before the application and ends after it. Elsewhere
it is the first of the containers: kubelet starts them in order, each when the postStart hook of the one before has
ended, and so the application waits for the proxy; at the end a preStop hook keeps the proxy going while others do
not yet know that the pod goes.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from control_plane.xds.proxies import ProxyId
from injector import quantities
from injector.annotations import (
    CPU_LIMIT,
    CPU_REQUEST,
    MEMORY_LIMIT,
    MEMORY_REQUEST,
    SECRET_MOUNTS,
    VOLUME_MOUNTS,
    Asked,
    BadAnnotation,
)
from injector.configuration import Configuration, Flavour
from injector.forms import Mount
from injector.proxy_bootstrap import (
    ADMIN_PORT,
    CERTIFICATES,
    STATUS_PORT,
    TOKEN_VARIABLE,
    escaped,
    proxy_bootstrap,
)
from resources.pods import VARIABLE

NAME = "envoy"
USER = 1337
STATUS_PORT_NAME = "stats"
BOOTSTRAP_ANNOTATION = "meshwright.dev/bootstrap"
"""The bootstrap of a proxy that reads it from a file; the downward API makes the file."""

CERTIFICATE_VOLUME = "meshwright-certificate"
BOOTSTRAP_VOLUME = "meshwright-bootstrap"
SECRET_VOLUME = "meshwright-secret-"

_BOOTSTRAP_FOLDER = "/etc/meshwright/bootstrap"
_START_SECONDS = 180
_THREADS = "2"  # by default as many as the machine has cores, in each pod

# The images have bash and coreutils, but not in all of their versions an HTTP client.
_ASK = (
    "{{ exec 3<>/dev/tcp/127.0.0.1/{port} && "
    "printf '{request} HTTP/1.1\\r\\nHost: proxy\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n' >&3"
)
_WAIT_UNTIL_READY = (
    f"for i in {{1..{_START_SECONDS}}}; do ( "
    + _ASK.format(port=STATUS_PORT, request="GET /ready")
    + " && grep -q LIVE <&3; } ) 2>/dev/null && exit 0; sleep 1; done; exit 1"
)
_DRAIN = "( " + _ASK.format(port=ADMIN_PORT, request="POST /healthcheck/fail") + " && cat <&3 >/dev/null; } )"


@dataclass(frozen=True)
class Sidecar:
    """What the pod gets for its proxy."""

    container: dict[str, Any]
    volumes: tuple[dict[str, Any], ...]
    annotations: Mapping[str, str]
    reads_files: bool
    """Whether something is mounted into it, or will be, that it has to read."""


def sidecar(
    node: ProxyId, asked: Asked, configuration: Configuration, own_resources: bool, *, names_port: bool = True
) -> Sidecar:
    """The proxy's container and what it mounts.

    Args:
        node: who it is.
        asked: what the pod's annotations ask for.
        configuration: the settings.
        own_resources: whether the container has requests and limits of its own; where the pod as a whole has some,
            it lives on those.
        names_port: whether its port has a name. A Service finds a port by its name, in the first container that has one
            of it, and that must not be ours if the application has one too.

    Raises:
        BadAnnotation: a request is above its limit, or two things are mounted at one path.
    """
    document = json.dumps(proxy_bootstrap(node, configuration), separators=(",", ":"), sort_keys=True)
    container: dict[str, Any] = {
        "name": NAME,
        "image": configuration.image,
        "env": _environment(node, asked, configuration),
        "ports": [
            {**({"name": STATUS_PORT_NAME} if names_port else {}), "containerPort": STATUS_PORT, "protocol": "TCP"}
        ],
        **_life(configuration),
        "securityContext": {
            "runAsUser": USER,
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    if own_resources and (resources := _resources(asked, configuration)):
        container["resources"] = resources
    annotations = {}
    mounts, volumes = _certificates(node, configuration)
    if configuration.flavour is Flavour.ENVOY:
        container["args"] = [
            *("--config-yaml", escaped(document)),
            *("--log-level", configuration.log_level, "--concurrency", _THREADS, "--disable-hot-restart"),
        ]
    else:
        annotations[BOOTSTRAP_ANNOTATION] = document
        field = {"fieldPath": f"metadata.annotations['{BOOTSTRAP_ANNOTATION}']"}
        files = [{"path": "envoy.json", "fieldRef": field}]
        volumes.append({"name": BOOTSTRAP_VOLUME, "downwardAPI": {"items": files}})
        mounts.append({"name": BOOTSTRAP_VOLUME, "mountPath": _BOOTSTRAP_FOLDER, "readOnly": True})
    _refuse_shared_paths([mount["mountPath"] for mount in mounts], asked)
    for number, mount in enumerate(asked.secret_mounts):
        volumes.append({"name": f"{SECRET_VOLUME}{number}", "secret": {"secretName": mount.source}})
        mounts.append(_mount(Mount(f"{SECRET_VOLUME}{number}", mount.path)))
    mounts += map(_mount, asked.volume_mounts)
    if mounts:
        container["volumeMounts"] = mounts
    # Another webhook may mount the token of the pod's role into the agent, which calls AWS with it.
    reads_files = bool(mounts) or configuration.flavour is Flavour.AGENT
    return Sidecar(container, tuple(volumes), annotations, reads_files)


def _environment(node: ProxyId, asked: Asked, configuration: Configuration) -> list[dict[str, Any]]:
    ours: dict[str, str] = {}
    if configuration.flavour is Flavour.AGENT:
        ours = {
            "APPMESH_PREVIEW": "1" if asked.preview else "0",
            "AWS_REGION": configuration.region,
            "ENVOY_ADMIN_ACCESS_PORT": str(ADMIN_PORT),
            "ENVOY_CONFIG_FILE": f"{_BOOTSTRAP_FOLDER}/envoy.json",
            "ENVOY_LOG_LEVEL": configuration.log_level,
        }
    merged = {VARIABLE: str(node)} | ours | dict(asked.environment or {})
    variables: list[dict[str, Any]] = [{"name": name, "value": escaped(value)} for name, value in merged.items()]
    if configuration.token_secret is not None:
        reference = {"name": _named(configuration.token_secret, node), "key": "token"}
        variables.insert(0, {"name": TOKEN_VARIABLE, "valueFrom": {"secretKeyRef": reference}})
    return variables


def _life(configuration: Configuration) -> dict[str, Any]:
    """How it starts, is asked for its health, and ends."""
    ready = {"path": "/ready", "port": STATUS_PORT, "scheme": "HTTP"}
    found: dict[str, Any] = {
        "readinessProbe": {"httpGet": ready, "periodSeconds": 5, "timeoutSeconds": 2},
        # Not /ready: who drains is not ready, and must not be killed for it.
        "livenessProbe": {"tcpSocket": {"port": STATUS_PORT}, "periodSeconds": 10, "timeoutSeconds": 2},
        "startupProbe": {
            "httpGet": ready,
            "periodSeconds": 1,
            "timeoutSeconds": 2,
            "failureThreshold": _START_SECONDS,
        },
    }
    if configuration.native:
        # Its end comes after the application's by itself; the drain begins at once, so that callers go elsewhere.
        found["restartPolicy"] = "Always"
        found["lifecycle"] = {"preStop": _shell(_DRAIN)}
    else:
        found["lifecycle"] = {
            "postStart": _shell(_WAIT_UNTIL_READY),
            "preStop": _shell(f"{_DRAIN}; sleep {configuration.drain_seconds}"),
        }
    return found


def _resources(asked: Asked, configuration: Configuration) -> dict[str, Any]:
    requests = {
        "cpu": asked.cpu_request or configuration.cpu_request,
        "memory": asked.memory_request or configuration.memory_request,
    }
    limits = {
        "cpu": asked.cpu_limit or configuration.cpu_limit,
        "memory": asked.memory_limit or configuration.memory_limit,
    }
    names = {"cpu": (CPU_REQUEST, CPU_LIMIT), "memory": (MEMORY_REQUEST, MEMORY_LIMIT)}
    said = {"cpu": (asked.cpu_request, asked.cpu_limit), "memory": (asked.memory_request, asked.memory_limit)}
    for name, limit in limits.items():
        request = requests[name]
        if request is None or limit is None or quantities.parse(request) <= quantities.parse(limit):
            continue
        if said[name][0] is None:  # a default gives way to what the pod says
            requests[name] = limit
            continue
        raise BadAnnotation(names[name][0], request, f"is more than the limit of {limit} ({names[name][1]})")
    given = {"requests": _given(requests), "limits": _given(limits)}
    return {name: values for name, values in given.items() if values}


def _given(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _certificates(node: ProxyId, configuration: Configuration) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Mounts and volumes of the proxy's own certificate."""
    if configuration.certificate_secret is None:
        return [], []
    secret = {"secretName": _named(configuration.certificate_secret, node)}
    mount = _mount(Mount(CERTIFICATE_VOLUME, str(CERTIFICATES)))
    return [mount], [{"name": CERTIFICATE_VOLUME, "secret": secret}]


def _refuse_shared_paths(own: Iterable[str], asked: Asked) -> None:
    """Kubernetes would refuse the pod, and not say which annotation it is about."""
    taken = {PurePosixPath(path) for path in own}
    for annotation, mounts in ((SECRET_MOUNTS, asked.secret_mounts), (VOLUME_MOUNTS, asked.volume_mounts)):
        for mount in mounts:
            if PurePosixPath(mount.path) in taken:
                raise BadAnnotation(annotation, f"{mount.source}:{mount.path}", "is where something else is mounted")
            taken.add(PurePosixPath(mount.path))


def _named(pattern: str, node: ProxyId) -> str:
    return pattern.replace("{node}", node.name)


def _mount(mount: Mount) -> dict[str, Any]:
    return {"name": mount.source, "mountPath": mount.path, "readOnly": True}


def _shell(script: str) -> dict[str, Any]:
    return {"exec": {"command": ["bash", "-c", script]}}
