"""The calls that reconciles would make now, found out with the planners that make them, and with reads alone.

Resources are gone through as they depend on one another: meshes, nodes, services. What has been planned with nothing in
the way counts as done for those that come after it. What App Mesh holds is looked at anew, as after a doubt.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from temporalio.exceptions import ApplicationError

from activities.appmesh import AppMeshActivities
from activities.failures import Failure
from activities.messages import (
    Call,
    ListRoutes,
    ListTags,
    MeshReference,
    NodeReference,
    ReadReferences,
    Record,
    References,
)
from activities.names import Verb
from activities.objects import ApiKind, ApiObject
from activities.readiness import mesh_reference, node_reference
from resources.annotations import DeletionPolicy
from resources.conditions import Reason
from resources.errors import InvalidResource
from resources.kinds import Kind
from watcher.index import Index, Name
from workflows.messages import Snapshot
from workflows.planning import adoption, deletion
from workflows.planning.desired import Desired
from workflows.planning.kinds import desired_of
from workflows.planning.memory import places_to_look, routers_among
from workflows.planning.outcome import ACHIEVED, Outcome
from workflows.planning.plan import Observed, Plan, plan


@dataclass(frozen=True)
class Forecast:
    """What one reconcile would do, and how it would end if App Mesh takes every call."""

    name: Name
    plan: Plan
    outcome: Outcome


class AppMesh:
    """What App Mesh holds: reads, by the activities that workers run.

    Every method raises `ApplicationError`, of a type in `Failure`, when App Mesh would not say.
    """

    def __init__(self, activities: AppMeshActivities) -> None:
        self._activities = activities
        self._describe = dict(zip(ApiKind, activities.reads(), strict=False))

    def observe(self, places: Collection[ApiObject]) -> Iterator[Record]:
        """What exists at these places, and every route of the routers among them."""
        for object in (*places, *(route for router in routers_among(tuple(places)) for route in self._routes(router))):
            try:
                yield self._describe[object.kind](Call(object=object))
            except ApplicationError as error:
                if error.type != Failure.NOT_FOUND:
                    raise

    def tags(self, record: Record) -> dict[str, str]:
        """The tags of an object that exists."""
        return self._activities.list_tags(ListTags(object=record.object, arn=record.arn)).tags

    def _routes(self, router: ApiObject) -> Iterator[ApiObject]:
        token: str | None = None
        while True:
            try:
                page = self._activities.list_routes(ListRoutes(router=router, next_token=token))
            except ApplicationError as error:
                if error.type != Failure.NOT_FOUND:
                    raise
                return
            for name in page.names:
                yield ApiObject(kind=ApiKind.ROUTE, mesh=router.mesh, name=name, router=router.name)
            if (token := page.next_token) is None:
                return


@dataclass
class Forecaster:
    """Forecasts over one state of the cluster."""

    index: Index
    app_mesh: AppMesh
    cluster: str
    _done: set[Name] = field(default_factory=set)

    def forecasts(self, names: Collection[Name]) -> Iterator[Forecast]:
        """Of these resources, in the order in which they depend on one another."""
        for snapshot in list(self.index.all()):
            name = Name.of(snapshot)
            if name not in names:
                continue
            planned, outcome = self._leave(snapshot) if snapshot.deleting else self._achieve(snapshot)
            if outcome.achieved and not snapshot.deleting:
                self._done.add(name)
            yield Forecast(name, planned, outcome)

    def _achieve(self, snapshot: Snapshot) -> tuple[Plan, Outcome]:
        try:
            desired = desired_of(snapshot, tuple(self.index.relatives(snapshot)))
        except InvalidResource as error:
            return Plan(), Outcome(reason=Reason.INVALID_SPEC, message=f"{error.field}: {error.message}")
        references = self._references(desired.references())
        if (blocked := desired.blocked(references)) is not None:
            return Plan(), blocked
        records = self._look(snapshot, desired)
        if (taken := adoption.rivalry(records)) is not None:
            return Plan(), taken
        observed = _own(adoption.usable(records), desired)
        wanted = desired.wanted(references, observed)
        if (refused := adoption.refused(wanted, observed)) is not None:
            return Plan(), refused
        planned = plan(wanted, observed)
        return planned, desired.shortfall(references, carried_out(planned, observed))

    def _leave(self, snapshot: Snapshot) -> tuple[Plan, Outcome]:
        """A resource that is being deleted."""
        desired: Desired | None
        try:
            policy = deletion.policy_of(snapshot, gone=False)
        except InvalidResource as error:
            return Plan(), Outcome(reason=Reason.INVALID_SPEC, message=str(error))
        try:
            desired = desired_of(snapshot, tuple(self.index.relatives(snapshot)))
        except InvalidResource:
            desired = None
        if policy is DeletionPolicy.RETAIN:
            return Plan(), ACHIEVED
        if snapshot.key.kind is Kind.MESH and (members := len(list(self.index.members(snapshot.key.name)))):
            return Plan(), Outcome(reason=Reason.WAITING_FOR_MEMBERS, message=f"{members} members are left")
        observed = _own(adoption.usable(self._look(snapshot, desired)), desired)
        kept = desired.keeps_for_others(observed) if desired is not None else ()
        return plan(kept, deletion.leaving(observed, policy)), ACHIEVED

    def _look(self, snapshot: Snapshot, desired: Desired | None) -> list[Record]:
        """What App Mesh holds for the resource, each with its origin."""
        places, looked, found = places_to_look(snapshot, desired), set[ApiObject](), list[Record]()
        while places:
            looked.update(places)
            found += self.app_mesh.observe(places)
            further = desired.further(Observed(records=tuple(found))) if desired is not None else ()
            places = tuple(place for place in further if place not in looked)
        return [self._traced(record, snapshot) for record in found]

    def _traced(self, record: Record, snapshot: Snapshot) -> Record:
        mine = adoption.recognised(record, None, snapshot)
        if mine is not None:
            return mine
        return adoption.identified(record, self.app_mesh.tags(record), self.cluster, snapshot)

    def _references(self, wanted: ReadReferences) -> References:
        nodes = {name: self._node(Name(Kind.VIRTUAL_NODE, wanted.namespace, name)) for name in wanted.nodes}
        mesh = self._mesh(Name(Kind.MESH, None, wanted.mesh)) if wanted.mesh is not None else MeshReference()
        return References(mesh=mesh, nodes=nodes)

    def _mesh(self, name: Name) -> MeshReference:
        found = self.index.get(name)
        if found is None:
            return MeshReference()
        reference = mesh_reference(found.as_resource())
        return reference.model_copy(update={"ready": True}) if name in self._done else reference

    def _node(self, name: Name) -> NodeReference:
        found = self.index.get(name)
        if found is None:
            return NodeReference()
        reference = node_reference(found.as_resource())
        return reference.model_copy(update={"ready": True}) if name in self._done else reference


def carried_out(planned: Plan, observed: Observed) -> Observed:
    """What is known when App Mesh has taken every step."""
    for step in planned.steps:
        if step.verb is Verb.DELETE:
            observed = observed.without(step.object)
        else:
            known = observed.find(step.object) or Record(object=step.object, arn="", version=0)
            observed = observed.with_record(known.model_copy(update={"spec": step.spec or {}}))
    return observed


def with_manifest(index: Index, kind: Kind, manifest: dict[str, Any]) -> Name | None:
    """Put a manifest into the index as if it had been applied; its name, or None when it would change nothing.

    What is new is younger than all that is there, and has been made by nobody else.
    """
    metadata = dict(manifest["metadata"])
    if not kind.namespaced:
        metadata.pop("namespace", None)  # public manifests give a Mesh one, which the API server passes over
    name = Name(kind, metadata.get("namespace"), metadata["name"])
    before = index.get(name)
    born = {"uid": f"planned/{name}", "resourceVersion": "0", "creationTimestamp": "9999-12-31T23:59:59Z"}
    given = Snapshot.of(kind, {**manifest, "metadata": {**metadata, **born, "generation": 1}, "status": {}})
    if before is None:
        index.put(given)
        return name
    edit = {"spec": given.spec, "annotations": given.annotations}
    if all(getattr(before, member) == value for member, value in edit.items()):
        return None
    index.put(before.model_copy(update={**edit, "generation": before.generation + 1}))
    return name


def concerned(index: Index, changed: Collection[Name]) -> set[Name]:
    """The changed resources, and those whose reconciles a change of them brings about."""
    found = set(changed)
    for name in changed:
        snapshot = index.get(name)
        if snapshot is None:
            continue
        others = [*index.relatives(snapshot), *index.services_of(name)]
        if name.kind is Kind.MESH:
            others += index.members(name.name)
        found |= {Name.of(each) for each in others}
    return found


def _own(observed: Observed, desired: Desired | None) -> Observed:
    """Without what another resource sees to."""
    for object in desired.leaves_to_others(observed) if desired is not None else ():
        observed = observed.without(object)
    return observed
