"""Mesh → MeshSpec."""

from typing import Any

from resources.mesh import Mesh


def mesh_spec(mesh: Mesh) -> dict[str, Any]:
    """The spec of CreateMesh and UpdateMesh; empty when no egress filter is given, which App Mesh takes as DROP_ALL."""
    egress = mesh.spec.egress_filter
    return {"egressFilter": {"type": egress.type.value}} if egress else {}
