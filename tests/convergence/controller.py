"""Nodes and services of one mesh, each reconciled by its planner against the control plane, one call at a time.

What `tests.workflows.simulation` does with services alone in a dictionary, with nodes that come, change and go, and
with the API's own answers.
"""

from collections.abc import Iterator
from typing import Any

from activities.messages import Record, References
from activities.objects import ApiObject
from activities.readiness import node_reference
from resources.kinds import Kind
from tests.builders import Manifest
from tests.convergence.api import Client, ServedAppMesh
from tests.workflows.simulation import Simulation
from tests.workflows.snapshots import READY_MESH
from workflows.messages import Snapshot
from workflows.planning.memory import routers_among


class Controller(Simulation):
    """Resources by name, in a mesh that is there."""

    app_mesh: ServedAppMesh

    def __init__(self, client: Client, mesh: str) -> None:
        super().__init__((), (ApiObject.mesh_object(mesh),), ServedAppMesh(client, mesh))
        self.mesh = mesh

    def apply(self, manifest: Manifest) -> None:
        """Create or edit; the manifest's mesh is this one."""
        super().apply(manifest | {"spec": manifest["spec"] | {"meshName": self.mesh}})

    def of_kind(self, kind: Kind) -> dict[str, Manifest]:
        """Resources by name, in the order of their creation."""
        return {name: each.manifest for name, each in self.entities.items() if each.manifest["kind"] == kind}

    def specs(self) -> dict[ApiObject, dict[str, Any]]:
        """What was made for the resources, as the API has it."""
        return {record.object: record.spec for record in self.app_mesh.everything(self.mesh)}

    def _look(self, places: tuple[ApiObject, ...]) -> Iterator[Record]:
        yield from self.app_mesh.look(places, routers_among(places))

    def _relatives(self, snapshot: Snapshot) -> list[Snapshot]:
        relatives = super()._relatives(snapshot) if snapshot.key.kind is Kind.VIRTUAL_SERVICE else []
        return [each for each in relatives if each.key.kind is Kind.VIRTUAL_SERVICE]

    def _references(self) -> References:
        nodes = self.of_kind(Kind.VIRTUAL_NODE)
        return References(mesh=READY_MESH, nodes={name: node_reference(node) for name, node in nodes.items()})
