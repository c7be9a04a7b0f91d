"""One reconcile: observe, plan, apply, report. Sequences activities; every choice is made by `workflows.planning`."""

import asyncio

from temporalio import workflow

from activities import names
from activities.failures import Failure
from activities.messages import (
    Event,
    Finalizer,
    Members,
    NodeUsers,
    Queues,
    ReadReferences,
    ReadRelatives,
    Record,
    References,
    Relatives,
    Resolution,
    Status,
)
from activities.names import Verb
from activities.objects import ApiKind, ApiObject
from resources.annotations import MESH_DELETION, DeletionPolicy, cascades
from resources.conditions import Reason
from resources.errors import InvalidResource
from resources.kinds import Kind
from workflows import calls, log_context, metrics, provenance
from workflows.calls import CallFailed
from workflows.events import event_of, record_objection, rfc3339
from workflows.messages import Snapshot
from workflows.planning import adoption, deletion, dns
from workflows.planning.cloud_map_status import with_cloud_map
from workflows.planning.data_plane import REVISION, with_data_plane
from workflows.planning.desired import Desired
from workflows.planning.drift import again, concerned, drift, forgotten, seen_again
from workflows.planning.kinds import desired_of
from workflows.planning.memory import may_exist, places_to_look, routers_among, without_looking
from workflows.planning.outcome import ACHIEVED, Again, Outcome, judge
from workflows.planning.plan import Observed, Plan, Step, plan
from workflows.planning.report import changed_members, is_news, is_warning, status_of
from workflows.planning.sharing import strays
from workflows.showing import show_outcome, show_progress
from workflows.state import EntityState

SHARED_KINDS = frozenset({ApiKind.VIRTUAL_ROUTER, ApiKind.ROUTE})
PERHAPS_DONE = {
    Verb.CREATE: frozenset({Failure.CONFLICT, Failure.UNAVAILABLE}),
    Verb.UPDATE: frozenset({Failure.UNAVAILABLE}),
    Verb.DELETE: frozenset({Failure.UNAVAILABLE}),
}
"""Failures after which a call may have been carried out all the same: by an attempt whose answer was lost."""

LOOK_AT_ALL = "look-at-all-when-the-service-is-unknown"
DOUBT_AFTER_A_LOOK = "doubt-a-lost-create-after-a-look"
FORGET_WHAT_IS_GONE = "forget-what-a-lost-delete-took"
SEE_THAT_IT_LIVES = "see-that-the-resource-lives-before-the-first-write"
"""Patches: what newer code does otherwise, in histories that begin with it."""


class Superseded(Exception):
    """A newer sighting arrived in the middle: what is left of this reconcile would be thrown away."""


class Reconcile:
    """One turn of the entity loop over `state`, which it keeps true after every single call."""

    def __init__(self, state: EntityState) -> None:
        if state.desired is None:
            raise ValueError("nothing has been sighted yet")
        self._state = state
        self._snapshot = state.desired
        self._references: References | None = None
        self._relatives: tuple[Snapshot, ...] = ()
        self._done: list[Step] = []
        self._looked: set[ApiObject] = set()
        self._drifted = False
        self._revision: int | None = None
        self._resolution: Resolution | None = None
        self._replanned: Desired | None = None
        """The planner since somebody's routes were set aside, if any were."""
        self.finished = False
        """The resource is gone and so is all that was made for it."""

    async def run(self) -> Again:
        """Reconcile once, and tell what shall bring the resource back besides a change or a poke."""
        state = self._state
        state.poked = False
        state.reconciles += 1
        gone = state.gone
        leaving = self._snapshot.deleting or gone
        began, kind = workflow.time(), self._snapshot.key.kind
        try:
            await self._read_relatives()
            desired, unreadable = self._read_spec()
            if leaving:
                outcome = await self._remove(desired)
            else:
                outcome = unreadable or await self._achieve(desired)
                outcome = await self._with_resolution(desired, outcome)
            if not state.gone and not self.finished:
                await self._report(self._replanned or desired, outcome)
            if outcome.reason is Reason.MESH_DELETED and not leaving:
                await calls.kubernetes(names.DELETE_RESOURCE, self._snapshot.key, "Delete with its mesh")
        except Superseded:
            self._note(kind, metrics.SUPERSEDED, None, leaving, began)
            return Again.NEVER
        except CallFailed as error:
            if error.failure is not Failure.GONE:
                raise
            self._note(kind, metrics.OVER, None, leaving, began)
            # This life of the resource ended while we worked for it. The watcher will say so too, but a sighting
            # that came late may have started us after it did: so do not wait for that.
            if state.desired is not None and state.desired.key.uid == self._snapshot.key.uid:
                state.gone = True
            return Again.NEVER
        state.handled = self._snapshot
        state.gone_handled = gone and state.gone
        ended = metrics.outcome_of(outcome.reason, outcome.achieved)
        self._note(kind, ended, outcome.reason, leaving, began)
        return again(outcome, self._drifted, state.faults)

    def _note(self, kind: Kind, outcome: str, reason: Reason | None, leaving: bool, began: float) -> None:
        """Count the reconcile, and write its line."""
        seconds = workflow.time() - began
        metrics.reconciled(kind, outcome, reason, leaving, seconds)
        log_context.reconciled(outcome, reason.value if reason is not None else None, len(self._done), seconds)

    async def _with_resolution(self, desired: Desired | None, outcome: Outcome) -> Outcome:
        """Once App Mesh has the node, and so never in its way: whether its host name resolves."""
        host = desired.host_name() if desired is not None else None
        checks = self._references is not None and self._references.checks_dns
        if host is None or not checks or not outcome.achieved:
            return outcome
        self._resolution = await calls.kubernetes(names.RESOLVE_HOST, host, f"Resolve {host}"[:200], Resolution)
        return dns.asked_again(outcome, self._resolution)

    def _read_spec(self) -> tuple[Desired | None, Outcome | None]:
        try:
            return self._planner(), None
        except InvalidResource as error:
            return None, Outcome(reason=Reason.INVALID_SPEC, message=f"{error.field}: {error.message}")

    def _planner(self) -> Desired:
        newest = self._snapshot.model_copy(update={"status": self._state.status})
        return desired_of(newest, self._relatives, self._state.refusals)

    async def _achieve(self, desired: Desired | None) -> Outcome:
        """Bring App Mesh to what the spec asks for."""
        if desired is None:
            raise ValueError("a spec that cannot be read was to be achieved")
        self._references = references = await self._read_references(desired.references())
        self._leave_to_others(desired)
        if (blocked := desired.blocked(references)) is not None:
            return blocked
        await self._add_finalizer()
        state = self._state
        observe = state.observed is None and may_exist(self._snapshot)
        observe = observe or adoption.was_refused(self._snapshot.key.kind, state.status)
        if observe := observe or self._knows_too_little():
            state.take_doubts()
        elif (failed := await self._look_again(desired)) is not None:
            return failed
        while True:
            failed = await (self._observe(desired) if observe else self._look_further(desired))
            if failed is not None:
                return failed
            self._leave_to_others(desired)
            observed = self._remembered()
            wanted = desired.wanted(references, observed)
            if (refused := adoption.refused(wanted, observed)) is not None:
                state.observed = adoption.without_lent(observed)
                return refused
            planned = plan(wanted, observed)
            await self._see_that_it_lives(planned)
            outcome = await self._apply(planned, just_observed=observe)
            if outcome.achieved:
                return desired.shortfall(references, self._remembered())
            if (refusal := desired.refused(outcome, references, self._remembered())) is not None:
                state.set_aside(refusal)
                self._replanned = desired = self._planner()
                observe = False
                continue
            contradicted = outcome.again is Again.NOW and not observe
            if not contradicted and not (outcome.reason is Reason.NAME_CONFLICT and state.unsure):
                return outcome
            observe = True

    def _knows_too_little(self) -> bool:
        """Whether something of ours may be there, and it is not known whether a service leads callers to it already.

        To look at what is unsure alone is not enough then: a router that carries traffic would pass for an idle one.
        """
        service_is_known = bool(self._remembered().of_kind(ApiKind.VIRTUAL_SERVICE))
        of_service = self._snapshot.key.kind is Kind.VIRTUAL_SERVICE
        return of_service and bool(self._state.unsure) and not service_is_known and workflow.patched(LOOK_AT_ALL)

    async def _remove(self, desired: Desired | None) -> Outcome:
        """Delete what was made for the resource and is not to stay, then let Kubernetes have it."""
        state, key = self._state, self._snapshot.key
        try:
            policy = deletion.policy_of(self._snapshot, state.gone)
        except InvalidResource as error:
            return Outcome(reason=Reason.INVALID_SPEC, message=str(error))
        if policy is DeletionPolicy.RETAIN:
            return await self._release(deletion.retained(self._what_may_be_left(desired), policy))
        self._references = await self._read_references(ReadReferences(mesh=self._own_mesh()))
        if state.observed is None and may_exist(self._snapshot) and not state.gone:
            failed = await self._observe(desired)
        else:
            failed = await self._look_again(desired)
        if failed is not None and failed.reason is not Reason.NAME_CONFLICT:
            return deletion.with_way_out(failed)
        nothing_was_made = state.gone and not self._remembered().records
        if key.kind is Kind.MESH and not nothing_was_made and (waiting := await self._members()) is not None:
            return waiting
        if (waiting := await self._users()) is not None:
            return waiting
        try:
            state.observed = await provenance.verified(self._remembered(), self._snapshot, self._queues())
        except CallFailed as error:
            outcome = judge(error.failure, error.message, ApiKind(key.kind), just_observed=True)
            return deletion.with_way_out(outcome)
        if (failed := await self._look_further(desired)) is not None:
            return deletion.with_way_out(failed)
        self._leave_to_others(desired)
        kept = desired.keeps_for_others(self._remembered()) if desired is not None else ()
        outcome = await self._apply(plan(kept, deletion.leaving(self._remembered(), policy)), just_observed=True)
        if not outcome.achieved:
            return deletion.with_way_out(outcome)
        if kept:
            message = f"{kept[0].object} stays until everybody else who shares it has left it"
            return Outcome(reason=Reason.WAITING_FOR_DELETION, message=message, again=Again.SOON)
        return await self._release(deletion.retained(deletion.kept(self._remembered(), policy), policy))

    async def _release(self, left: Outcome | None) -> Outcome:
        """Let Kubernetes have the resource, and tell what is left of it in App Mesh."""
        state, kind = self._state, self._snapshot.key.kind
        if not state.gone and kind.finalizer in self._finalizers():
            if left is not None:
                event = self._event(left)
                await calls.kubernetes(names.RECORD_EVENT, event, "Record event")
            await calls.kubernetes(names.REMOVE_FINALIZER, self._finalizer(), "Remove finalizer")
        state.gone = False
        state.observed = None  # what stays is nobody's from here on, and not the next life's either
        self.finished = True
        return ACHIEVED

    def _what_may_be_left(self, desired: Desired | None) -> tuple[ApiObject, ...]:
        """The objects of a resource that goes without App Mesh being asked."""
        if self._state.observed is not None:
            return tuple(record.object for record in self._state.observed.records)
        return places_to_look(self._snapshot, desired) if may_exist(self._snapshot) else ()

    async def _members(self) -> Outcome | None:
        members: Members = await calls.kubernetes(
            names.LIST_MEMBERS, self._snapshot.key.name, "List members of the mesh", Members
        )
        if not members.names:
            return None
        some = ", ".join(members.names[:5]) + (" ..." if len(members.names) > 5 else "")
        blocks = not cascades(self._snapshot.annotations)
        message = f"{len(members.names)} members are left: {some}" + (f" ({MESH_DELETION}: Block)" if blocks else "")
        # The watcher pokes a mesh for members that leave, but not one that it no longer sees.
        again = Again.SOON if self._state.gone else Again.NEVER
        return Outcome(reason=Reason.WAITING_FOR_MEMBERS, message=message, again=again)

    async def _users(self) -> Outcome | None:
        """A node that goes with its mesh lets the services that target it go first: App Mesh would insist on it."""
        key, mesh = self._snapshot.key, self._own_mesh()
        leaves_with_mesh = self._references is not None and self._references.mesh.deleting
        if mesh is None or not leaves_with_mesh or self._state.gone or not self._remembered().records:
            return None
        of = NodeUsers(mesh=mesh, namespace=key.namespace or "", node=key.name)
        users: Members = await calls.kubernetes(names.LIST_USERS, of, "List services that target it", Members)
        return deletion.waiting_for(users.names)

    def _own_mesh(self) -> str | None:
        """The mesh of a node."""
        return self._snapshot.spec.get("meshName") if self._snapshot.key.kind is Kind.VIRTUAL_NODE else None

    async def _read_references(self, wanted: ReadReferences) -> References:
        references: References = await calls.kubernetes(names.READ_REFERENCES, wanted, "Read references", References)
        return references

    async def _read_relatives(self) -> None:
        """Who else lays claim to what the resource claims, as they are now; mostly nobody, and then nothing is read."""
        state, key = self._state, self._snapshot.key
        snapshot = self._snapshot.model_copy(update={"status": state.status})
        routers = tuple(
            sorted((claim.mesh, claim.name) for claim in strays(snapshot, self._remembered(), state.unsure))
        )
        if state.relatives or routers:
            wanted = ReadRelatives(names=state.relatives, namespace=key.namespace, routers=routers)
            read: Relatives = await calls.kubernetes(names.READ_RELATIVES, wanted, "Read relatives", Relatives)
            found = (Snapshot.of(Kind(resource["kind"]), resource) for resource in read.resources)
            self._relatives = tuple(each for each in found if each.key.uid != key.uid)

    def _leave_to_others(self, desired: Desired | None) -> None:
        """Forget what another resource sees to now, so that it is neither changed nor deleted from here."""
        observed = self._state.observed
        if observed is None:
            return
        if desired is not None:
            left = desired.leaves_to_others(observed)
        elif self._relatives:
            left = frozenset(record.object for record in observed.records if record.object.kind in SHARED_KINDS)
        else:
            left = frozenset()
        for object in left:
            observed = observed.without(object)
        self._state.observed = observed

    async def _add_finalizer(self) -> None:
        if self._snapshot.key.kind.finalizer not in self._finalizers():
            await calls.kubernetes(names.ADD_FINALIZER, self._finalizer(), "Add finalizer")
            self._state.finalizer_added = True

    async def _see_that_it_lives(self, planned: Plan) -> None:
        """Before the first write for a resource that is said to have our finalizer; who adds it finds out anyway.

        A sighting that came late may have started us after the resource's end. Its status may be just what comes of
        making everything again, so that nothing would be written to Kubernetes either, and nobody would notice.
        """
        state = self._state
        first = state.handled is None and not state.finalizer_added
        if planned.stages and first and workflow.patched(SEE_THAT_IT_LIVES):
            still_there = Finalizer(key=self._snapshot.key, seen_finalizers=(), seen_version=None)
            await calls.kubernetes(names.ADD_FINALIZER, still_there, "See that it is still there")
            state.finalizer_added = True

    def _finalizers(self) -> tuple[str, ...]:
        ours = self._snapshot.key.kind.finalizer
        seen = self._snapshot.finalizers
        return (*seen, ours) if self._state.finalizer_added and ours not in seen else seen

    def _finalizer(self) -> Finalizer:
        """Our first edit can build on the sighting; after it the resourceVersion has moved."""
        snapshot = self._snapshot
        fresh = not self._state.finalizer_added and self._state.handled is None
        return Finalizer(
            key=snapshot.key,
            seen_finalizers=snapshot.finalizers if fresh else (),
            seen_version=snapshot.resource_version if fresh else None,
        )

    async def _observe(self, desired: Desired | None) -> Outcome | None:
        """Ask App Mesh what it holds for this resource; an outcome only when it would not say."""
        state = self._state
        named = places_to_look(self._snapshot, desired, self._remembered())
        places = tuple(dict.fromkeys((*named, *state.unsure)))
        records: list[Record] = []
        looked: set[ApiObject] = set()
        try:
            while places:
                looked.update(places)
                records += await calls.observe(places, routers_among(places), self._queues())
                further = desired.further(Observed(records=tuple(records))) if desired is not None else ()
                places = tuple(place for place in further if place not in looked)
            traced = await provenance.traced(records, state.observed, self._snapshot, self._queues())
        except CallFailed as error:
            kind = places[0].kind if places else ApiKind(self._snapshot.key.kind)
            return judge(error.failure, error.message, kind, just_observed=True)
        state.observed, state.unsure = adoption.usable(traced), ()
        self._looked |= looked
        if state.revision is None:
            state.revision = max((each.revision for each in traced if each.revision is not None), default=None)
        return adoption.rivalry(traced)

    async def _look_further(self, desired: Desired | None) -> Outcome | None:
        """Look at what others tell of and we have never seen, such as a router that somebody else saw to before.

        And at what may be otherwise than remembered because the answer to a write was lost.
        """
        state = self._state
        unsure = state.unsure
        places = desired.further(self._remembered()) if desired is not None else ()
        if not places and not unsure:
            return None
        try:
            found = await calls.observe(places, routers_among(places), self._queues())
            made = await calls.observe(unsure, routers_among(unsure), self._queues())
            traced = await provenance.traced(made, state.observed, self._snapshot, self._queues())
        except CallFailed as error:
            return judge(error.failure, error.message, (*places, *unsure)[0].kind, just_observed=True)
        gone = frozenset(unsure) - {record.object for record in made}
        if self._remembers(gone) and workflow.patched(FORGET_WHAT_IS_GONE):
            state.observed = forgotten(gone, self._remembered())
        for record in (*found, *adoption.usable(traced).records):
            state.observed = self._remembered().with_record(record)
        state.unsure = ()
        self._looked |= {*places, *unsure}
        return None

    async def _look_again(self, desired: Desired | None) -> Outcome | None:
        """Look at what somebody else is said to have changed, and at nothing else; an outcome only as `_observe`."""
        state, before = self._state, self._remembered()
        doubts, everything = state.take_doubts()
        objects = concerned(doubts, before)
        failed: Outcome | None = None
        if everything and state.observed is not None:
            failed = await self._observe(desired)
        elif objects:
            try:
                found = await calls.observe(objects, (), self._queues())
                state.observed = seen_again(before, objects, found)
            except CallFailed as error:
                failed = judge(error.failure, error.message, objects[0].kind, just_observed=True)
        if failed is not None:
            state.doubt(doubts, everything)
        elif differs := drift(before, self._remembered()):
            # At once, and not in the report: a newer sighting may come before that, and it would never be said.
            self._drifted = True
            metrics.drift_found(self._snapshot.key.kind)
            said = f"Somebody else changed App Mesh: {'; '.join(differs)}"
            event = self._say(True, Reason.DRIFTED, said)
            await calls.kubernetes(names.RECORD_EVENT, event, "Record drift")
        return failed

    async def _apply(self, planned: Plan, just_observed: bool) -> Outcome:
        """Carry out the stages; stop at the first that fails, or between two when the plan is out of date."""
        for stage in planned.stages:
            if self._is_superseded():
                raise Superseded
            show_progress(self._snapshot, planned, self._done)
            outcomes = await asyncio.gather(*(self._step(step, just_observed) for step in stage))
            failures = [outcome for outcome in outcomes if outcome is not None]
            if failures:
                return failures[0]
        return ACHIEVED

    async def _step(self, step: Step, just_observed: bool) -> Outcome | None:
        state = self._state
        try:
            record = await calls.write(step, state.reconciles, self._queues(), provenance.owner_of(self._snapshot))
        except CallFailed as error:
            if not (step.verb is Verb.DELETE and error.failure is Failure.NOT_FOUND):
                # A router that App Mesh does not let go may have routes that somebody else put there: look next time.
                state.doubt_all |= step.object.kind is ApiKind.VIRTUAL_ROUTER and error.failure is Failure.IN_USE
                if error.failure in PERHAPS_DONE[step.verb] and not self._is_another_ones(step, error.failure):
                    state.unsure = tuple(dict.fromkeys((*state.unsure, step.object)))
                outcome = judge(error.failure, error.message, step.object.kind, just_observed)
                return outcome.model_copy(update={"failed_object": step.object})
            record = None
        if record is not None and record.revision is not None:
            # The newest of this reconcile, and not of all time: a store that was set back begins with lower ones.
            self._revision = state.revision = max(self._revision or 0, record.revision)
        if step.verb is Verb.DELETE or record is None:
            state.observed = self._remembered().without(step.object)
        else:
            known = self._remembered()
            state.observed = known.with_record(adoption.remembered(step, record, known))
        self._done.append(step)
        return None

    def _remembers(self, objects: frozenset[ApiObject]) -> bool:
        return any(self._remembered().find(object) is not None for object in objects)

    def _is_another_ones(self, step: Step, failure: Failure) -> bool:
        """Whether a create failed because of what a look has shown not to be ours.

        A lost answer is no such failure: what was not there when we looked may be there by now.
        """
        if step.verb is not Verb.CREATE or step.object not in self._looked:
            return False
        return failure is Failure.CONFLICT or not workflow.patched(DOUBT_AFTER_A_LOOK)

    def _remembered(self) -> Observed:
        return self._state.observed or Observed()

    def _queues(self) -> Queues:
        return self._references.queues if self._references is not None else Queues()

    def _is_superseded(self) -> bool:
        newest = self._state.desired
        return newest is not None and newest.identity != self._snapshot.identity

    async def _report(self, desired: Desired | None, outcome: Outcome) -> None:
        state, snapshot = self._state, self._snapshot
        now = rfc3339(workflow.now())
        references = None if snapshot.deleting else self._references
        status = status_of(
            snapshot, desired, self._remembered(), references, outcome, state.status, now, self._resolution
        )
        if state.observed is None:
            status = without_looking(status)
        status = with_cloud_map(status, snapshot, state.cloud_map_reports, now)
        state.data_plane_news = False
        status = with_data_plane(status, snapshot, state.status, state.data_plane, self._last_write(), now)
        whole = {name: value for name, value in (state.status | status).items() if value is not None}
        show_outcome(state, snapshot, outcome, self._done)
        writes = []
        if changed_members(state.status, status):
            said = f"Write status: {outcome.reason}" + (f": {outcome.message}" if outcome.message else "")
            wanted = Status(key=snapshot.key, status=whole, before=state.status)
            writes.append(calls.kubernetes(names.WRITE_STATUS, wanted, said[:200]))
        if self._done or is_news(snapshot.key.kind, state.status, status):
            writes.append(calls.kubernetes(names.RECORD_EVENT, self._event(outcome), "Record event"))
        writes.append(record_objection(snapshot, state.reconciles, state.status, status))
        await asyncio.gather(*writes)
        if state.desired is not None and state.desired.key.uid == snapshot.key.uid:
            state.status = whole  # the status of a next life, sighted meanwhile, is its own

    def _last_write(self) -> int | None:
        """Where the last write for the resource is in the order of all, where it is told.

        Routes of a service that shares a router may be written for it by another one, and that one's last write counts
        then too. It is not asked for without proxies, as the status would have to be written for that alone.
        """
        state = self._state
        own = state.revision if state.revision is not None else state.status.get(REVISION)
        if own is None or state.data_plane is None or not state.data_plane.proxies:
            return own
        return max(own, *(each.status.get(REVISION) or 0 for each in self._relatives), 0)

    def _event(self, outcome: Outcome) -> Event:
        done = ", ".join(step.summary[0].lower() + step.summary[1:] for step in self._done)
        said = outcome.message or (f"Done: {done}" if done else "App Mesh holds what the spec asks for")
        return self._say(is_warning(outcome), outcome.reason, said)

    def _say(self, warning: bool, reason: Reason, message: str) -> Event:
        return event_of(self._snapshot, self._state.reconciles, warning, reason, message)
