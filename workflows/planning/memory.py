"""What may exist in App Mesh for a resource that we have no memory of, and where to look. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from activities.objects import ApiKind, ApiObject
from workflows.messages import Snapshot
from workflows.planning.desired import Desired
from workflows.planning.plan import Observed

_ARN_MEMBERS = {
    "Mesh": ("meshArn",),
    "VirtualNode": ("virtualNodeArn",),
    "VirtualService": ("virtualServiceArn", "virtualRouterArn", "retiredRouters"),
}

_TOLD = frozenset(
    {
        *(member for members in _ARN_MEMBERS.values() for member in members),
        *("routeArns", "routerSharers", "routerLeader"),
    }
)
"""Members by which a workflow without a history finds what was made, and others know who sees to it."""


def may_exist(snapshot: Snapshot) -> bool:
    """Whether somebody has already made App Mesh objects for this resource.

    True when its status carries an ARN or a true condition (the reference controller wrote no ARNs for services), or
    when it is being deleted with our finalizer on it, which is put on before the first create. Otherwise the resource
    is new and creating needs no look first: a clash shows as a Conflict.
    """
    if snapshot.deleting:
        return snapshot.key.kind.finalizer in snapshot.finalizers
    conditions = [*snapshot.status.get("conditions", ()), *snapshot.status.get("meshCondition", ())]
    return bool(list(_arns(snapshot))) or any(condition.get("status") == "True" for condition in conditions)


def places_to_look(snapshot: Snapshot, desired: Desired | None, known: Observed | None = None) -> tuple[ApiObject, ...]:
    """Objects to describe: what the status records, what the spec names (None: it cannot be read), and what is known.

    Of what is known only the routers that neither mentions add a place; their routes are found by listing them.
    """
    made = (record.object for record in known.of_kind(ApiKind.VIRTUAL_ROUTER)) if known is not None else ()
    recorded = [object for arn in _arns(snapshot) if (object := ApiObject.from_arn(arn)) is not None]
    named = desired.identities() if desired is not None else ()
    return tuple(dict.fromkeys((*recorded, *named, *made)))


def routers_among(objects: tuple[ApiObject, ...]) -> tuple[ApiObject, ...]:
    """Those whose routes are to be listed."""
    return tuple(object for object in objects if object.kind is ApiKind.VIRTUAL_ROUTER)


def without_looking(status: Mapping[str, Any]) -> dict[str, Any]:
    """What may be said of a resource that was not looked at: nothing that takes back what was told of its objects."""
    return {name: value for name, value in status.items() if value is not None or name not in _TOLD}


def _arns(snapshot: Snapshot) -> Iterator[str]:
    status: Mapping[str, Any] = snapshot.status
    for member in _ARN_MEMBERS[snapshot.key.kind]:
        value = status.get(member) or ()
        yield from (value,) if isinstance(value, str) else (entry["arn"] for entry in value)
    yield from _left_in_another_mesh(snapshot)


def _left_in_another_mesh(snapshot: Snapshot) -> Iterator[str]:
    """The node or the service as it was before the resource moved, as long as App Mesh does not let it go.

    All else is in the mesh that the spec names, or is a router that the status tells of as retired.
    """
    mesh = snapshot.spec.get("meshName")
    for arn in snapshot.status.get("versions") or ():
        object = ApiObject.from_arn(arn)
        if object is not None and mesh not in (None, object.mesh) and object.kind is ApiKind(snapshot.key.kind):
            yield arn
