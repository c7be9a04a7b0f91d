"""One turn of a Cloud Map service's workflow: find the service, plan, carry out, report."""

import asyncio
import hashlib

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities import names as activity_names
from activities.cloud_map_messages import BatchDone, CreateService, InstanceChange
from activities.failures import Failure
from activities.messages import ReadReferences, References
from resources.cloud_map import CloudMapService, Instance
from resources.conditions import Reason
from workflows import calls, names
from workflows.calls import CallFailed
from workflows.cloud_map_calls import CloudMap, request_id
from workflows.cloud_map_messages import CloudMapReport, NodeInService
from workflows.cloud_map_state import CloudMapState, ServiceInUse
from workflows.planning.cloud_map import InstancePlan, batches, held_by_us, plan_instances
from workflows.planning.cloud_map_status import with_kept_out
from workflows.planning.outcome import Again
from workflows.showing import show_service

_LOOK_AGAIN = frozenset({Failure.CONFLICT, Failure.NOT_FOUND})
"""Answers that contradict what is remembered of the service: it has gone, or has come."""


class CloudMapTurn:
    """One turn over `state`, which it keeps true after every single call."""

    def __init__(self, state: CloudMapState) -> None:
        if state.service is None:
            raise ValueError("nothing was told yet")
        self._state = state
        self._service: CloudMapService = state.service
        self.finished = False
        """Nobody uses the service and nothing of ours is left in it."""

    async def run(self) -> Again:
        """Bring Cloud Map to what was told; what, besides news, shall bring the workflow back."""
        self._state.dirty = False
        self._take_up_sweep()
        references: References = await calls.kubernetes(
            activity_names.READ_REFERENCES, ReadReferences(), "Read queues", References
        )
        self._cloud_map = CloudMap(references.queues)
        try:
            return await self._reconcile()
        except CallFailed as error:
            return await self._fail(error)

    async def _reconcile(self) -> Again:
        state = self._state
        if state.found is None and (obstacle := await self._find()) is not None:
            await self._report(obstacle)
            return Again.SLOWLY if state.nodes else Again.NEVER
        if state.found is None:  # nobody uses it, and it is not there
            self.finished = True
            return Again.NEVER
        while True:
            self._take_up_sweep()
            if state.held is None:
                await self._list(state.found.id)
            if (plan := self._plan()).empty:
                break
            if self._takes_long(plan):
                await self._report(self._not_ready(Reason.CLOUD_MAP_REGISTERING, ""), to_the_new=True)
            await self._carry_out(plan, state.found.id)
            if workflow.info().is_continue_as_new_suggested():
                return Again.NOW
        await self._report(self._ready())
        return Again.NEVER if state.nodes else await self._leave(state.found)

    async def _find(self) -> CloudMapReport | None:
        """Find the service, or make it for a node; a report only when that cannot be."""
        state, service = self._state, self._service
        namespace = await self._cloud_map.namespace(service.namespace)
        if namespace is None or namespace.id is None:
            self.finished = not state.nodes
            message = f"Cloud Map namespace {service.namespace} does not exist"
            return self._not_ready(Reason.CLOUD_MAP_NAMESPACE_NOT_FOUND, message)
        if namespace.type == "DNS_PUBLIC":
            self.finished = not state.nodes
            message = f"Cloud Map namespace {service.namespace} is a public DNS namespace"
            return self._not_ready(Reason.CLOUD_MAP_NAMESPACE_PUBLIC, message)
        record = await self._cloud_map.service(namespace.id, service.name)
        if record is None and state.nodes:
            request = CreateService(
                service=service,
                namespace_id=namespace.id,
                dns=namespace.type == "DNS_PRIVATE",
                creator_request_id=f"{self._maker()}/{request_id('service', state.changes)[:16]}",
            )
            record = await self._cloud_map.create(request)
            state.changes += 1
        if record is not None:
            ours = (record.creator_request_id or "").startswith(self._maker())
            state.found = ServiceInUse(id=record.id, namespace_id=namespace.id, ours=ours)
        return None

    async def _list(self, service_id: str) -> list[Instance]:
        """Learn what Cloud Map really holds, and try again what it refused; all its instances."""
        state = self._state
        instances = await self._cloud_map.instances(service_id)
        state.held = held_by_us(instances, state.served, state.cluster)
        state.refused = {}
        return instances

    def _take_up_sweep(self) -> None:
        """A sweep that is asked for while a turn is under way must not get lost in it."""
        if self._state.sweep:
            self._state.sweep = False
            self._state.held = None

    def _plan(self) -> InstancePlan:
        """What is left to do, by the newest that was told."""
        state = self._state
        state.dirty = False
        wanted = state.wanted()
        state.refused = {id: words for id, words in state.refused.items() if id in wanted}
        return plan_instances(wanted, state.held or {}, state.refused, state.complete or not state.nodes)

    def _takes_long(self, plan: InstancePlan) -> bool:
        """Whether the plan is more than is done at a time."""
        changes = len(plan.to_deregister) + len(plan.to_register)
        return changes > self._cloud_map.batch_size * self._cloud_map.side_by_side

    async def _carry_out(self, plan: InstancePlan, service_id: str) -> None:
        """The first few batches of a plan; the caller plans the rest anew."""
        cloud_map = self._cloud_map
        register = not plan.to_deregister
        changes = (
            [self._registration(instance) for instance in plan.to_register]
            if register
            else [InstanceChange(id=id) for id in plan.to_deregister]
        )
        some = batches(changes, cloud_map.batch_size)[: cloud_map.side_by_side]
        self._state.changes += 1
        done = await asyncio.gather(
            *(self._batch(service_id, batch, register) for batch in some), return_exceptions=True
        )
        for failure in done:
            if isinstance(failure, BaseException):
                raise failure

    async def _batch(self, service_id: str, changes: tuple[InstanceChange, ...], register: bool) -> None:
        state = self._state
        try:
            done: BatchDone = await self._cloud_map.change(service_id, changes, register)
        except CallFailed:
            state.held = None  # some of it may have been done: ask
            raise
        held = state.held if state.held is not None else {}
        refused = {refusal.id: refusal.message for refusal in done.refused}
        for change in changes:
            if change.id in refused:
                digest = Instance(id=change.id, attributes=change.attributes or {}).digest
                state.refused[change.id] = (digest, refused[change.id])
            elif register:
                held[change.id] = Instance(id=change.id, attributes=change.attributes or {}).digest
            if not register:  # refused or not: it is not tried again before the next sweep finds it
                held.pop(change.id, None)

    async def _leave(self, found: ServiceInUse) -> Again:
        """Nobody uses the service: remove it if it is ours and empty."""
        state = self._state
        if found.ours:
            instances = await self._list(found.id)
            if state.held:  # deregistering takes Cloud Map a moment, or somebody registered them again
                return Again.SOON
            if not instances:
                try:
                    await self._cloud_map.delete(found.id, self._service.name)
                except CallFailed as error:
                    if error.failure is Failure.IN_USE:
                        return Again.SOON
                    if error.failure is not Failure.NOT_FOUND:
                        raise
        state.found = None
        state.held = None
        self.finished = True
        return Again.NEVER

    async def _fail(self, error: CallFailed) -> Again:
        state = self._state
        if error.failure in _LOOK_AGAIN:
            state.found = None
            state.held = None
            return Again.SOON
        if error.failure.passes:
            await self._report(self._not_ready(Reason.CLOUD_MAP_UNAVAILABLE, error.message))
            return Again.SOON
        await self._report(self._not_ready(Reason.CLOUD_MAP_REFUSED, error.message))
        return Again.SLOWLY

    def _registration(self, instance: Instance) -> InstanceChange:
        request = request_id("instance", self._state.changes, instance.id)
        return InstanceChange(id=instance.id, attributes=instance.attributes, creator_request_id=request)

    def _maker(self) -> str:
        """How a service's creator request id begins when a workflow of this id made it, in this run or an earlier."""
        own = f"{self._state.cluster}\0{self._service.namespace}\0{self._service.name}"
        return f"meshwright/{hashlib.sha256(own.encode()).hexdigest()[:16]}"

    def _ready(self) -> CloudMapReport:
        refused = self._state.refused
        if refused:
            some = "; ".join(f"{id}: {words}" for id, (_, words) in sorted(refused.items())[:3])
            return self._not_ready(Reason.CLOUD_MAP_INSTANCES_REFUSED, f"{len(refused)} refused: {some}")
        return self._about(ready=True, reason=Reason.CLOUD_MAP_SERVICE_FOUND, message="")

    def _not_ready(self, reason: Reason, message: str) -> CloudMapReport:
        return self._about(ready=False, reason=reason, message=message)

    def _about(self, ready: bool, reason: Reason, message: str) -> CloudMapReport:
        found = self._state.found
        return CloudMapReport(
            service=self._service,
            ready=ready,
            reason=reason,
            message=message[:1000],
            service_id=found.id if found is not None else None,
            namespace_id=found.namespace_id if found is not None else None,
        )

    async def _report(self, report: CloudMapReport, to_the_new: bool = False) -> None:
        """Tell the nodes that have not been told exactly this; their own workflows write it into their status.

        Args:
            report: what to tell them.
            to_the_new: leave out those that were told before that all is well.
        """
        known = {node.key.uid: self._state.reported.get(node.key.uid) for node in self._state.nodes}
        fine = {uid for uid, told in known.items() if told is not None and told.ready}
        untold = [
            (node, news)
            for node in self._state.nodes
            if known[node.key.uid] != (news := with_kept_out(report, node))
            and not (to_the_new and node.key.uid in fine)
        ]
        if untold:
            show_service(self._state, report)
            await asyncio.gather(*(self._tell(node, news) for node, news in untold))

    async def _tell(self, node: NodeInService, report: CloudMapReport) -> None:
        key = node.key
        id = names.workflow_id(self._state.cluster, key.kind, key.namespace, key.name)
        try:
            await workflow.get_external_workflow_handle(id).signal(
                names.CLOUD_MAP, report.model_copy(update={"node": key.uid})
            )
        except ApplicationError:
            return  # it does not run: its resource is gone, or was settled before Temporal's history was lost
        self._state.reported[key.uid] = report
