"""What goes in and out of the store: plain values, no rows and no lazy loading across the room's border."""

from dataclasses import dataclass
from typing import Any, NamedTuple

Spec = dict[str, Any]


class ObjectKey(NamedTuple):
    """Where an object is: unique at any moment, used again after a delete (the uid tells the lives apart)."""

    kind: str
    mesh: str  # "" for a mesh itself
    parent: str  # the router of a route, the gateway of a gateway route, else ""
    name: str

    @property
    def mesh_name(self) -> str:
        """The mesh this object belongs to; of a mesh, its own name."""
        return self.mesh or self.name


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """One object as stored."""

    key: ObjectKey
    uid: str
    spec: Spec
    version: int
    created_at: float
    updated_at: float
    revision: int


class ReferenceRecord(NamedTuple):
    """That an object names another one of its mesh; the other may be missing."""

    relation: str
    target_kind: str
    target_name: str


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """An idempotency token and the answer it was first given."""

    token: str
    fingerprint: str
    uid: str
    answer: Any
    expires_at: float


@dataclass(frozen=True, slots=True)
class Change:
    """What one write did. `revision` says when, in the order of commits.

    `version` is the object's after it (before it, of a delete); `caller` is what the writer says of itself. Both are
    None where nobody noted them.
    """

    revision: int
    operation: str
    key: ObjectKey
    uid: str
    version: int | None = None
    caller: str | None = None
