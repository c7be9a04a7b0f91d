"""From a snapshot to the planner of its kind."""

from collections.abc import Sequence

from resources import annotations
from resources.kinds import Kind
from workflows.messages import Snapshot
from workflows.planning.desired import Desired, Maker
from workflows.planning.drift import checked_policy
from workflows.planning.mesh import DesiredMesh
from workflows.planning.refusal import Refusal
from workflows.planning.virtual_node import DesiredVirtualNode
from workflows.planning.virtual_service import DesiredVirtualService

PLANNERS: dict[Kind, type[Desired]] = {
    Kind.MESH: DesiredMesh,
    Kind.VIRTUAL_NODE: DesiredVirtualNode,
    Kind.VIRTUAL_SERVICE: DesiredVirtualService,
}
_MAKERS: dict[Kind, Maker] = {
    Kind.MESH: DesiredMesh,
    Kind.VIRTUAL_NODE: DesiredVirtualNode,
    Kind.VIRTUAL_SERVICE: DesiredVirtualService,
}


def desired_of(snapshot: Snapshot, relatives: Sequence[Snapshot] = (), refusals: Sequence[Refusal] = ()) -> Desired:
    """What the resource asks for.

    Args:
        snapshot: the resource, with its newest status.
        relatives: others that lay claim to an App Mesh object that it claims.
        refusals: what App Mesh would not have, of this one or of those relatives.

    Raises:
        InvalidResource: the resource does not read as its kind, or an annotation is unknown; names the field.
    """
    annotations.check(snapshot.annotations)
    checked_policy(snapshot.annotations)
    return _MAKERS[snapshot.key.kind](snapshot, relatives, refusals)
