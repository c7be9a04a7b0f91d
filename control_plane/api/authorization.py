"""Whether a key may do what it asks for, by the mesh that an operation is about. Pure."""

from control_plane.api.access import AccessKey, Right
from control_plane.api.decoding import Parameters
from control_plane.api.errors import Forbidden

LIST_MESHES = "ListMeshes"
"""The one operation that is about no mesh: everybody may ask, and is told of the meshes that it may read."""


def authorize(key: AccessKey, right: Right, operation: str, parameters: Parameters) -> None:
    """Let an operation with these parameters pass, which are not validated yet.

    Raises:
        Forbidden: the key has no such right in the mesh.
    """
    mesh = _mesh_of(parameters)
    # Without a mesh there is nothing to protect: it lists meshes, or it is about to be refused as incomplete.
    if mesh is not None and not key.may(right, mesh):
        raise Forbidden(f"The access key {key.id} may not {right} in mesh {mesh[:255]}, as {operation} would")


def _mesh_of(parameters: Parameters) -> str | None:
    if isinstance(mesh := parameters.get("meshName"), str):
        return mesh
    if isinstance(arn := parameters.get("resourceArn"), str):
        _, found, path = arn.partition(":mesh/")
        return path.partition("/")[0] if found else None
    return None
