"""What a workflow is started with and told by signals. Pure; the watcher builds these."""

from typing import Any

from pydantic import Field

from activities.messages import Message, ResourceKey, ResourceName
from activities.objects import ApiObject
from resources.conditions import Reason
from resources.kinds import Kind
from resources.metadata import as_number


class Snapshot(Message):
    """A custom resource as the watcher saw it: enough to reconcile from, and to tell two sightings apart."""

    key: ResourceKey
    generation: int
    resource_version: str
    created: str
    deleted_at: str | None = None
    finalizers: tuple[str, ...] = ()
    annotations: dict[str, str] = Field(default_factory=dict)
    spec: dict[str, Any] = Field(default_factory=dict)
    status: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def of(cls, kind: Kind, resource: dict[str, Any]) -> "Snapshot":
        """From the API server's JSON. Only annotations that steer a mesh controller are kept."""
        metadata = resource["metadata"]
        return cls(
            key=ResourceKey(kind=kind, namespace=metadata.get("namespace"), name=metadata["name"], uid=metadata["uid"]),
            generation=metadata.get("generation", 1),
            resource_version=metadata["resourceVersion"],
            created=metadata["creationTimestamp"],
            deleted_at=metadata.get("deletionTimestamp"),
            finalizers=tuple(metadata.get("finalizers") or ()),
            annotations={
                name: value
                for name, value in (metadata.get("annotations") or {}).items()
                if name.startswith(("meshwright.dev/", "appmesh.k8s.aws/"))
            },
            spec=resource.get("spec") or {},
            status=resource.get("status") or {},
        )

    def as_resource(self) -> dict[str, Any]:
        """Back to the API server's JSON, for parsing."""
        key = self.key
        metadata: dict[str, Any] = {
            "name": key.name,
            "uid": key.uid,
            "generation": self.generation,
            "resourceVersion": self.resource_version,
            "creationTimestamp": self.created,
            "finalizers": list(self.finalizers),
            "annotations": self.annotations,
        }
        if key.namespace is not None:
            metadata["namespace"] = key.namespace
        if self.deleted_at is not None:
            metadata["deletionTimestamp"] = self.deleted_at
        return {"metadata": metadata, "spec": self.spec, "status": self.status}

    @property
    def deleting(self) -> bool:
        """Whether Kubernetes waits for finalizers to let the resource go."""
        return self.deleted_at is not None

    @property
    def identity(self) -> tuple[str, int, bool, frozenset[tuple[str, str]]]:
        """What a reconcile depends on: two sightings with the same identity ask for the same.

        Annotations steer us too, and an edit of one is no new generation.
        """
        return self.key.uid, self.generation, self.deleting, frozenset(self.annotations.items())

    def supersedes(self, other: "Snapshot") -> bool:
        """Whether this sighting is the newer one.

        Two lives of a name are told apart by their uid and ordered by creation, then by resourceVersion; within one
        life the generation decides, then the resourceVersion, which Kubernetes defines to be comparable
        (KEP-5504). A sighting that a stale cache serves twice is thus never taken for news.
        """
        if self.key.uid != other.key.uid:
            return (self.created, as_number(self.resource_version)) > (other.created, as_number(other.resource_version))
        return (self.generation, self.deleting, as_number(self.resource_version)) > (
            other.generation,
            other.deleting,
            as_number(other.resource_version),
        )


class DataPlaneReport(Message):
    """How the proxies of a resource's mesh stand, and what they make of the resource."""

    proxies: int = 0
    """How many are connected."""
    revision: int = 0
    """Each of them has what was written in the mesh up to here, but for what is wrong with it."""
    reason: Reason | None = None
    """What is wrong with the resource, if anything is."""
    message: str = ""


class Change(Message):
    """Signal: this is how the resource looks now. `poke`: something it depends on turned, so look again in any case.

    `doubt`: App Mesh objects that somebody else wrote, to be looked at again; `doubt_all`: everything is in doubt.
    """

    because: str  # first, so that the Temporal UI shows it before it cuts the input off
    poke: bool = False
    doubt: tuple[ApiObject, ...] = ()
    doubt_all: bool = False
    snapshot: Snapshot
    relatives: tuple[ResourceName, ...] = ()
    """Who else lays claim to an App Mesh object that the resource claims."""
    relatives_as_of: int = 0
    """The newest resourceVersion that this knowledge rests on."""
    data_plane: DataPlaneReport | None = None
    """What the watcher knows of proxies; None: nothing."""
    searchable: bool | None = None
    """Whether the Temporal server knows our search attributes; None: that was not asked."""


class Gone(Message):
    """Signal: Kubernetes no longer has the resource.

    Either this life of it, by uid, was seen to go; or, with `as_of`, a list made at that resourceVersion lacks the
    name, which says nothing about a resource created after it.
    """

    uid: str | None = None
    as_of: str | None = None

    def is_about(self, snapshot: Snapshot) -> bool:
        """Whether the sighted resource is the one that is gone."""
        if self.as_of is not None:
            return as_number(snapshot.resource_version) <= as_number(self.as_of)
        return self.uid == snapshot.key.uid
