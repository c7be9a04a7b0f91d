"""Cloud Map: which service a virtual node's pods belong in, and which instance a pod makes there.

The rules are those of the controller that live clusters come from: the instance's id is the pod's IP, its attributes
are the pod's labels, then the pod's address and name, then the node's attributes, each overriding what came before.
Pure.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from resources.errors import InvalidResource
from resources.pods import NodeIdentity, Pod
from resources.translate.virtual_node import MESH_ATTRIBUTE, VIRTUAL_NODE_ATTRIBUTE

POD_ATTRIBUTE = "k8s.io/pod"
NAMESPACE_ATTRIBUTE = "k8s.io/namespace"
CLUSTER_ATTRIBUTE = "meshwright.dev/cluster"
"""Only written by clusters that were given a name: it keeps two that share a service from sweeping one another."""
UNNAMED_CLUSTER = "default"

ANNOTATION = "meshwright.dev/cloud-map-instances"
POD_NAMESPACES = "meshwright.dev/pod-namespaces"
"""Which namespaces' pods may be a node's instances beside those of its own; a pod's word that it is a part of the node
is not enough, as whoever may create pods anywhere could give it."""
ANYWHERE = "*"
"""Its value for all namespaces."""
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class InstanceRule(StrEnum):
    """Values of the annotation: which of a node's pods are registered."""

    READY = "ready"
    """Those that are ready."""
    RUNNING = "running"
    """Those that run, ready or not: the rule of the controller that live clusters come from."""


MOST_ATTRIBUTES = 30
MOST_CHARACTERS = 5000


class CloudMapService(BaseModel):
    """A Cloud Map service by name."""

    model_config = ConfigDict(frozen=True)

    namespace: str
    name: str

    def __str__(self) -> str:
        """As in messages: `cart in namespace shop.local`."""
        return f"{self.name} in namespace {self.namespace}"


class Instance(BaseModel):
    """An instance of a Cloud Map service, as it should be or as it was found."""

    model_config = ConfigDict(frozen=True)

    id: str
    attributes: dict[str, str]

    @property
    def digest(self) -> str:
        """Equal exactly when the attributes are; what is remembered of an instance that is registered."""
        return hashlib.sha256(json.dumps(self.attributes, sort_keys=True).encode()).hexdigest()[:16]


def service_of(spec: Mapping[str, Any]) -> CloudMapService | None:
    """The Cloud Map service of a VirtualNode's raw spec; None without one. DNS wins where both are given."""
    discovery = spec.get("serviceDiscovery") or {}
    cloud_map = discovery.get("cloudMap") or {}
    namespace, name = cloud_map.get("namespaceName"), cloud_map.get("serviceName")
    if discovery.get("dns") or not namespace or not name:
        return None
    return CloudMapService(namespace=namespace, name=name)


def pod_namespaces(annotations: Mapping[str, str]) -> frozenset[str]:
    """The namespaces beside the node's own whose pods may be its instances; `ANYWHERE` among them: all.

    Raises:
        InvalidResource: the annotation says something else.
    """
    value = annotations.get(POD_NAMESPACES)
    if value is None:
        return frozenset()
    names = [name.strip() for name in value.split(",")]
    if names != [ANYWHERE] and not all(map(_NAMESPACE.fullmatch, names)):
        raise InvalidResource(
            f"metadata.annotations[{POD_NAMESPACES}]", f"must be names of namespaces, comma-separated, or {ANYWHERE}"
        )
    return frozenset(names)


def instance_of(pod: Pod, node: NodeIdentity, attributes: Mapping[str, str], cluster: str) -> Instance:
    """The instance of a pod that has an IP.

    Cloud Map takes 30 attributes of 5,000 characters in all; labels that do not fit are left out, last names first.

    Args:
        pod: the pod.
        node: the virtual node that it belongs to.
        attributes: those that the node's spec adds.
        cluster: the name of this cluster.
    """
    ip = pod.ip or ""
    required = {
        "AWS_INSTANCE_IPV6" if ":" in ip else "AWS_INSTANCE_IPV4": ip,
        POD_ATTRIBUTE: pod.name,
        NAMESPACE_ATTRIBUTE: pod.namespace,
        **attributes,
        MESH_ATTRIBUTE: node.mesh,
        VIRTUAL_NODE_ATTRIBUTE: node.name,
    }
    if cluster != UNNAMED_CLUSTER:
        required[CLUSTER_ATTRIBUTE] = cluster
    room = MOST_CHARACTERS - sum(len(key) + len(value) for key, value in required.items())
    chosen: dict[str, str] = {}
    for key, value in sorted(pod.labels.items()):
        if key in required:
            continue
        if len(chosen) + len(required) == MOST_ATTRIBUTES or (room := room - len(key) - len(value)) < 0:
            break
        chosen[key] = value
    return Instance(id=ip, attributes=chosen | required)


def should_be_registered(pod: Pod, running_is_enough: bool) -> bool:
    """Whether traffic may go to the pod: it has an address, runs, is not on its way out, and is ready."""
    return pod.ip is not None and pod.running and not pod.terminating and (pod.ready or running_is_enough)


def node_of_instance(instance: Instance, cluster: str) -> NodeIdentity | None:
    """The virtual node whose pod a controller of this cluster registered; None for an instance of anybody else's.

    What carries no cluster's name is from an unnamed cluster or from the controller before us.
    """
    attributes = instance.attributes
    if attributes.get(CLUSTER_ATTRIBUTE, cluster) != cluster:
        return None
    if POD_ATTRIBUTE not in attributes or NAMESPACE_ATTRIBUTE not in attributes:
        return None
    mesh, name = attributes.get(MESH_ATTRIBUTE), attributes.get(VIRTUAL_NODE_ATTRIBUTE)
    return NodeIdentity(mesh=mesh, name=name) if mesh and name else None
