"""All meshes at one revision, and what a change of them touches. Pure; `feed.py` lives by it.

A proxy's snapshot names the objects that it was made from. So whom a change concerns is decided by keys: those of the
objects that changed, with the router or gateway that a changed route belongs to, as who reads routes reads them there.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from control_plane.store.records import ObjectKey, ObjectRecord
from control_plane.xds.state import Instance, MeshState

Service = tuple[str, str]
"""A Cloud Map service: the name of its namespace, and its own."""

PARENTS = {"route": "virtualRouter", "gatewayRoute": "virtualGateway"}


@dataclass(frozen=True)
class Meshes:
    """The state of each mesh, and the revision up to which everything is in it."""

    revision: int
    states: Mapping[str, MeshState]
    loaded: int = field(default=0, compare=False)
    """The revision at which everything was read."""
    written: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}), compare=False)
    """The revision at which a mesh was seen to have changed last since then."""
    instances: Mapping[Service, tuple[Instance, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, revision: int, records: Iterable[ObjectRecord]) -> "Meshes":
        """The state of these objects."""
        gathered: dict[str, dict[ObjectKey, ObjectRecord]] = {}
        for record in records:
            gathered.setdefault(record.key.mesh_name, {})[record.key] = record
        return cls(revision, {mesh: MeshState(objects) for mesh, objects in gathered.items()}, loaded=revision)

    def revision_of(self, mesh: str) -> int:
        """A revision since which nothing was written in a mesh."""
        return self.written.get(mesh, self.loaded)

    def changed(
        self, revision: int, records: Mapping[ObjectKey, ObjectRecord | None]
    ) -> tuple["Meshes", frozenset[ObjectKey]]:
        """The state with these objects instead (None: it is gone), and the keys of all that it touches."""
        by_mesh: dict[str, dict[ObjectKey, ObjectRecord | None]] = {}
        for key, record in records.items():
            by_mesh.setdefault(key.mesh_name, {})[key] = record
        states = dict(self.states)
        for mesh, changes in by_mesh.items():
            state = states.get(mesh, MeshState({}, self.instances)).changed(changes)
            if state.objects:
                states[mesh] = state
            else:
                states.pop(mesh, None)
        written = {**self.written, **dict.fromkeys(by_mesh, revision)}
        return replace(self, revision=revision, states=states, written=written), touched(records)

    def replaced(self, revision: int, records: Iterable[ObjectRecord]) -> tuple["Meshes", frozenset[ObjectKey]]:
        """The state of these objects and no others, and the keys of all that differs from before."""
        now = {record.key: record for record in records}
        before = {key: record for state in self.states.values() for key, record in state.objects.items()}
        state, keys = self.changed(revision, dict(_differing(before, now)))
        return replace(state, loaded=revision, written=MappingProxyType({})), keys

    def with_instances(self, instances: Mapping[Service, tuple[Instance, ...]]) -> tuple["Meshes", frozenset[Service]]:
        """The state with these instances and no others, and the services that differ."""
        services = self.instances.keys() | instances.keys()
        differing = frozenset(each for each in services if self.instances.get(each) != instances.get(each))
        if not differing:
            return self, differing
        states = {mesh: replace(state, instances=instances) for mesh, state in self.states.items()}
        return replace(self, states=states, instances=instances), differing


def touched(keys: Collection[ObjectKey]) -> frozenset[ObjectKey]:
    """These keys, and those of the collections that they belong to."""
    parents = (ObjectKey(PARENTS[key.kind], key.mesh, "", key.parent) for key in keys if key.kind in PARENTS)
    return frozenset((*keys, *parents))


def _differing(
    before: Mapping[ObjectKey, ObjectRecord], now: Mapping[ObjectKey, ObjectRecord]
) -> Iterator[tuple[ObjectKey, ObjectRecord | None]]:
    for key in before.keys() | now.keys():
        if before.get(key) != now.get(key):
            yield key, now.get(key)
