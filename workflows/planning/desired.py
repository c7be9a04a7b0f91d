"""What a resource asks for, in the planner's words: what it refers to, what stands in the way, which objects it wants.

One subclass per kind; `of` makes the right one from a snapshot. Pure: references arrive as data.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from activities.messages import MeshReference, ReadReferences, References
from activities.objects import ApiKind, ApiObject
from resources.conditions import ConditionType, Reason
from resources.kinds import Kind
from workflows.messages import Snapshot
from workflows.planning.outcome import ACHIEVED, Outcome
from workflows.planning.plan import Observed, Wanted
from workflows.planning.refusal import Refusal


class Desired(ABC):
    """The questions that a reconcile asks of every kind."""

    kind: ClassVar[Kind]
    condition_kinds: ClassVar[Mapping[ConditionType, frozenset[ApiKind]]]
    """The conditions of the kind, the main one last, and whose failure turns each."""

    @abstractmethod
    def references(self) -> ReadReferences:
        """The resources to look at before anything is planned."""

    @abstractmethod
    def blocked(self, references: References) -> Outcome | None:
        """What has to come first; None when nothing stands in the way."""

    @abstractmethod
    def wanted(self, references: References, observed: Observed) -> tuple[Wanted, ...]:
        """The App Mesh objects, with specs; asked only when not blocked, and of a complete observation."""

    def shortfall(self, references: References, observed: Observed) -> Outcome:
        """What is lacking although everything wanted is there; as a rule nothing."""
        return ACHIEVED

    def refused(self, outcome: Outcome, references: References, observed: Observed) -> Refusal | None:
        """Whose share App Mesh will not have, where the others can have theirs without it; as a rule nobody's."""
        return None

    def leaves_to_others(self, observed: Observed) -> frozenset[ApiObject]:
        """Objects that were this resource's and are another one's to see to now."""
        return frozenset()

    def keeps_for_others(self, observed: Observed) -> tuple[Wanted, ...]:
        """Objects that this resource is done with, and that stay until others are too."""
        return ()

    @abstractmethod
    def identities(self) -> tuple[ApiObject, ...]:
        """The objects by name alone: where to look for what exists already. Routes are found by listing routers."""

    def further(self, observed: Observed) -> tuple[ApiObject, ...]:
        """Objects that have to be looked at too: an observation, or another resource, tells of them."""
        return ()

    def host_name(self) -> str | None:
        """The name by which DNS is to find it; None for what is not found by DNS."""
        return None

    @abstractmethod
    def status_members(self, observed: Observed, references: References | None) -> dict[str, Any]:
        """The kind's own status members (ARNs ...); None removes a member."""


def mesh_stands_in_the_way(name: str, mesh: MeshReference) -> Outcome | None:
    """Members need their mesh to exist in App Mesh, and leave with it."""
    if not mesh.found:
        return Outcome(reason=Reason.WAITING_FOR_MESH, message=f"Mesh {name} does not exist")
    if mesh.deleting:
        return Outcome(reason=Reason.MESH_DELETED, message=f"Mesh {name} is being deleted, and its members with it")
    if not mesh.ready:
        return Outcome(reason=Reason.WAITING_FOR_MESH, message=f"Mesh {name} is not active yet")
    return None


def arn_of(observed: Observed, object: ApiObject) -> str | None:
    """The ARN of an object that exists."""
    record = observed.find(object)
    return record.arn if record is not None else None


Maker = Callable[[Snapshot, Sequence[Snapshot], Sequence[Refusal]], Desired]
