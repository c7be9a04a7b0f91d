"""The part of Kubernetes object metadata that matters here."""

from pydantic import Field

from resources.base import Model


class ObjectMeta(Model):
    """Who an object is, how often its spec changed, and whether it is being deleted."""

    name: str
    """Name, unique within the namespace (or the cluster, for a Mesh)."""
    namespace: str | None = None
    """Namespace; nothing for a cluster-scoped object."""
    uid: str = ""
    """Identity: a deleted and recreated object of the same name has another one."""
    generation: int = 0
    """Number of the spec's version, counted up by the API server."""
    resource_version: str = ""
    """Version of the stored object, any part of it."""
    creation_timestamp: str | None = None
    """When the object was made (RFC 3339)."""
    deletion_timestamp: str | None = None
    """When deletion was asked for (RFC 3339); nothing while the object is to stay."""
    finalizers: tuple[str, ...] = ()
    """Who still has work to do before the object may go."""
    annotations: dict[str, str] = Field(default_factory=dict)
    """What tools and people noted on the object."""
    labels: dict[str, str] = Field(default_factory=dict)
    """By what the object can be selected."""

    @property
    def being_deleted(self) -> bool:
        """Whether the user asked for the object to go."""
        return self.deletion_timestamp is not None


def as_number(resource_version: str) -> int:
    """Comparable form of a resourceVersion, which Kubernetes defines to be (KEP-5504)."""
    return int(resource_version) if resource_version.isdecimal() else 0
