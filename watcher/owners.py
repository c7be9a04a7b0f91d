"""Whose is an App Mesh object? From objects that somebody wrote to the resources that have to look at them. Pure.

Derived from names and from the ARNs in statuses, so it also knows what a resource will make and what it made under
another name. It may name a resource too many, never one too few: a workflow looks only at what it knows to be its own.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from activities.objects import ApiKind, ApiObject
from resources.drift import ignores_drift
from resources.kinds import Kind
from resources.names import namespaced_name
from watcher.index import Index, Name
from workflows.messages import Change, Snapshot

_BESIDE = re.compile(r"(-[0-9a-f]{8})+$")
"""How the name of a router ends that a swap put beside another, whose own name may end so too."""
_LONGEST_BASE = 246
"""A swap cuts longer names, so that the ending fits."""


def doubts(written: Iterable[ApiObject], because: str, index: Index) -> list[Change]:
    """What to tell the owners of objects that somebody else wrote; nothing to those who do not mind.

    Args:
        written: the objects, in the order of the writes.
        because: what happened, for people.
        index: the resources as they are.
    """
    wanted: defaultdict[ApiObject, list[ApiObject]] = defaultdict(list)
    for object in written:
        wanted[_base(_place(object))].append(object)
    if not wanted:
        return []
    found: dict[Name, Change] = {}
    for snapshot in index.all():
        if ignores_drift(snapshot.annotations):
            continue
        bases = dict.fromkeys(_base(place) for place in places_of(snapshot))
        objects = dict.fromkeys(object for base in bases for object in wanted.get(base, ()))
        if objects:
            found[Name.of(snapshot)] = Change(snapshot=snapshot, because=because, doubt=tuple(objects))
    return list(found.values())


def owns(snapshot: Snapshot, object: ApiObject) -> bool:
    """Whether an App Mesh object is a resource's; of a router that services share, each owns the routes in its spec."""
    if object.kind is ApiKind.ROUTE:
        routes = snapshot.spec.get("routes") or ()
        if not any(isinstance(route, dict) and route.get("name") == object.name for route in routes):
            return False
    at = _base(_place(object))
    return any(_base(place) == at for place in places_of(snapshot))


def all_in_doubt(because: str, index: Index) -> list[Change]:
    """What to tell everybody when anything may have been written unseen; nothing to those who do not mind."""
    return [
        Change(snapshot=snapshot, because=because, doubt_all=True)
        for snapshot in index.all()
        if not ignores_drift(snapshot.annotations)
    ]


def minds_again(old: Snapshot | None, new: Snapshot) -> Change | None:
    """What to tell a resource that did not mind drift until now: nobody looked meanwhile."""
    if old is None or not ignores_drift(old.annotations) or ignores_drift(new.annotations):
        return None
    return Change(snapshot=new, because="drift was ignored until now", doubt_all=True)


def places_of(snapshot: Snapshot) -> Iterator[ApiObject]:
    """Where a resource's objects are: mesh, node, service, router. Routes count as their router.

    Read from the raw spec: the watcher must cope with whatever the API server let through.
    """
    key, mesh = snapshot.key, str(snapshot.spec.get("meshName") or "")
    namespace = key.namespace or ""
    match key.kind:
        case Kind.MESH:
            yield ApiObject.mesh_object(key.name)
        case Kind.VIRTUAL_NODE:
            yield ApiObject(kind=ApiKind.VIRTUAL_NODE, mesh=mesh, name=namespaced_name(key.name, namespace))
        case Kind.VIRTUAL_SERVICE:
            yield ApiObject(kind=ApiKind.VIRTUAL_SERVICE, mesh=mesh, name=key.name)
            given = str((snapshot.spec.get("virtualRouter") or {}).get("name") or "").strip()
            yield ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh=mesh, name=namespaced_name(given or key.name, namespace))
    for member in ("meshArn", "virtualNodeArn", "virtualServiceArn", "virtualRouterArn"):
        arn = snapshot.status.get(member)
        recorded = ApiObject.from_arn(str(arn)) if arn else None
        # A node's status also has the ARN of its mesh, which is not the node's.
        if recorded is not None and (recorded.kind is not ApiKind.MESH or key.kind is Kind.MESH):
            yield recorded


def _place(object: ApiObject) -> ApiObject:
    """The object; of a route, its router."""
    if object.kind is not ApiKind.ROUTE or object.router is None:
        return object
    return ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh=object.mesh, name=object.router)


def _base(place: ApiObject) -> ApiObject:
    """The same for a router and for all that swaps put beside it."""
    if place.kind is not ApiKind.VIRTUAL_ROUTER:
        return place
    return place.model_copy(update={"name": _BESIDE.sub("", place.name[:_LONGEST_BASE])})
