"""What the watcher knows: the newest sighting of each resource, and who depends on whom. No I/O.

The reverse index answers "who has to look again when this turns": the members of a mesh, the services that target a
node. It is rebuilt from a list at every start, so nothing in it has to last.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from resources.kinds import Kind
from resources.references import node_names_in
from workflows.messages import Snapshot

K = TypeVar("K")


@dataclass(frozen=True, order=True)
class Name:
    """A resource by name; which life of it does not matter here."""

    kind: Kind
    namespace: str | None
    name: str

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Name":
        """The name of a sighted resource."""
        key = snapshot.key
        return cls(key.kind, key.namespace, key.name)


@dataclass
class Index:
    """All resources by name, and the reverse index over them."""

    _resources: dict[Name, Snapshot] = field(default_factory=dict)
    _members: defaultdict[str, set[Name]] = field(default_factory=lambda: defaultdict(set))
    _services: defaultdict[Name, set[Name]] = field(default_factory=lambda: defaultdict(set))

    def put(self, snapshot: Snapshot) -> Snapshot | None:
        """Keep a sighting; returns the one that it replaces."""
        old = self.remove(Name.of(snapshot))
        name = Name.of(snapshot)
        self._resources[name] = snapshot
        if (mesh := mesh_of(snapshot)) is not None:
            self._members[mesh].add(name)
        for node in nodes_of(snapshot):
            self._services[node].add(name)
        return old

    def remove(self, name: Name) -> Snapshot | None:
        """Forget a resource; returns its last sighting."""
        old = self._resources.pop(name, None)
        if old is not None:
            if (mesh := mesh_of(old)) is not None:
                _discard(self._members, mesh, name)
            for node in nodes_of(old):
                _discard(self._services, node, name)
        return old

    def get(self, name: Name) -> Snapshot | None:
        """The newest sighting."""
        return self._resources.get(name)

    def __len__(self) -> int:
        return len(self._resources)

    def all(self) -> Iterable[Snapshot]:
        """Every resource, meshes first, so that what others wait for is told first."""
        return (self._resources[name] for name in sorted(self._resources, key=lambda name: list(Kind).index(name.kind)))

    def names(self, kind: Kind) -> frozenset[Name]:
        """Names of all resources of a kind."""
        return frozenset(name for name in self._resources if name.kind is kind)

    def members(self, mesh: str) -> Iterator[Snapshot]:
        """Nodes and services whose spec names the mesh."""
        return self._those(self._members.get(mesh, ()))

    def services_of(self, node: Name) -> Iterator[Snapshot]:
        """Services with a route that may target the node."""
        return self._those(self._services.get(node, ()))

    def _those(self, names: Iterable[Name]) -> Iterator[Snapshot]:
        return (self._resources[name] for name in sorted(names, key=str))


def mesh_of(snapshot: Snapshot) -> str | None:
    """The mesh that a member names; None for a Mesh."""
    return None if snapshot.key.kind is Kind.MESH else snapshot.spec.get("meshName")


def nodes_of(snapshot: Snapshot) -> frozenset[Name]:
    """The VirtualNode resources that targets or provider of a service may mean (a spec that makes no sense has none).

    Read from the raw spec: the watcher must index whatever the API server let through.
    """
    if snapshot.key.kind is not Kind.VIRTUAL_SERVICE:
        return frozenset()
    namespace = snapshot.key.namespace or ""
    return frozenset(Name(Kind.VIRTUAL_NODE, namespace, name) for name in node_names_in(snapshot.spec, namespace))


def infers_listener(snapshot: Snapshot) -> bool:
    """Whether a service leaves its router's listener to its first target."""
    if snapshot.key.kind is not Kind.VIRTUAL_SERVICE or snapshot.spec.get("provider"):
        return False
    return not (snapshot.spec.get("virtualRouter") or {}).get("listeners")


def _discard(index: defaultdict[K, set[Name]], key: K, name: Name) -> None:
    index[key].discard(name)
    if not index[key]:
        del index[key]
