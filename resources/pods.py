"""Pods: what matters of them to the mesh. Pure; read from the API server's JSON.

A pod says itself which virtual node it is part of: its sidecar's environment names it, or else two annotations do.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from resources.kinds import GROUP
from resources.metadata import as_number

VARIABLE = "APPMESH_VIRTUAL_NODE_NAME"
"""Of the sidecar: `mesh/<mesh>/virtualNode/<virtual node's App Mesh name>`."""
MESH_ANNOTATION = f"{GROUP}/mesh"
NODE_ANNOTATION = f"{GROUP}/virtualNode"
_METADATA = ("namespace", "name", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "labels")


class NodeIdentity(BaseModel):
    """A virtual node by its App Mesh name."""

    model_config = ConfigDict(frozen=True)

    mesh: str
    name: str


@dataclass(frozen=True)
class Pod:
    """One sighting of one pod. `version` is its resourceVersion, as a number."""

    namespace: str
    name: str
    uid: str
    version: int
    created: str
    ip: str | None
    running: bool
    ready: bool
    terminating: bool
    labels: Mapping[str, str]
    node: NodeIdentity | None

    @classmethod
    def of(cls, resource: Mapping[str, Any]) -> "Pod":
        """From the API server's JSON."""
        metadata, status = resource["metadata"], resource.get("status") or {}
        ready = any(
            condition.get("type") == "Ready" and condition.get("status") == "True"
            for condition in status.get("conditions") or ()
        )
        return cls(
            namespace=metadata.get("namespace", ""),
            name=metadata["name"],
            uid=metadata["uid"],
            version=as_number(metadata["resourceVersion"]),
            created=metadata.get("creationTimestamp") or "",
            ip=status.get("podIP") or None,
            running=status.get("phase") == "Running",
            ready=ready,
            terminating="deletionTimestamp" in metadata,
            labels=metadata.get("labels") or {},
            node=node_of(resource),
        )


def essence(resource: Mapping[str, Any]) -> dict[str, Any] | None:
    """All that `Pod.of` reads, and nothing else; None for a pod outside any mesh.

    A cluster has many pods of many kilobytes, most of which is of no concern to the mesh.
    """
    node = node_of(resource)
    if node is None:
        return None
    metadata, status = resource["metadata"], resource.get("status") or {}
    kept = {name: metadata[name] for name in _METADATA if name in metadata}
    conditions = [
        {"type": "Ready", "status": condition.get("status")}
        for condition in status.get("conditions") or ()
        if condition.get("type") == "Ready"
    ]
    return {
        "metadata": {**kept, "annotations": {MESH_ANNOTATION: node.mesh, NODE_ANNOTATION: node.name}},
        "status": {"podIP": status.get("podIP"), "phase": status.get("phase"), "conditions": conditions},
    }


def node_of(resource: Mapping[str, Any]) -> NodeIdentity | None:
    """The virtual node that the pod says it is part of; None for a pod outside any mesh."""
    for value in _values(resource.get("spec") or {}):
        parts = value.split("/")
        if len(parts) == 4 and parts[0] == "mesh" and parts[2] == "virtualNode" and parts[1] and parts[3]:
            return NodeIdentity(mesh=parts[1], name=parts[3])
    annotations = resource["metadata"].get("annotations") or {}
    mesh, name = annotations.get(MESH_ANNOTATION), annotations.get(NODE_ANNOTATION)
    return NodeIdentity(mesh=mesh, name=name) if mesh and name else None


def _values(spec: Mapping[str, Any]) -> Iterator[str]:
    """The variable's value in each container; a sidecar may be an init container that goes on running."""
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        for variable in container.get("env") or ():
            if variable.get("name") == VARIABLE:
                yield variable.get("value") or ""
