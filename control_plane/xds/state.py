"""The state that Envoy's configuration is made from: the meshes as stored, and the instances that Cloud Map knows.

Values never change; a change makes a new state that shares all the rest. So the compiler can work on one state, in a
thread, while the next is being made.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from control_plane.store.records import ObjectKey, ObjectRecord


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of a Cloud Map service."""

    id: str
    ipv4: str
    """Empty, as the other one, if it has none."""
    ipv6: str
    attributes: Mapping[str, str]
    healthy: bool = True


@dataclass(frozen=True)
class MeshState:
    """One mesh with everything in it, at some revision."""

    objects: Mapping[ObjectKey, ObjectRecord]
    """The mesh itself and its members."""
    instances: Mapping[tuple[str, str], tuple[Instance, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """By Cloud Map namespace and service; what is missing was not heard of yet."""

    def get(self, kind: str, mesh: str, name: str, *, parent: str = "") -> ObjectRecord | None:
        """A member by name."""
        return self.objects.get(ObjectKey(kind, mesh, parent, name))

    def children(self, kind: str, parent: ObjectKey) -> Iterator[ObjectRecord]:
        """The routes of a router or the gateway routes of a gateway, by name."""
        yield from self._children.get((kind, parent.name), ())

    def changed(self, records: Mapping[ObjectKey, ObjectRecord | None]) -> "MeshState":
        """The state with these objects instead; None: it is gone."""
        objects = dict(self.objects)
        for key, record in records.items():
            if record is not None:
                objects[key] = record
            else:
                objects.pop(key, None)
        return MeshState(objects, self.instances)

    @cached_property
    def _children(self) -> Mapping[tuple[str, str], tuple[ObjectRecord, ...]]:
        gathered: dict[tuple[str, str], list[ObjectRecord]] = {}
        for key in sorted(key for key in self.objects if key.parent):
            gathered.setdefault((key.kind, key.parent), []).append(self.objects[key])
        return {at: tuple(records) for at, records in gathered.items()}


def mesh_state(records: Iterable[ObjectRecord]) -> MeshState:
    """A mesh of these objects."""
    return MeshState({record.key: record for record in records})
