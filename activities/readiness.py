"""Whether a resource can be referred to, read from the resource itself. Pure.

Worker and watcher share it, so that what a workflow waits for and what the watcher pokes it for are one thing.
"""

from collections.abc import Mapping
from typing import Any

from activities.messages import MeshReference, NodeReference
from activities.objects import ApiObject
from resources.annotations import cascades
from resources.conditions import active_condition, condition_is_true
from resources.kinds import Kind


def mesh_reference(mesh: Mapping[str, Any]) -> MeshReference:
    """What members need to know of this Mesh resource."""
    metadata = mesh["metadata"]
    deleting = "deletionTimestamp" in metadata and cascades(metadata.get("annotations") or {})
    return MeshReference(found=True, ready=exists_in_app_mesh(mesh, Kind.MESH), deleting=deleting)


def node_reference(node: Mapping[str, Any]) -> NodeReference:
    """What services need to know of this VirtualNode resource."""
    spec = node.get("spec") or {}
    listeners = spec.get("listeners") or [{}]
    return NodeReference(
        found=True,
        ready=exists_in_app_mesh(node, Kind.VIRTUAL_NODE),
        mesh=spec.get("meshName"),
        listener=listeners[0].get("portMapping"),
    )


def exists_in_app_mesh(resource: Mapping[str, Any], kind: Kind) -> bool:
    """True once created, also while a later edit of it is refused: what exists can be referred to.

    The condition counts for resources that another controller made, which wrote no ARN; the ARN counts only for the
    mesh that the resource names now.
    """
    if condition_is_true(resource, active_condition(kind)):
        return True
    status = resource.get("status") or {}
    arn = status.get("meshArn" if kind is Kind.MESH else "virtualNodeArn")
    known = ApiObject.from_arn(arn) if arn else None
    if known is None:
        return False
    return kind is Kind.MESH or known.mesh == (resource.get("spec") or {}).get("meshName")
