"""App Mesh in a dictionary: what plans are tried on, and what the activities of the loop's tests call.

It keeps the rules that an order of calls can break. What is referred to has to exist, what is in use cannot be deleted,
and nothing is created twice. What the service checks of a spec's content is not its matter.
"""

from typing import Any

from activities.failures import Failure
from activities.messages import Record
from activities.names import Verb
from activities.objects import ApiKind, ApiObject
from workflows.planning.fit import fits
from workflows.planning.plan import Observed, Step

ROUTE_TYPES = ("httpRoute", "http2Route", "tcpRoute", "grpcRoute")


class Refused(Exception):
    """App Mesh answered with an error."""

    def __init__(self, failure: Failure, message: str) -> None:
        super().__init__(f"{failure}: {message}")
        self.failure = failure
        self.message = message


class AppMeshModel:
    """Objects by identity."""

    def __init__(self, *there: ApiObject) -> None:
        self.objects: dict[ApiObject, Record] = {}
        self.will_not_have: dict[str, Failure] = {}
        """Names of routes that it refuses to write, and with which answer."""
        self.most_routes: int | None = None
        """The quota of a router."""
        for object in there:
            self.put(object, {})

    def put(self, object: ApiObject, spec: dict[str, Any]) -> None:
        """An object that somebody else made."""
        self.objects[object] = Record(object=object, arn=arn_of(object), version=1, spec=spec)

    def run(self, step: Step) -> Record:
        """Carry out a step of a plan."""
        return self.call(step.verb, step.object, step.spec)

    def call(self, verb: Verb, object: ApiObject, spec: dict[str, Any] | None = None) -> Record:
        """One call of the API.

        Raises:
            Refused: with the failure that App Mesh's answer means.
        """
        found = self.objects.get(object)
        if verb is Verb.CREATE:
            self._must_exist(*_parents(object))
            if found is not None:
                raise Refused(Failure.CONFLICT, f"{object} exists")
        elif found is None:
            raise Refused(Failure.NOT_FOUND, f"{object} does not exist")
        if verb is Verb.DELETE and (users := self._users(object)):
            raise Refused(Failure.IN_USE, f"{object} is used by {', '.join(map(str, users))}")
        if verb in (Verb.CREATE, Verb.UPDATE):
            self._must_exist(*_references(object, spec or {}))
            self._must_be_acceptable(object, new=found is None)
            self._must_fit(object, spec or {})
            version = found.version + 1 if found is not None else 1
            self.objects[object] = Record(object=object, arn=arn_of(object), version=version, spec=spec or {})
        return self.objects.pop(object) if verb is Verb.DELETE else self.objects[object]

    def named(self, kind: ApiKind) -> set[str]:
        """Names of the objects of a kind."""
        return {object.name for object in self.objects if object.kind is kind}

    def routes_of(self, router: ApiObject) -> tuple[str, ...]:
        """Names of a router's routes.

        Raises:
            Refused: there is no such router.
        """
        self._must_exist(router)
        return tuple(sorted(object.name for object in self.objects if object.on_router == router))

    def routing_of(self, service: ApiObject) -> dict[str, Any] | None:
        """What callers of a service meet: the router's spec under "", each route's under its name.

        The service's own spec under "" where a node answers for it; None while there is no such service, or nothing
        answers for it.
        """
        found = self.objects.get(service)
        if found is not None and "virtualNode" in found.spec.get("provider", {}):
            return {"": found.spec}
        router = _provider(found.object, found.spec) if found is not None else None
        if router is None:
            return None
        routes = {name: self.objects[_route_of(router, name)].spec for name in self.routes_of(router)}
        return {"": self.objects[router].spec, **routes}

    def observed(self, *apart_from: ApiObject) -> Observed:
        """Everything, apart from objects that belong to others."""
        return Observed(records=tuple(record for object, record in self.objects.items() if object not in apart_from))

    def _must_exist(self, *objects: ApiObject) -> None:
        for object in objects:
            if object not in self.objects:
                raise Refused(Failure.NOT_FOUND, f"{object} does not exist")

    def _must_be_acceptable(self, object: ApiObject, new: bool) -> None:
        router = object.on_router
        if router is None:
            return
        if object.name in self.will_not_have:
            raise Refused(self.will_not_have[object.name], "not this one")
        if new and self.most_routes is not None and len(self.routes_of(router)) >= self.most_routes:
            raise Refused(Failure.LIMIT_EXCEEDED, "too many routes")

    def _must_fit(self, object: ApiObject, spec: dict[str, Any]) -> None:
        """A route suits its router, and a router all its routes."""
        router = object.on_router
        if router is not None:
            pairs = [(spec, self.objects[router].spec)]
        else:
            pairs = [(record.spec, spec) for record in self.objects.values() if record.object.on_router == object]
        if not all(fits(route, on) for route, on in pairs):
            raise Refused(Failure.BAD_REQUEST, f"{object} does not go with its router's listeners or routes")

    def _users(self, object: ApiObject) -> list[ApiObject]:
        return [
            record.object
            for record in self.objects.values()
            if record.object != object
            and (object in _parents(record.object) or object in _references(record.object, record.spec))
        ]


def arn_of(object: ApiObject) -> str:
    """The ARN that App Mesh gives an object."""
    mesh = f"arn:aws:appmesh:us-west-2:000000000000:mesh/{object.mesh}"
    segment = object.kind[0].lower() + object.kind[1:]
    match object.kind:
        case ApiKind.MESH:
            return mesh
        case ApiKind.ROUTE:
            return f"{mesh}/virtualRouter/{object.router}/route/{object.name}"
        case _:
            return f"{mesh}/{segment}/{object.name}"


def _route_of(router: ApiObject, name: str) -> ApiObject:
    """A route of a router."""
    return ApiObject(kind=ApiKind.ROUTE, mesh=router.mesh, name=name, router=router.name)


def _parents(object: ApiObject) -> tuple[ApiObject, ...]:
    if object.kind is ApiKind.MESH:
        return ()
    router = object.on_router
    return (ApiObject.mesh_object(object.mesh), *((router,) if router is not None else ()))


def _references(object: ApiObject, spec: dict[str, Any]) -> tuple[ApiObject, ...]:
    provider = _provider(object, spec)
    targets = [
        target["virtualNode"]
        for type in ROUTE_TYPES
        for target in spec.get(type, {}).get("action", {}).get("weightedTargets", ())
    ]
    if node := spec.get("provider", {}).get("virtualNode", {}).get("virtualNodeName"):
        targets.append(node)
    nodes = (ApiObject(kind=ApiKind.VIRTUAL_NODE, mesh=object.mesh, name=name) for name in targets)
    return (*nodes, *((provider,) if provider is not None else ()))


def _provider(object: ApiObject, spec: dict[str, Any]) -> ApiObject | None:
    name = spec.get("provider", {}).get("virtualRouter", {}).get("virtualRouterName")
    return ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh=object.mesh, name=name) if name else None
