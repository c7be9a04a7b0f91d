"""The sweep: what a list of App Mesh shows that nobody told us of. For endpoints that have no change feed. Pure.

A list tells each object's version, and so whether it was written since; the status of each resource tells which
versions its workflow left. Where they differ the object is in doubt, and so is a route that nobody left on a router of
ours. Resources that are being worked on are passed over: their own reconcile moves the versions.
"""

from collections.abc import Iterator, Mapping

from activities.objects import ApiKind, ApiObject
from resources.drift import ignores_drift
from resources.kinds import Kind
from watcher.index import Index, Name
from watcher.mapping import is_settled
from workflows.messages import Change, Snapshot

BECAUSE = "App Mesh lists versions that this resource did not leave"


def differing(mesh: str, listed: Mapping[ApiObject, int], index: Index) -> list[Change]:
    """Who has to look at what.

    Args:
        mesh: the mesh that was listed.
        listed: all its objects with their versions, the mesh itself included; nothing when there is no such mesh.
        index: the resources as they are, read after the lists were.
    """
    changes = []
    for snapshot in _resources_of(mesh, index):
        if ignores_drift(snapshot.annotations) or not is_settled(snapshot):
            continue
        if doubts := tuple(_doubts(left_by(snapshot), listed)):
            changes.append(Change(snapshot=snapshot, because=BECAUSE, doubt=doubts))
    return changes


def routers_of(mesh: str, index: Index) -> tuple[str, ...]:
    """Names of the routers of our resources in a mesh: those whose routes are to be listed."""
    routers = {
        object.name
        for snapshot in _resources_of(mesh, index)
        for object in left_by(snapshot)
        if object.kind is ApiKind.VIRTUAL_ROUTER
    }
    return tuple(sorted(routers))


def left_by(snapshot: Snapshot) -> dict[ApiObject, int]:
    """The versions that a resource's workflow left, as its status records them."""
    versions = snapshot.status.get("versions") or {}
    parsed = ((ApiObject.from_arn(str(arn)), version) for arn, version in versions.items())
    return {object: version for object, version in parsed if object is not None}


def _doubts(left: Mapping[ApiObject, int], listed: Mapping[ApiObject, int]) -> Iterator[ApiObject]:
    yield from (object for object, version in left.items() if listed.get(object) != version)
    for object in listed:
        if object.kind is ApiKind.ROUTE and object not in left:
            router = ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh=object.mesh, name=object.router or "")
            if router in left:
                yield object


def _resources_of(mesh: str, index: Index) -> Iterator[Snapshot]:
    own = index.get(Name(Kind.MESH, None, mesh))
    if own is not None:
        yield own
    yield from index.members(mesh)
