"""A VirtualNode wants one object, in a mesh that has to be there. Backends may be missing: App Mesh links them late."""

from collections.abc import Sequence
from typing import Any, ClassVar

from activities.messages import ReadReferences, References
from activities.objects import ApiKind, ApiObject
from resources.conditions import ConditionType
from resources.kinds import Kind
from resources.names import virtual_node_api_name
from resources.parsing import parse_virtual_node
from resources.translate.virtual_node import virtual_node_spec
from workflows.messages import Snapshot
from workflows.planning.desired import Desired, arn_of, mesh_stands_in_the_way
from workflows.planning.outcome import Outcome
from workflows.planning.plan import Observed, Wanted
from workflows.planning.refusal import Refusal
from workflows.planning.sharing import name_conflict, older_rival


class DesiredVirtualNode(Desired):
    """See `Desired`."""

    kind = Kind.VIRTUAL_NODE
    condition_kinds: ClassVar = {ConditionType.VIRTUAL_NODE_ACTIVE: frozenset({ApiKind.VIRTUAL_NODE})}

    def __init__(
        self, snapshot: Snapshot, relatives: Sequence[Snapshot] = (), refusals: Sequence[Refusal] = ()
    ) -> None:
        self._node = parse_virtual_node(snapshot.as_resource())
        self._rival = older_rival(snapshot, None, relatives)
        self._object = ApiObject(
            kind=ApiKind.VIRTUAL_NODE, mesh=self._node.spec.mesh_name, name=virtual_node_api_name(self._node)
        )

    def references(self) -> ReadReferences:
        """The mesh."""
        return ReadReferences(mesh=self._object.mesh)

    def blocked(self, references: References) -> Outcome | None:
        """By its mesh, or by an older resource that has its name in App Mesh."""
        if (by_mesh := mesh_stands_in_the_way(self._object.mesh, references.mesh)) is not None:
            return by_mesh
        return name_conflict(self._rival, self._object)

    def leaves_to_others(self, observed: Observed) -> frozenset[ApiObject]:
        """The node, to an older resource of the same name."""
        return frozenset({self._object}) if self._rival is not None else frozenset()

    def wanted(self, references: References, observed: Observed) -> tuple[Wanted, ...]:
        """The node."""
        return (Wanted(object=self._object, spec=virtual_node_spec(self._node)),)

    def identities(self) -> tuple[ApiObject, ...]:
        """The node."""
        return (self._object,)

    def host_name(self) -> str | None:
        """That of its DNS discovery."""
        discovery = self._node.spec.service_discovery
        return discovery.dns.host_name if discovery is not None and discovery.dns is not None else None

    def status_members(self, observed: Observed, references: References | None) -> dict[str, Any]:
        """`virtualNodeArn`, and the ARN of the mesh that it names."""
        arn = arn_of(observed, self._object)
        mesh_arn = arn.partition("/virtualNode/")[0] if arn is not None else None
        return {"virtualNodeArn": arn, "meshArn": mesh_arn}
