"""Mesh: the border within which virtual nodes and services know each other. Cluster-scoped."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from resources.base import Model
from resources.conditions import Condition
from resources.fields import BY_TYPE, Arn, Generation, Versions
from resources.kinds import Kind
from resources.metadata import ObjectMeta


class EgressFilterType(StrEnum):
    """What sidecars do with traffic to a destination outside the mesh."""

    ALLOW_ALL = "ALLOW_ALL"
    DROP_ALL = "DROP_ALL"


class EgressFilter(Model):
    """What may leave the mesh."""

    type: EgressFilterType
    """ALLOW_ALL lets traffic out to any destination, DROP_ALL only to what the mesh knows.

    Without an egress filter App Mesh drops.
    """


class MeshSpec(Model):
    """What the mesh is to be. All of it is optional."""

    egress_filter: EgressFilter | None = None
    """What may leave the mesh."""
    # Nobody reads these two. They are known so that `kubectl apply`, which refuses unknown fields unless told
    # otherwise, takes the public manifests that carry them.
    service_discovery_type: Annotated[str, Field(max_length=255)] | None = None
    """Accepted for the sake of older manifests; it has no effect."""
    cloud_map_namespace_name: Annotated[str, Field(max_length=1024)] | None = None
    """Accepted for the sake of older manifests; it has no effect."""


class MeshStatus(Model):
    """What became of the mesh."""

    mesh_arn: Arn | None = None
    """Amazon Resource Name of the mesh in App Mesh."""
    mesh_condition: Annotated[tuple[Condition, ...], BY_TYPE] = ()
    """Where the mesh stands. The field's name is that of older controllers."""
    conditions: Annotated[tuple[Condition, ...], BY_TYPE] = ()
    """The same conditions once more, where generic tools (kubectl wait) look for them."""
    versions: Versions = Field(default_factory=dict)
    """Versions of the App Mesh objects as this controller left them, by ARN; a later one tells of drift."""
    data_plane_revision: Generation | None = None
    """Where the last write is in the order of all of App Mesh's, if it tells; proxies that are as far have it."""
    observed_generation: Generation | None = None
    """The metadata.generation that this status is about."""


class Mesh(Model):
    """A service mesh."""

    kind: ClassVar[Kind] = Kind.MESH

    metadata: ObjectMeta
    """Kubernetes metadata; the name is the mesh's name in App Mesh."""
    spec: MeshSpec = MeshSpec()
    """What the mesh is to be."""
    status: MeshStatus = MeshStatus()
    """What became of it."""
