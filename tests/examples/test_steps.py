"""A workflow's steps, from its history."""

import json
from pathlib import Path

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from examples.demo.steps import History, Step, beside, read, table
from tests.examples.drawing import drawn
from tests.golden import Golden

GOLDEN = Path(__file__).parent / "golden"


class Recorder:
    """Builds a history, event by event, at seconds of our choice."""

    def __init__(self) -> None:
        self.events: list[HistoryEvent] = []
        self.add(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, 0)

    def add(self, kind: EventType.ValueType, at: float, summary: str = "") -> HistoryEvent:
        """Add an event of a kind; its attributes are up to the caller."""
        event = HistoryEvent(event_id=len(self.events) + 1, event_type=kind)
        event.event_time.FromMilliseconds(1_000_000 + round(1000 * at))
        if summary:
            payload = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(summary).encode())
            event.user_metadata.summary.CopyFrom(payload)
        self.events.append(event)
        return event

    def scheduled(self, operation: str, at: float, summary: str = "") -> int:
        """An activity is asked for; its id."""
        event = self.add(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, at, summary)
        event.activity_task_scheduled_event_attributes.activity_type.name = operation
        return event.event_id

    def started(self, id: int, at: float, attempt: int = 1) -> None:
        """A worker has it."""
        attributes = self.add(EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED, at).activity_task_started_event_attributes
        attributes.scheduled_event_id, attributes.attempt = id, attempt

    def completed(self, id: int, at: float) -> None:
        """It went well."""
        event = self.add(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, at)
        event.activity_task_completed_event_attributes.scheduled_event_id = id

    def failed(self, id: int, at: float) -> None:
        """It failed for good."""
        event = self.add(EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED, at)
        event.activity_task_failed_event_attributes.scheduled_event_id = id

    def local(self, name: str, at: float, summary: str = "") -> None:
        """A local activity leaves its marker."""
        event = self.add(EventType.EVENT_TYPE_MARKER_RECORDED, at, summary)
        event.marker_recorded_event_attributes.marker_name = name


def _story() -> History:
    recorder = Recorder()
    recorder.local("core_local_activity", 0.01, "Read references")
    router = recorder.scheduled("CreateVirtualRouter", 0.02, "Create router r-shop")
    recorder.started(router, 0.025)
    recorder.completed(router, 0.037)
    routes = [recorder.scheduled("CreateRoute", 0.04, f"Create route {name} of router r-shop") for name in "abc"]
    recorder.started(routes[1], 0.041, attempt=3)
    recorder.completed(routes[1], 1.5)
    recorder.started(routes[0], 0.041)
    recorder.failed(routes[0], 0.05)
    recorder.local("core_local_activity", 1.6, "Read references")
    recorder.local("core_local_activity", 1.7, "Write status: Active")
    recorder.local("core_local_activity", 1.8, "Write status: BadRequest: no")
    return read(recorder.events)


def test_steps_come_in_the_order_in_which_they_were_begun() -> None:
    """Activities that run side by side end in any order; each keeps its own time, tries and end."""
    router, a, b, c = _story().steps
    assert (router.summary, router.operation, router.tries, router.succeeded) == (
        "Create router r-shop",
        "CreateVirtualRouter",
        1,
        True,
    )
    assert router.at == 0.02
    assert router.took is not None
    assert round(router.took, 3) == 0.012
    assert (a.succeeded, a.took is None) == (False, False)
    assert (b.succeeded, b.tries) == (True, 3)
    assert (c.succeeded, c.took) == (False, None)


def test_only_what_succeeded_counts_as_a_call() -> None:
    """A failed step and one that still runs are not among the operations."""
    assert _story().operations() == {"CreateVirtualRouter": 1, "CreateRoute": 1}


def test_local_steps_are_summed_by_what_they_do() -> None:
    """Local activities have a marker each and no times worth showing."""
    assert beside(_story()) == "beside them, in Kubernetes: 2 x Read references, 2 x Write status"


def test_a_step_without_a_summary_goes_by_its_operation() -> None:
    """A history of another release may have none."""
    recorder = Recorder()
    recorder.scheduled("CreateMesh", 0.5)
    recorder.local("core_local_activity", 0.6)
    history = read(recorder.events)
    assert history.steps == (Step("CreateMesh", "CreateMesh", 0.5),)
    assert history.local == {"core_local_activity": 1}


def test_the_table_shows_time_tries_and_failures(golden: Golden) -> None:
    """One line for each App Mesh call: when, what, how long, at which try."""
    golden.check(GOLDEN / "steps.txt", drawn(table(_story())))
