"""From what should be to what is: the ordered calls in between. Pure.

A plan is a list of stages. The steps of a stage do not depend on one another and run side by side; a stage starts when
the one before it is done. The order of stages keeps every virtual service on a complete routing: what it will point at
is made first, then the service is turned, then what nothing points at any more is removed.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from activities.messages import Message, Record
from activities.names import Verb, operation
from activities.objects import ApiKind, ApiObject
from resources.normal import same_spec
from workflows.planning.fit import fits


class Wanted(Message):
    """An object that App Mesh should hold, with its spec as the API takes it."""

    object: ApiObject
    spec: dict[str, Any]


class Observed(Message):
    """What we know App Mesh to hold for one resource.

    `complete` is False while we cannot know: then the API has to be asked before anything is planned.
    """

    complete: bool = True
    records: tuple[Record, ...] = ()

    def find(self, object: ApiObject) -> Record | None:
        """The record of an object; None when App Mesh does not hold it."""
        return next((record for record in self.records if record.object == object), None)

    def of_kind(self, kind: ApiKind) -> tuple[Record, ...]:
        """The records of one kind."""
        return tuple(record for record in self.records if record.object.kind is kind)

    def with_record(self, record: Record) -> "Observed":
        """After a create, an update or a describe."""
        others = tuple(known for known in self.records if known.object != record.object)
        return self.model_copy(update={"records": (*others, record)})

    def without(self, object: ApiObject) -> "Observed":
        """After a delete."""
        return self.model_copy(update={"records": tuple(known for known in self.records if known.object != object)})


class Step(Message):
    """One call that changes App Mesh."""

    verb: Verb
    object: ApiObject
    spec: dict[str, Any] | None = None

    @property
    def operation(self) -> str:
        """The App Mesh operation."""
        return operation(self.verb, self.object.kind)

    @property
    def summary(self) -> str:
        """What the step does, for people: `Create route blue of router color-router-prod`."""
        return f"{self.verb} {self.object}"


class Plan(Message):
    """Stages of steps; empty when nothing differs."""

    stages: tuple[tuple[Step, ...], ...] = Field(default=())

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps in order."""
        return tuple(step for stage in self.stages for step in stage)


_CREATION_STAGES: tuple[frozenset[ApiKind], ...] = (
    frozenset({ApiKind.MESH, ApiKind.VIRTUAL_NODE, ApiKind.VIRTUAL_ROUTER}),
    frozenset({ApiKind.ROUTE}),
    frozenset({ApiKind.VIRTUAL_SERVICE}),
)


def plan(wanted: Sequence[Wanted], observed: Observed) -> Plan:
    """The calls that take `observed` to `wanted`; every object in `observed` that is not wanted is deleted.

    Args:
        wanted: the objects that shall exist; none to delete everything.
        observed: what exists; must be complete.
    """
    live = _routers_pointed_at(observed)
    kept = {item.object for item in wanted}
    unwanted = [record.object for record in observed.records if record.object not in kept]
    # Routes left over on a router that will carry traffic, but does not yet, have to go before it does.
    first = [object for object in unwanted if object.on_router in kept - live]
    first += [object for object in _routes_in_the_way(wanted, observed) if object not in first]
    unwanted = [object for object in unwanted if object not in first]
    for object in first:
        observed = observed.without(object)
    changes = [step for item in wanted if (step := _change(item, observed)) is not None]
    stages = [
        tuple(Step(verb=Verb.DELETE, object=object) for object in first),
        *(tuple(step for step in changes if step.object.kind in kinds) for kinds in _CREATION_STAGES),
        *(
            tuple(Step(verb=Verb.DELETE, object=object) for object in unwanted if object.kind in kinds)
            for kinds in reversed(_CREATION_STAGES)
        ),
    ]
    return Plan(stages=tuple(stage for stage in stages if stage))


def _change(wanted: Wanted, observed: Observed) -> Step | None:
    record = observed.find(wanted.object)
    if record is None:
        return Step(verb=Verb.CREATE, object=wanted.object, spec=wanted.spec)
    if same_spec(wanted.spec, record.spec):
        return None
    return Step(verb=Verb.UPDATE, object=wanted.object, spec=wanted.spec)


def _routes_in_the_way(wanted: Sequence[Wanted], observed: Observed) -> list[ApiObject]:
    """Routes that the router cannot have as it shall be, and that are to go or to change with it, so are made anew.

    On a live router that is a gap, which only those get who asked for changes in place. A route that shall not fit is
    left where it is: App Mesh will say so, and nothing is taken away for it.
    """
    shall: dict[ApiObject | None, dict[str, Any]] = {item.object: item.spec for item in wanted}
    return [
        route.object
        for route in observed.of_kind(ApiKind.ROUTE)
        if (router := shall.get(route.object.on_router)) is not None
        and not fits(route.spec, router)
        and (route.object not in shall or fits(shall[route.object], router))
    ]


def _routers_pointed_at(observed: Observed) -> set[ApiObject]:
    """The routers that carry the traffic of a service of ours."""
    providers = (
        (
            service.object.mesh,
            ((service.spec.get("provider") or {}).get("virtualRouter") or {}).get("virtualRouterName"),
        )
        for service in observed.of_kind(ApiKind.VIRTUAL_SERVICE)
    )
    return {ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh=mesh, name=name) for mesh, name in providers if name}
