"""Several resources reconciled side by side, in memory: what shared routers are tried on.

Each reconcile is a generator that stops after every App Mesh call, so that a test can let any number of them run in any
order and look at App Mesh in between. What it does with the planners is what `workflows.reconcile` does; Kubernetes is
a dictionary, and the watcher is one that misses nothing.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

from activities.failures import Failure
from activities.messages import NodeReference, References
from activities.names import Verb
from activities.objects import ApiKind, ApiObject
from resources.conditions import Reason
from resources.errors import InvalidResource
from resources.kinds import Kind
from resources.relations import claims
from resources.virtual_service import VirtualServiceStatus
from tests.builders import Manifest, stored
from tests.workflows.app_mesh_model import AppMeshModel, Refused
from tests.workflows.snapshots import READY_MESH
from workflows.messages import Snapshot
from workflows.planning.desired import Desired
from workflows.planning.kinds import desired_of
from workflows.planning.memory import may_exist, places_to_look, routers_among, without_looking
from workflows.planning.outcome import ACHIEVED, Again, Outcome, judge
from workflows.planning.plan import Observed, Step, plan
from workflows.planning.refusal import Refusal
from workflows.planning.report import status_of
from workflows.planning.sharing import strays


@dataclass
class Entity:
    """One resource, and what its workflow remembers."""

    manifest: Manifest
    observed: Observed | None = None
    deleting: bool = False
    doubt: bool = False
    told: bool = False
    """The status tells all that was made."""
    under_way: Iterator[Step] | None = None
    refusals: tuple[Refusal, ...] = ()
    outcome: Outcome = field(default_factory=lambda: ACHIEVED)


class Simulation:
    """Services by name, over one App Mesh; its nodes are just there."""

    def __init__(
        self,
        nodes: tuple[str, ...],
        given: tuple[ApiObject, ...],
        app_mesh: AppMeshModel | None = None,
        *,
        hasty: bool = False,
    ) -> None:
        self.app_mesh = app_mesh or AppMeshModel(*given)
        self.given = given
        self.entities: dict[str, Entity] = {}
        self.calls: list[str] = []
        self._nodes = nodes
        self._hasty = hasty
        self._clock = 0

    def apply(self, manifest: Manifest) -> None:
        """Create or edit; one that is being deleted cannot be edited, nor created again before it is gone.

        Unless it is hasty, a service changes its router only between two reconciles: what it was about to make of the
        old one is known to nobody else until it is told (see the limits).
        """
        name = manifest["metadata"]["name"]
        entity = self.entities.get(name)
        if entity is None:
            self._clock += 1
            made = stored(manifest, uid=f"uid-{self._clock}")
            made["metadata"]["creationTimestamp"] = f"2026-01-01T00:{self._clock // 60:02}:{self._clock % 60:02}Z"
            self.entities[name] = Entity(made | {"status": {}})
        elif not entity.deleting and entity.manifest["spec"] != manifest["spec"]:
            if not self._hasty and _router(entity.manifest) != _router(manifest):
                self.finish(name)
            entity.manifest["spec"] = manifest["spec"]
            entity.manifest["metadata"]["generation"] += 1

    def delete(self, name: str) -> None:
        """Ask for the deletion of a service."""
        entity = self.entities.get(name)
        if entity is not None and not entity.deleting:
            entity.deleting = True
            entity.manifest["metadata"]["generation"] += 1  # as the API server does
            entity.manifest["metadata"]["deletionTimestamp"] = "2026-01-02T00:00:00Z"
            entity.manifest["metadata"]["finalizers"] = [Kind(entity.manifest["kind"]).finalizer]

    def forget(self, name: str) -> None:
        """Lose the history of a service's workflow once its status tells all that was made for it."""
        entity = self.entities.get(name)
        if entity is not None and entity.told:
            entity.observed = None

    def advance(self, name: str) -> bool:
        """Let a service's workflow make its next App Mesh call, or end its reconcile; False when it is gone."""
        entity = self.entities.get(name)
        if entity is None:
            return False
        if entity.under_way is None:
            entity.under_way = self._reconcile(name, entity)
        try:
            step = next(entity.under_way)
            self.calls.append(step.summary)
        except StopIteration:
            entity.under_way = None
        return True

    def try_again(self) -> None:
        """Let the long delay pass after which everybody tries again what App Mesh refused."""
        for entity in self.entities.values():
            entity.refusals = ()

    def finish(self, name: str) -> None:
        """Let a service's workflow end its reconcile."""
        while name in self.entities and self.entities[name].under_way is not None:
            self.advance(name)

    def settle(self, rounds: int = 60) -> None:
        """Let everybody end what is under way, then reconcile in turn until a whole round changes nothing."""
        for name in sorted(self.entities):
            self.finish(name)
        for _ in range(rounds):
            before = self._state()
            for name in sorted(self.entities):
                self.advance(name)
                self.finish(name)
            if self._state() == before:
                return
        raise AssertionError(f"not settled after {rounds} rounds: {self.calls[-20:]}")

    def made(self) -> set[ApiObject]:
        """What was made for the services."""
        return set(self.app_mesh.objects) - set(self.given)

    def _state(self) -> object:
        statuses = {name: repr(entity.manifest["status"]) for name, entity in self.entities.items()}
        return statuses, {object: record.spec for object, record in self.app_mesh.objects.items()}

    def _reconcile(self, name: str, entity: Entity) -> Iterator[Step]:
        snapshot = self._see(name)
        try:
            desired = desired_of(snapshot, self._relatives(snapshot), entity.refusals)
        except InvalidResource:
            return
        if entity.observed is None and may_exist(snapshot):
            entity.observed = self._observe(snapshot, desired)
        elif entity.doubt:
            entity.observed = self._observe(snapshot, desired, entity.observed)
        entity.doubt = False
        if entity.deleting:
            outcome = yield from self._remove(entity, desired)
            if outcome.achieved:
                del self.entities[name]
                return
        else:
            outcome = yield from self._achieve(entity, snapshot, desired)
        if snapshot.identity == self._see(name).identity or outcome.again is not Again.NOW:
            self._report(entity, snapshot, self._newest(entity, snapshot, desired), outcome)

    def _newest(self, entity: Entity, snapshot: Snapshot, desired: Desired) -> Desired:
        """The planner since somebody's routes were set aside, if any were."""
        return desired_of(snapshot, self._relatives(snapshot), entity.refusals) if entity.refusals else desired

    def _achieve(self, entity: Entity, snapshot: Snapshot, desired: Desired) -> Generator[Step, None, Outcome]:
        references = self._references()
        self._leave(entity, desired)
        if (blocked := desired.blocked(references)) is not None:
            return blocked
        observing = False
        while True:
            if observing:
                entity.observed = self._observe(snapshot, desired, entity.observed)
            elif places := desired.further(entity.observed or Observed()):
                for record in self._look(places):
                    entity.observed = (entity.observed or Observed()).with_record(record)
            self._leave(entity, desired)
            known = entity.observed or Observed()
            outcome = yield from self._apply(entity, snapshot, desired.wanted(references, known), observing)
            if outcome.achieved:
                return desired.shortfall(references, entity.observed or Observed())
            refusal = desired.refused(outcome, references, entity.observed or Observed())
            if refusal is not None:
                entity.refusals = (*entity.refusals, refusal)
                desired, observing = desired_of(snapshot, self._relatives(snapshot), entity.refusals), False
                continue
            if outcome.again is not Again.NOW or observing:
                return outcome
            observing = True

    def _remove(self, entity: Entity, desired: Desired) -> Generator[Step, None, Outcome]:
        for record in self._look(desired.further(entity.observed or Observed())):
            entity.observed = (entity.observed or Observed()).with_record(record)
        self._leave(entity, desired)
        kept = desired.keeps_for_others(entity.observed or Observed())
        outcome = yield from self._apply(entity, None, kept, True)
        if outcome.achieved and kept:
            return Outcome(reason=Reason.WAITING_FOR_DELETION)
        return outcome

    def _apply(
        self, entity: Entity, snapshot: Snapshot | None, wanted: Any, observing: bool
    ) -> Generator[Step, None, Outcome]:
        for stage in plan(wanted, entity.observed or Observed()).stages:
            name = entity.manifest["metadata"]["name"]
            if snapshot is not None and self._see(name).identity != snapshot.identity:
                return Outcome(reason=Reason.PENDING, again=Again.NOW)
            failures = []
            for step in stage:
                try:
                    record = self.app_mesh.run(step)
                except Refused as refused:
                    if not (step.verb is Verb.DELETE and refused.failure is Failure.NOT_FOUND):
                        in_use = refused.failure is Failure.IN_USE
                        entity.doubt |= step.object.kind is ApiKind.VIRTUAL_ROUTER and in_use
                        outcome = judge(refused.failure, refused.message, step.object.kind, observing)
                        failures.append(outcome.model_copy(update={"failed_object": step.object}))
                        continue
                known = entity.observed or Observed()
                entity.observed = known.without(step.object) if step.verb is Verb.DELETE else known.with_record(record)
                entity.told = False
                yield step
            if failures:
                return failures[0]
        return ACHIEVED

    def _leave(self, entity: Entity, desired: Desired) -> None:
        if entity.observed is not None:
            for object in desired.leaves_to_others(entity.observed):
                entity.observed = entity.observed.without(object)

    def _observe(self, snapshot: Snapshot, desired: Desired, before: Observed | None = None) -> Observed:
        known = Observed()
        places = places_to_look(snapshot, desired, before)
        while places:
            for record in self._look(places):
                known = known.with_record(record)
            places = tuple(
                place for place in desired.further(known) if known.find(place) is None and place not in places
            )
        return known

    def _look(self, places: tuple[ApiObject, ...]) -> Iterator[Any]:
        routers = set(routers_among(places))
        for object, record in list(self.app_mesh.objects.items()):
            on_it = object.router is not None and any(
                (router.mesh, router.name) == (object.mesh, object.router) for router in routers
            )
            if object in places or on_it:
                yield record

    def _report(self, entity: Entity, snapshot: Snapshot, desired: Desired, outcome: Outcome) -> None:
        entity.outcome, entity.told = outcome, outcome.achieved
        before = entity.manifest["status"]
        references = None if snapshot.deleting else self._references()
        known = entity.observed or Observed()
        status = status_of(snapshot, desired, known, references, outcome, before, "2026-01-01T00:00:00Z")
        if entity.observed is None:
            status = without_looking(status)
        whole = {key: value for key, value in (before | status).items() if value is not None}
        entity.manifest["status"] = _stored(whole) if snapshot.key.kind is Kind.VIRTUAL_SERVICE else whole

    def _see(self, name: str) -> Snapshot:
        manifest = self.entities[name].manifest
        return Snapshot.of(Kind(manifest["kind"]), manifest)

    def _relatives(self, snapshot: Snapshot) -> list[Snapshot]:
        known = self.entities[snapshot.key.name].observed or Observed()
        mine = _claims(snapshot) | strays(snapshot, known)
        others = (self._see(name) for name in sorted(self.entities) if name != snapshot.key.name)
        return [other for other in others if _claims(other) & mine]

    def _references(self) -> References:
        ready = NodeReference(found=True, ready=True, mesh="shop")
        return References(mesh=READY_MESH, nodes=dict.fromkeys(self._nodes, ready))


def _stored(status: dict[str, Any]) -> dict[str, Any]:
    """The status as the API server keeps it: without what the schema does not know."""
    return VirtualServiceStatus.model_validate(status).model_dump(by_alias=True, exclude_unset=True, mode="json")


def _router(manifest: Manifest) -> object:
    return manifest["spec"].get("virtualRouter", {}).get("name")


def _claims(snapshot: Snapshot) -> frozenset[Any]:
    key = snapshot.key
    return claims(key.kind, key.namespace or "", key.name, snapshot.spec, snapshot.status)
