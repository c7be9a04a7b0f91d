"""The entity loop: one workflow per custom resource, alive as long as the resource.

Signals only store the newest sighting; `run` alone acts. Each turn of the loop is one reconcile: observe (only when we
have no memory), plan, apply, report. No reconcile fails the workflow: what goes wrong becomes a condition, and the loop
waits for a change, for a poke, or for a delay to pass. It holds no timer while there is nothing to wait for, and ends
when the resource is gone.
"""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from resources.kinds import Kind
    from workflows import data_plane, names
    from workflows.cloud_map_messages import CloudMapReport
    from workflows.messages import Change, Gone
    from workflows.planning.outcome import Again
    from workflows.reconcile import Reconcile
    from workflows.state import EntityState

SHORTEST_DELAY = timedelta(seconds=1)
LONGEST_DELAY = timedelta(seconds=60)
SLOW_DELAY = timedelta(minutes=10)


class EntityWorkflow:
    """The loop and the handlers; one subclass per kind gives them a workflow type."""

    @workflow.init
    def __init__(self, state: EntityState) -> None:
        # A copy, since the argument is what a replay starts from again. Taken here and not in `run`, because the
        # signal of a signal-with-start is handled before `run` begins.
        self._state = state.model_copy(deep=True)
        self.trace_id: str | None = None
        """The trace of the newest signal, for the log."""

    @property
    def generation(self) -> int | None:
        """The newest generation of the resource, for the log."""
        return self._state.desired.generation if self._state.desired is not None else None

    @workflow.signal(name=names.CHANGED)
    def changed(self, change: Change) -> None:
        """A sighting of the resource, a poke because of something that it depends on, or a doubt."""
        state = self._state
        state.take(change.snapshot)
        state.know_relatives(change.relatives, change.relatives_as_of)
        state.doubt(change.doubt, change.doubt_all)
        if change.searchable is not None:
            state.searchable = change.searchable
        if state.desired is not None and state.desired.key.uid == change.snapshot.key.uid:
            state.take_data_plane(change.data_plane)
        state.poked = state.poked or change.poke or change.doubt_all or bool(change.doubt)

    @workflow.signal(name=names.GONE)
    def gone(self, gone: Gone) -> None:
        """The resource disappeared without our finalizer having been taken off by us."""
        desired = self._state.desired
        if desired is not None and gone.is_about(desired):
            self._state.gone = True

    async def reconcile_until_gone(self) -> None:
        """The loop. Returns when the resource is gone and nothing of it is left."""
        state = self._state
        while True:
            await self._wait_for_work()
            if state.has_work():
                reconcile = Reconcile(state)
                state.again = await reconcile.run()
                state.faults = state.faults + 1 if state.again is Again.SOON else 0
                if reconcile.finished and not state.has_work():
                    return
            else:
                await data_plane.tell(state)
            if workflow.info().is_continue_as_new_suggested() and workflow.all_handlers_finished():
                # Nothing is awaited between this check and the command: a signal that comes now is either in the
                # state already, or makes the server refuse the command and hand us the signal first.
                workflow.continue_as_new(state)

    async def _wait_for_work(self) -> None:
        try:
            await workflow.wait_condition(self._has_something_to_do, timeout=self._delay(), timeout_summary="try again")
        except TimeoutError:
            self._state.try_again()

    def _has_something_to_do(self) -> bool:
        return self._state.has_work() or self._state.data_plane_news

    def _delay(self) -> timedelta | None:
        """How long to wait at most; None for as long as it takes, which holds no timer."""
        state = self._state
        jitter = workflow.random().uniform(0.8, 1.2)
        match state.again:
            case Again.SOON:
                return min(SHORTEST_DELAY * int(2 ** min(state.faults - 1, 10)), LONGEST_DELAY) * jitter
            case Again.SLOWLY:
                return SLOW_DELAY * jitter
            case Again.NOW:
                return timedelta(milliseconds=1)
            case _:
                return None


@workflow.defn(name=names.WORKFLOWS[Kind.MESH])
class MeshWorkflow(EntityWorkflow):
    """Reconciles one Mesh."""

    @workflow.run
    async def run(self, state: EntityState) -> None:
        """Reconcile until the Mesh is gone."""
        await self.reconcile_until_gone()


@workflow.defn(name=names.WORKFLOWS[Kind.VIRTUAL_NODE])
class VirtualNodeWorkflow(EntityWorkflow):
    """Reconciles one VirtualNode."""

    @workflow.signal(name=names.CLOUD_MAP)
    def cloud_map(self, report: CloudMapReport) -> None:
        """Its Cloud Map service says where it stands."""
        self._state.take_report(report)

    @workflow.run
    async def run(self, state: EntityState) -> None:
        """Reconcile until the VirtualNode is gone."""
        await self.reconcile_until_gone()


@workflow.defn(name=names.WORKFLOWS[Kind.VIRTUAL_SERVICE])
class VirtualServiceWorkflow(EntityWorkflow):
    """Reconciles one VirtualService."""

    @workflow.run
    async def run(self, state: EntityState) -> None:
        """Reconcile until the VirtualService is gone."""
        await self.reconcile_until_gone()


ALL = (MeshWorkflow, VirtualNodeWorkflow, VirtualServiceWorkflow)
"""What a worker registers."""
