"""What a pod's annotations ask of the injector: one table of them, and how they are read. Pure.

The names, and what they mean, are those of the injectors that App Mesh came with. A value that nobody can mean is an
error that names its annotation: it is never taken for the default, for the pod would run with something else than its
owner asked for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from injector import forms
from injector.forms import Mount
from resources.kinds import GROUP
from resources.pods import MESH_ANNOTATION, NODE_ANNOTATION

T = TypeVar("T")

SWITCH = f"{GROUP}/sidecarInjectorWebhook"
PORTS = f"{GROUP}/ports"
IGNORED_PORTS = f"{GROUP}/egressIgnoredPorts"
IGNORED_IPS = f"{GROUP}/egressIgnoredIPs"
CPU_REQUEST = f"{GROUP}/cpuRequest"
MEMORY_REQUEST = f"{GROUP}/memoryRequest"
CPU_LIMIT = f"{GROUP}/cpuLimit"
MEMORY_LIMIT = f"{GROUP}/memoryLimit"
PREVIEW = f"{GROUP}/preview"
CNI = f"{GROUP}/appmeshCNI"
SECRET_MOUNTS = f"{GROUP}/secretMounts"
VOLUME_MOUNTS = f"{GROUP}/volumeMounts"
SIDECAR_ENV = f"{GROUP}/sidecarEnv"
SIDECAR_ENV_JSON = f"{GROUP}/sidecarEnvJson"
IGNORED_UID = f"{GROUP}/ignoredUID"
PROXY_EGRESS_PORT = f"{GROUP}/proxyEgressPort"
PROXY_INGRESS_PORT = f"{GROUP}/proxyIngressPort"


@dataclass(frozen=True)
class Annotation:
    """An entry of the reference documentation; `default` is None for one that the injector only writes."""

    name: str
    form: str
    default: str | None
    meaning: str


ANNOTATIONS = (
    Annotation(
        SWITCH,
        "`enabled`, `disabled`",
        "`--inject-by-default`",
        "Whether this pod gets a sidecar. It has a say only where the namespace is labelled.",
    ),
    Annotation(
        MESH_ANNOTATION,
        "a mesh's name",
        "the VirtualNode's, else `--inject-mesh`",
        "The mesh that the pod is in. It also tells VirtualNodes of one name in two meshes apart.",
    ),
    Annotation(
        NODE_ANNOTATION,
        "a virtual node's name in App Mesh",
        "from the pod's owner",
        "The virtual node that the pod is part of. Without it the name is that of the Deployment (StatefulSet, "
        "DaemonSet, Job, CronJob ...) by the naming rule: `cart` in the namespace `prod` is `cart-prod`.",
    ),
    Annotation(
        PORTS,
        "ports, comma-separated",
        "the containers' TCP ports, else those of the VirtualNode's listeners",
        "The ports of the application, whose incoming traffic goes through the proxy.",
    ),
    Annotation(
        IGNORED_PORTS,
        "ports, comma-separated",
        "`--inject-ignored-ports`",
        "Outgoing traffic to these ports does not go through the proxy.",
    ),
    Annotation(
        IGNORED_IPS,
        "addresses or networks, comma-separated",
        "`--inject-ignored-ips`",
        "Outgoing traffic to these addresses does not go through the proxy. The default is the metadata service's.",
    ),
    Annotation(CPU_REQUEST, "a quantity", "`--inject-cpu-request`", "CPU that the proxy requests."),
    Annotation(MEMORY_REQUEST, "a quantity", "`--inject-memory-request`", "Memory that the proxy requests."),
    Annotation(CPU_LIMIT, "a quantity", "`--inject-cpu-limit`", "CPU that the proxy may use at most."),
    Annotation(MEMORY_LIMIT, "a quantity", "`--inject-memory-limit`", "Memory that the proxy may use at most."),
    Annotation(
        SECRET_MOUNTS,
        "`secret:path`, comma-separated",
        "none",
        "Secrets of the pod's namespace that are mounted into the proxy, such as certificates that its node names.",
    ),
    Annotation(
        VOLUME_MOUNTS,
        "`volume:path`, comma-separated",
        "none",
        "Volumes of the pod that are mounted, for reading, into the proxy.",
    ),
    Annotation(
        SIDECAR_ENV,
        "`NAME=value`, comma-separated",
        "none",
        "Environment variables of the proxy, in place of the injector's own of the same names.",
    ),
    Annotation(
        SIDECAR_ENV_JSON,
        "a JSON object of names and values, or a list of such",
        "none",
        "The same, for values with commas in them.",
    ),
    Annotation(
        PREVIEW,
        "`enabled`, `disabled`",
        "`disabled`",
        "Sets `APPMESH_PREVIEW` for the App Mesh agent. Meshwright's API has no preview channel.",
    ),
    Annotation(
        CNI,
        "`enabled`, `disabled`",
        "`disabled`; `enabled` with a Fargate profile's label",
        "A CNI plugin redirects the traffic: there is no init container, and the annotations that such a plugin "
        "reads are written instead.",
    ),
    Annotation(IGNORED_UID, "a user id", None, "For a CNI plugin: whose traffic is not redirected."),
    Annotation(PROXY_EGRESS_PORT, "a port", None, "For a CNI plugin: where outgoing traffic is redirected to."),
    Annotation(PROXY_INGRESS_PORT, "a port", None, "For a CNI plugin: where incoming traffic is redirected to."),
)


class BadAnnotation(ValueError):
    """An annotation says what nobody can mean; the message names it, its value and what is wrong."""

    def __init__(self, name: str, value: str, problem: str) -> None:
        shown = value if len(value) <= 60 else value[:57] + "..."
        super().__init__(f"annotation {name}: {shown!r} {problem}")


@dataclass(frozen=True)
class Asked:
    """What the annotations ask for; None where they leave it to the settings."""

    mesh: str | None = None
    node: str | None = None
    ports: tuple[int, ...] | None = None
    ignored_ports: tuple[int, ...] | None = None
    ignored_ips: tuple[str, ...] | None = None
    cpu_request: str | None = None
    memory_request: str | None = None
    cpu_limit: str | None = None
    memory_limit: str | None = None
    preview: bool = False
    cni: bool | None = None
    secret_mounts: tuple[Mount, ...] = ()
    volume_mounts: tuple[Mount, ...] = ()
    environment: Mapping[str, str] | None = None


def switch(annotations: Mapping[str, str]) -> bool | None:
    """Whether the pod asks for a sidecar, or for none; None when it leaves that to the settings.

    Apart from the others: what a pod that wants no sidecar says of it is of no interest.

    Raises:
        BadAnnotation: it says something else.
    """
    return _read(annotations, SWITCH, forms.flag)


def read(annotations: Mapping[str, str]) -> Asked:
    """What the annotations ask for.

    Raises:
        BadAnnotation: the first one that cannot be read.
    """
    environment = {
        **(_read(annotations, SIDECAR_ENV, forms.environment) or {}),
        **(_read(annotations, SIDECAR_ENV_JSON, forms.json_environment) or {}),
    }
    return Asked(
        mesh=_read(annotations, MESH_ANNOTATION, forms.name),
        node=_read(annotations, NODE_ANNOTATION, forms.name),
        ports=_read(annotations, PORTS, forms.ports),
        ignored_ports=_read(annotations, IGNORED_PORTS, forms.ports),
        ignored_ips=_read(annotations, IGNORED_IPS, forms.addresses),
        cpu_request=_read(annotations, CPU_REQUEST, forms.quantity),
        memory_request=_read(annotations, MEMORY_REQUEST, forms.quantity),
        cpu_limit=_read(annotations, CPU_LIMIT, forms.quantity),
        memory_limit=_read(annotations, MEMORY_LIMIT, forms.quantity),
        preview=_read(annotations, PREVIEW, forms.flag) or False,
        cni=_read(annotations, CNI, forms.flag),
        secret_mounts=_read(annotations, SECRET_MOUNTS, forms.mounts) or (),
        volume_mounts=_read(annotations, VOLUME_MOUNTS, forms.mounts) or (),
        environment=environment or None,
    )


def _read(annotations: Mapping[str, str], name: str, parse: Callable[[str], T]) -> T | None:
    value = annotations.get(name)
    if value is None:
        return None
    try:
        return parse(value.strip())
    except ValueError as error:
        raise BadAnnotation(name, value, str(error)) from error
