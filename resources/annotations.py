"""Annotations by which users steer Meshwright, one table of them, and how those on deletion are read. Pure.

Each is checked wherever its resource is reconciled: a value that nobody can mean is told in a condition, and never
taken for the default.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from resources import cloud_map, drift
from resources.errors import InvalidResource
from resources.kinds import Kind

DELETION_POLICY = "meshwright.dev/deletion-policy"
MESH_DELETION = "meshwright.dev/mesh-deletion"

Choice = TypeVar("Choice", bound=StrEnum)


class DeletionPolicy(StrEnum):
    """What becomes of App Mesh objects when their resource is deleted."""

    DELETE = "Delete"
    """They are deleted, adopted ones too."""
    RETAIN = "Retain"
    """They stay, and nothing is asked of App Mesh."""


class MeshDeletion(StrEnum):
    """What becomes of a mesh's members when it is deleted."""

    CASCADE = "Cascade"
    """They are deleted with it."""
    BLOCK = "Block"
    """The mesh waits until they are deleted by others."""


@dataclass(frozen=True)
class Annotation:
    """An entry of the reference documentation."""

    name: str
    kinds: tuple[Kind, ...]
    values: tuple[str, ...]
    default: str
    meaning: str


ANNOTATIONS = (
    Annotation(
        name="meshwright.dev/routing-update",
        kinds=(Kind.VIRTUAL_SERVICE,),
        values=("auto", "in-place", "swap"),
        default="`auto`",
        meaning=(
            "How a live routing is changed: call by call on its router (`in-place`), by a complete new router to which "
            "the service is turned (`swap`), or in place when one call is enough and else by a swap (`auto`)."
        ),
    ),
    Annotation(
        name=drift.ANNOTATION,
        kinds=tuple(Kind),
        values=tuple(drift.DriftPolicy),
        default="`repair`",
        meaning=(
            "What becomes of changes that somebody else makes to the resource's objects in App Mesh: they are found "
            "and put right, or not looked for."
        ),
    ),
    Annotation(
        name=DELETION_POLICY,
        kinds=tuple(Kind),
        values=tuple(DeletionPolicy),
        default="`Delete` for what this cluster created, `Retain` for what was adopted",
        meaning=(
            "What becomes of the App Mesh objects when the resource is deleted. With `Retain` nothing is asked of App "
            "Mesh, so the resource goes even when App Mesh cannot be reached or no longer takes the credentials; on a "
            "Mesh, its members stay too. An object that another cluster made is never deleted."
        ),
    ),
    Annotation(
        name=MESH_DELETION,
        kinds=(Kind.MESH,),
        values=tuple(MeshDeletion),
        default="`Cascade`",
        meaning=(
            "What becomes of the members (virtual nodes and services that name the mesh) when the Mesh is deleted: "
            "they are deleted with it, or (`Block`) the Mesh waits until somebody has deleted them."
        ),
    ),
    Annotation(
        name=cloud_map.ANNOTATION,
        kinds=(Kind.VIRTUAL_NODE,),
        values=tuple(cloud_map.InstanceRule),
        default="`ready`",
        meaning=(
            "Which of the node's pods are registered in its Cloud Map service: those that are ready, or all that run, "
            "as older controllers did. A pod that is being deleted is deregistered at once either way."
        ),
    ),
    Annotation(
        name=cloud_map.POD_NAMESPACES,
        kinds=(Kind.VIRTUAL_NODE,),
        values=("NAMESPACE,...", cloud_map.ANYWHERE),
        default="none",
        meaning=(
            "Namespaces, comma-separated, whose pods may be registered in the node's Cloud Map service beside those of "
            "the node's own namespace, or all of them (`*`). Whoever may create pods there can receive the node's "
            "traffic."
        ),
    ),
)


def deletion_policy(annotations: Mapping[str, str]) -> DeletionPolicy | None:
    """What the annotation asks for; None without one, then it depends on who made the objects.

    Raises:
        InvalidResource: it says something else.
    """
    return chosen(annotations, DELETION_POLICY, DeletionPolicy)


def mesh_deletion(annotations: Mapping[str, str]) -> MeshDeletion:
    """What the annotation asks for; `Cascade` without one.

    Raises:
        InvalidResource: it says something else.
    """
    return chosen(annotations, MESH_DELETION, MeshDeletion) or MeshDeletion.CASCADE


def check(annotations: Mapping[str, str]) -> None:
    """See that those on deletion, which are needed late, and on Cloud Map, which no reconcile reads, can be read.

    Raises:
        InvalidResource: one cannot; names it and the values that it takes.
    """
    deletion_policy(annotations)
    mesh_deletion(annotations)
    chosen(annotations, cloud_map.ANNOTATION, cloud_map.InstanceRule)
    cloud_map.pod_namespaces(annotations)


def cascades(annotations: Mapping[str, str]) -> bool:
    """Whether the deletion of a Mesh with these is that of its members too; not as long as one cannot be read."""
    try:
        return (
            mesh_deletion(annotations) is MeshDeletion.CASCADE
            and deletion_policy(annotations) is not DeletionPolicy.RETAIN
        )
    except InvalidResource:
        return False


def chosen(annotations: Mapping[str, str], name: str, choices: type[Choice]) -> Choice | None:
    """What an annotation asks for; None without it.

    Raises:
        InvalidResource: it says something else; names it and the values that it takes.
    """
    value = annotations.get(name)
    if value is None:
        return None
    try:
        return choices(value)
    except ValueError as error:
        raise InvalidResource(f"metadata.annotations[{name}]", f"must be one of {', '.join(choices)}") from error
