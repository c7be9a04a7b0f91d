"""Whose an App Mesh object is: the tags that Meshwright puts on what it creates, and how they are read back. Pure.

Several clusters may share one App Mesh, where names are all that tells objects apart. The tags say which resource of
which cluster made an object, so that nobody updates or deletes what is somebody else's. They are written with the
create and never after it: a tag tells how an object came to be, not who uses it now.

App Mesh takes 50 tags, keys of 128 and values of 256 letters, digits, blanks and `_.:/=+-@`; names of clusters,
namespaces and resources are DNS names of at most 253, and so always fit.
"""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

PREFIX = "meshwright.dev/"
MANAGED_BY = f"{PREFIX}managed-by"
CLUSTER = f"{PREFIX}cluster"
NAMESPACE = f"{PREFIX}namespace"
NAME = f"{PREFIX}name"
UID = f"{PREFIX}uid"

MANAGER = "meshwright"
"""The value of `managed-by`."""


class Owner(BaseModel):
    """The resource that an object was made for. `namespace` is None for a Mesh."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    cluster: str
    namespace: str | None
    name: str
    uid: str

    def __str__(self) -> str:
        """As a person would say it: `prod/cart of cluster east`."""
        own = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{own} of cluster {self.cluster}"


class Origin(StrEnum):
    """How an App Mesh object came to be one that a resource speaks for."""

    MADE = "made"
    """This cluster created it."""
    CLAIMED = "claimed"
    """The resource's status says so; the object itself has not been asked."""
    FOUND = "found"
    """Made by hand or by another controller, and adopted."""
    LENT = "lent"
    """Made by another cluster, which goes on owning it: a mesh that several clusters share."""


def tags_of(owner: Owner) -> dict[str, str]:
    """The tags of an object that is created for this resource."""
    tags = {MANAGED_BY: MANAGER, CLUSTER: owner.cluster, NAME: owner.name, UID: owner.uid}
    return tags | {NAMESPACE: owner.namespace} if owner.namespace is not None else tags


def owner_in(tags: Mapping[str, str]) -> Owner | None:
    """The resource that the tags name; None when Meshwright did not make the object."""
    if tags.get(MANAGED_BY) != MANAGER or CLUSTER not in tags:
        return None
    return Owner(cluster=tags[CLUSTER], namespace=tags.get(NAMESPACE), name=tags.get(NAME, ""), uid=tags.get(UID, ""))


def origin_of(owner: Owner | None, cluster: str) -> Origin:
    """What an object's tags mean to a cluster that finds it."""
    if owner is None:
        return Origin.FOUND
    return Origin.MADE if owner.cluster == cluster else Origin.LENT
