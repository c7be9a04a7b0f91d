"""A VirtualNode wants one object, in a mesh that has to be there. Backends may be missing: App Mesh links them late."""

from collections.abc import Mapping
from typing import Any, ClassVar

from activities.messages import ReadReferences, References
from activities.objects import ApiKind, ApiObject
from resources.conditions import ConditionType
from resources.kinds import Kind
from resources.names import virtual_node_api_name
from resources.parsing import parse_virtual_node
from resources.translate.virtual_node import virtual_node_spec
from workflows.planning.desired import Desired, arn_of, mesh_stands_in_the_way
from workflows.planning.outcome import Outcome
from workflows.planning.plan import Observed, Wanted


class DesiredVirtualNode(Desired):
    """See `Desired`."""

    kind = Kind.VIRTUAL_NODE
    condition_kinds: ClassVar = {ConditionType.VIRTUAL_NODE_ACTIVE: frozenset({ApiKind.VIRTUAL_NODE})}

    def __init__(self, resource: Mapping[str, Any]) -> None:
        self._node = parse_virtual_node(resource)
        self._object = ApiObject(
            kind=ApiKind.VIRTUAL_NODE, mesh=self._node.spec.mesh_name, name=virtual_node_api_name(self._node)
        )

    def references(self) -> ReadReferences:
        """The mesh."""
        return ReadReferences(mesh=self._object.mesh)

    def blocked(self, references: References) -> Outcome | None:
        """By its mesh."""
        return mesh_stands_in_the_way(self._object.mesh, references.mesh)

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
