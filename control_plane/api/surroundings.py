"""The objects around the one an operation is about, fetched together and looked up by rules and messages."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from control_plane.api.errors import NotFound
from control_plane.api.semantics import KINDS, Kind
from control_plane.api.session import Session
from control_plane.store import objects
from control_plane.store.records import ObjectKey, ObjectRecord, ReferenceRecord, Spec


def containers(key: ObjectKey) -> list[ObjectKey]:
    """What must exist for an object to be at `key`, the outermost first."""
    if not key.mesh:
        return []
    mesh = ObjectKey("mesh", "", "", key.mesh)
    parent = KINDS[key.kind].parent
    return [mesh, ObjectKey(parent, key.mesh, "", key.parent)] if key.parent and parent else [mesh]


def described(key: ObjectKey) -> str:
    """An object in a message: what it is, its name, where."""
    place = f" in {key.parent}" if key.parent else ""
    mesh = f" of mesh {key.mesh}" if key.mesh else ""
    return f"{KINDS[key.kind].noun} with name {key.name}{place}{mesh}"


def references_of(kind: Kind, spec: Spec) -> list[ReferenceRecord]:
    """What a spec refers to, each once."""
    found = [ReferenceRecord(each.relation, each.to, name) for each in kind.references for name in each.names(spec)]
    return list(dict.fromkeys(found))


@dataclass
class Neighbourhood:
    """The objects around one object: its containers, itself, those it refers to; others when asked for."""

    session: Session
    key: ObjectKey
    known: dict[ObjectKey, ObjectRecord | None] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, key: ObjectKey, spec: Spec | None = None) -> "Neighbourhood":
        """Fetch, in one query, what the object at `key` needs to exist, and the object itself.

        Raises:
            NotFound: the mesh or the parent does not exist.
        """
        kind = KINDS[key.kind]
        referred = [
            ObjectKey(reference.to, key.mesh, "", name)
            for reference in kind.references
            if reference.must_exist and spec is not None
            for name in reference.names(spec)
        ]
        wanted = [*containers(key), key, *referred]
        found = objects.get_many(session.connection, wanted)
        around = cls(session, key, {each: found.get(each) for each in wanted})
        for container in containers(key):
            around.require(container)
        return around

    @property
    def itself(self) -> ObjectRecord | None:
        """The object at the key."""
        return self.known[self.key]

    @property
    def parent(self) -> ObjectRecord:
        """The object that contains this one."""
        return self.require(containers(self.key)[-1])

    def find(self, kind: str, name: str) -> ObjectRecord | None:
        """Another object directly in the mesh."""
        key = ObjectKey(kind, self.key.mesh, "", name)
        if key not in self.known:
            self.known[key] = objects.get(self.session.connection, key)
        return self.known[key]

    def children(self, kind: str) -> Sequence[ObjectRecord]:
        """The objects of a kind that this one contains; none while it is being created."""
        if self.itself is None:
            return []
        return objects.collection(self.session.connection, kind, self.key.mesh, self.key.name)

    def require(self, key: ObjectKey) -> ObjectRecord:
        """The object at `key`.

        Raises:
            NotFound: it does not exist.
        """
        record = self.known[key]
        if record is None:
            raise NotFound(f"{described(key)} does not exist")
        return record

    def require_references(self, spec: Spec) -> None:
        """Make sure that all exists what the spec refers to and must exist.

        Raises:
            NotFound: names what is missing.
        """
        missing = [
            f"{KINDS[reference.to].noun} with name {name} is missing"
            for reference in KINDS[self.key.kind].references
            if reference.must_exist
            for name in dict.fromkeys(reference.names(spec))
            if self.known[ObjectKey(reference.to, self.key.mesh, "", name)] is None
        ]
        if missing:
            raise NotFound("; ".join(missing))
