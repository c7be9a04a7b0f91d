"""A Mesh wants one object, and refers to nothing."""

from collections.abc import Sequence
from typing import Any, ClassVar

from activities.messages import ReadReferences, References
from activities.objects import ApiKind, ApiObject
from resources.conditions import ConditionType
from resources.kinds import Kind
from resources.parsing import parse_mesh
from resources.translate.mesh import mesh_spec
from workflows.messages import Snapshot
from workflows.planning.desired import Desired, arn_of
from workflows.planning.outcome import Outcome
from workflows.planning.plan import Observed, Wanted
from workflows.planning.refusal import Refusal


class DesiredMesh(Desired):
    """See `Desired`."""

    kind = Kind.MESH
    condition_kinds: ClassVar = {ConditionType.MESH_ACTIVE: frozenset({ApiKind.MESH})}

    def __init__(
        self, snapshot: Snapshot, relatives: Sequence[Snapshot] = (), refusals: Sequence[Refusal] = ()
    ) -> None:
        self._mesh = parse_mesh(snapshot.as_resource())
        self._object = ApiObject.mesh_object(self._mesh.metadata.name)

    def references(self) -> ReadReferences:
        """None."""
        return ReadReferences()

    def blocked(self, references: References) -> Outcome | None:
        """Never."""
        return None

    def wanted(self, references: References, observed: Observed) -> tuple[Wanted, ...]:
        """The mesh."""
        return (Wanted(object=self._object, spec=mesh_spec(self._mesh)),)

    def identities(self) -> tuple[ApiObject, ...]:
        """The mesh."""
        return (self._object,)

    def status_members(self, observed: Observed, references: References | None) -> dict[str, Any]:
        """`meshArn`."""
        return {"meshArn": arn_of(observed, self._object)}
