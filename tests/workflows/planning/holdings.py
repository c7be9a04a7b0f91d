"""What App Mesh holds, for tests of planners: objects by short name, and a model that refuses what App Mesh refuses."""

from collections.abc import Iterable, Mapping
from typing import Any

from activities.messages import Record
from activities.names import Verb
from activities.objects import ApiKind, ApiObject
from workflows.planning.plan import Observed, Step
from workflows.planning.routing import live_router

MESH_ARN = "arn:aws:appmesh:us-west-2:123456789012:mesh/shop"
_SEGMENTS = {
    ApiKind.VIRTUAL_NODE: "virtualNode",
    ApiKind.VIRTUAL_ROUTER: "virtualRouter",
    ApiKind.VIRTUAL_SERVICE: "virtualService",
}


def mesh(name: str = "shop") -> ApiObject:
    """The mesh itself."""
    return ApiObject.mesh_object(name)


def node(name: str) -> ApiObject:
    """A virtual node of the mesh `shop`."""
    return ApiObject(kind=ApiKind.VIRTUAL_NODE, mesh="shop", name=name)


def router(name: str) -> ApiObject:
    """A router of the mesh `shop`."""
    return ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh="shop", name=name)


def route(name: str, on: str) -> ApiObject:
    """A route on a router of the mesh `shop`."""
    return ApiObject(kind=ApiKind.ROUTE, mesh="shop", name=name, router=on)


def service(name: str = "cart.prod.svc.cluster.local") -> ApiObject:
    """A virtual service of the mesh `shop`."""
    return ApiObject(kind=ApiKind.VIRTUAL_SERVICE, mesh="shop", name=name)


def pointing_at(name: str | None) -> dict[str, Any]:
    """The spec of a virtual service that a router provides, or nobody."""
    return {"provider": {"virtualRouter": {"virtualRouterName": name}}} if name else {}


def arn(object: ApiObject) -> str:
    """The object's ARN; `ApiObject.from_arn` reads it back."""
    if object.kind is ApiKind.MESH:
        return MESH_ARN
    if object.kind is ApiKind.ROUTE:
        return f"{MESH_ARN}/virtualRouter/{object.router}/route/{object.name}"
    return f"{MESH_ARN}/{_SEGMENTS[object.kind]}/{object.name}"


def holding(specs: Mapping[ApiObject, dict[str, Any]] | Iterable[ApiObject]) -> Observed:
    """App Mesh with these objects, and nothing else."""
    given = specs if isinstance(specs, Mapping) else {object: {} for object in specs}
    return Observed(
        records=tuple(Record(object=object, arn=arn(object), version=1, spec=spec) for object, spec in given.items())
    )


def specs_of(observed: Observed) -> dict[ApiObject, dict[str, Any]]:
    """The inverse of `holding`."""
    return {record.object: record.spec for record in observed.records}


def after(step: Step, observed: Observed) -> Observed:
    """What App Mesh holds after a step; fails where it would answer Conflict, NotFound or ResourceInUse."""
    exists = observed.find(step.object) is not None
    assert exists == (step.verb is not Verb.CREATE), f"{step.summary}: there is {'one' if exists else 'none'}"
    if step.verb is Verb.DELETE:
        users = [record.object for record in observed.records if step.object in _used_by(record)]
        assert not users, f"{step.summary}: in use by {users}"
        return observed.without(step.object)
    record = Record(object=step.object, arn=arn(step.object), version=1, spec=step.spec or {})
    lacking = [used for used in _used_by(record) if observed.find(used) is None]
    assert not lacking, f"{step.summary}: there is no {lacking}"
    return observed.with_record(record)


def _used_by(record: Record) -> list[ApiObject]:
    """The routers that an object cannot be without."""
    if record.object.kind is ApiKind.ROUTE:
        return [router(record.object.router or "")]
    provider = live_router(record.object, Observed(records=(record,)))
    return [provider] if record.object.kind is ApiKind.VIRTUAL_SERVICE and provider is not None else []
