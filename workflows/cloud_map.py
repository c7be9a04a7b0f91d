"""One workflow per Cloud Map service: it alone registers and deregisters the instances of this cluster there.

The watcher tells it which nodes use the service and which of their pods should be instances; the signal handler only
keeps the newest of that. Each turn of the loop finds the service (or makes it), plans against what it remembers to
have registered, and carries the plan out batch by batch, planning anew after each, so that whatever was told meanwhile
is taken in: a thousand pods that arrive are a few dozen workflow tasks, and a pod that goes need not wait for them.

It ends when no node uses the service, our instances are gone, and so is the service if we made it and it is empty.
"""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows import names
    from workflows.cloud_map_messages import Tidings
    from workflows.cloud_map_state import CloudMapState
    from workflows.cloud_map_turn import CloudMapTurn
    from workflows.planning.outcome import Again

SHORTEST_DELAY = timedelta(seconds=1)
LONGEST_DELAY = timedelta(seconds=60)

_TELLS_WHO_IS_KEPT_OUT = "tells-who-is-kept-out"
"""A worker of an earlier release told nobody of this news, so a run in which it took such in goes on without."""


@workflow.defn(name=names.CLOUD_MAP_SERVICE)
class CloudMapServiceWorkflow:
    """The loop and the handler."""

    @workflow.init
    def __init__(self, state: CloudMapState) -> None:
        # A copy, and taken here: see EntityWorkflow.
        self._state = state.model_copy(deep=True)

    @workflow.signal(name=names.TOLD)
    def told(self, tidings: Tidings) -> None:
        """News of nodes and pods."""
        if any(node.kept_out for node in tidings.nodes) and not workflow.patched(_TELLS_WHO_IS_KEPT_OUT):
            nodes = tuple(node.model_copy(update={"kept_out": ()}) for node in tidings.nodes)
            tidings = tidings.model_copy(update={"nodes": nodes})
        self._state.take(tidings)

    @workflow.run
    async def run(self, state: CloudMapState) -> None:
        """Keep the instance set until nobody uses the service."""
        del state  # what `__init__` made of it is used: the handler has run by now
        mine = self._state
        while True:
            await self._wait_for_work()
            turn = CloudMapTurn(mine)
            mine.again = await turn.run()
            mine.faults = mine.faults + 1 if mine.again is Again.SOON else 0
            if turn.finished and not mine.dirty:
                return
            if workflow.info().is_continue_as_new_suggested() and workflow.all_handlers_finished():
                workflow.continue_as_new(mine)

    async def _wait_for_work(self) -> None:
        try:
            await workflow.wait_condition(self._state.has_work, timeout=self._delay(), timeout_summary="try again")
        except TimeoutError:
            self._state.dirty = True

    def _delay(self) -> timedelta | None:
        """How long to wait at most; None for as long as it takes, which holds no timer."""
        state = self._state
        match state.again:
            case Again.SOON:
                delay = min(SHORTEST_DELAY * int(2 ** min(state.faults - 1, 10)), LONGEST_DELAY)
            case Again.SLOWLY:
                delay = LONGEST_DELAY
            case Again.NOW:
                return timedelta(milliseconds=1)
            case _:
                return None
        return delay * workflow.random().uniform(0.8, 1.2)
