"""Rules of specs that the service model cannot say: which members exclude, need or must equal each other.

Two sorts of functions, both generators of `Violation`s and both pure: those that look at one spec, and those that also
look around (`Surroundings`: the router of a route, the nodes it targets). `semantics.py` says which kind has which.
Each rule's source is AWS's documentation, mostly of the member in the service model, unless said otherwise.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from control_plane.api.validation import Violation
from control_plane.store.records import ObjectRecord, Spec


class Surroundings(Protocol):
    """What a rule may ask about the other objects of the mesh."""

    @property
    def parent(self) -> ObjectRecord:
        """The object that contains this one."""

    def find(self, kind: str, name: str) -> ObjectRecord | None:
        """Another object directly in the mesh."""

    def children(self, kind: str) -> Sequence[ObjectRecord]:
        """The objects that this one contains; none while it is being created."""


SpecRule = Callable[[Spec], Iterator[Violation]]
MeshRule = Callable[[Spec, Surroundings], Iterator[Violation]]
