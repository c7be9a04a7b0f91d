"""What the watcher knows: the newest sighting of each resource, and who depends on whom. No I/O.

The reverse index answers "who has to look again when this turns": the members of a mesh, the services that target a
node. It is rebuilt from a list at every start, so nothing in it has to last.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from activities.messages import ResourceName
from resources.kinds import Kind
from resources.metadata import as_number
from resources.references import node_names_in
from resources.relations import Claim, claims
from workflows.messages import Change, Snapshot

K = TypeVar("K")
V = TypeVar("V")


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

    def __str__(self) -> str:
        """`virtualnode/prod/cart`, as in the workflow's id."""
        return f"{self.kind.slug}/{self.namespace or '-'}/{self.name}"


@dataclass
class Index:
    """All resources by name, and the reverse index over them."""

    _resources: dict[Name, Snapshot] = field(default_factory=dict)
    _members: defaultdict[str, set[Name]] = field(default_factory=lambda: defaultdict(set))
    _services: defaultdict[Name, set[Name]] = field(default_factory=lambda: defaultdict(set))
    _claims: defaultdict[Claim, set[Name]] = field(default_factory=lambda: defaultdict(set))
    _newest: int = 0

    def put(self, snapshot: Snapshot) -> Snapshot | None:
        """Keep a sighting; returns the one that it replaces."""
        old = self.remove(Name.of(snapshot))
        name = Name.of(snapshot)
        self._resources[name] = snapshot
        if (mesh := mesh_of(snapshot)) is not None:
            self._members[mesh].add(name)
        for node in nodes_of(snapshot):
            self._services[node].add(name)
        for claim in claims_of(snapshot):
            self._claims[claim].add(name)
        self._newest = max(self._newest, as_number(snapshot.resource_version))
        return old

    def remove(self, name: Name) -> Snapshot | None:
        """Forget a resource; returns its last sighting."""
        old = self._resources.pop(name, None)
        if old is not None:
            if (mesh := mesh_of(old)) is not None:
                discard(self._members, mesh, name)
            for node in nodes_of(old):
                discard(self._services, node, name)
            for claim in claims_of(old):
                discard(self._claims, claim, name)
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

    def relatives(self, snapshot: Snapshot) -> Iterator[Snapshot]:
        """Others that claim an App Mesh object that the resource claims: a router that they share, or a name."""
        name = Name.of(snapshot)
        return self._those({other for claim in claims_of(snapshot) for other in self._claims.get(claim, ())} - {name})

    def with_relatives(self, change: Change) -> Change:
        """The change, with whom the resource has to reckon with as of now."""
        names = tuple(
            ResourceName(kind=each.key.kind, namespace=each.key.namespace, name=each.key.name)
            for each in self.relatives(change.snapshot)
        )
        return change.model_copy(update={"relatives": names, "relatives_as_of": self._newest})

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


def claims_of(snapshot: Snapshot) -> frozenset[Claim]:
    """The App Mesh objects that the resource names or holds, by name; the routes of a router are part of it."""
    key = snapshot.key
    return claims(key.kind, key.namespace or "", key.name, snapshot.spec, snapshot.status)


def infers_listener(snapshot: Snapshot) -> bool:
    """Whether a service leaves its router's listener to its first target."""
    if snapshot.key.kind is not Kind.VIRTUAL_SERVICE or snapshot.spec.get("provider"):
        return False
    return not (snapshot.spec.get("virtualRouter") or {}).get("listeners")


def discard(index: defaultdict[K, set[V]], key: K, name: V) -> None:
    """Take a name out of a reverse index, and leave no empty set behind."""
    index[key].discard(name)
    if not index[key]:
        del index[key]
