"""One workflow's steps, from its history in Temporal: what was done, when, how long it took, and at which try.

App Mesh calls are regular activities: each has its own events. Kubernetes reads and writes are local activities: the
worker runs them within a workflow task and leaves one marker each, whose summary says what it was.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rich.table import Table
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import default as default_converter

_ENDINGS = {
    EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: "activity_task_completed_event_attributes",
    EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED: "activity_task_failed_event_attributes",
    EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: "activity_task_timed_out_event_attributes",
    EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED: "activity_task_canceled_event_attributes",
}


@dataclass(frozen=True)
class Step:
    """One App Mesh call as its workflow remembers it."""

    summary: str
    operation: str
    at: float
    """Seconds since the workflow began."""
    took: float | None = None
    """Seconds from being handed to a worker to the answer; None while it runs."""
    tries: int = 1
    succeeded: bool = False


@dataclass(frozen=True)
class History:
    """What a workflow did."""

    steps: tuple[Step, ...]
    local: Mapping[str, int]
    """Summary of a local step to how often it was done."""

    def operations(self) -> Counter[str]:
        """How often each operation succeeded."""
        return Counter(step.operation for step in self.steps if step.succeeded)


def read(events: Iterable[HistoryEvent]) -> History:
    """The steps in the order in which they were begun."""
    events = list(events)
    began = events[0].event_time.ToNanoseconds()

    def since_began(event: HistoryEvent) -> float:
        return (event.event_time.ToNanoseconds() - began) / 1e9

    steps: dict[int, Step] = {}
    started: dict[int, float] = {}
    local: Counter[str] = Counter()
    for event in events:
        kind = event.event_type
        if kind == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            operation = event.activity_task_scheduled_event_attributes.activity_type.name
            steps[event.event_id] = Step(_summary(event) or operation, operation, since_began(event))
        elif kind == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            start = event.activity_task_started_event_attributes
            started[start.scheduled_event_id] = since_began(event)
            steps[start.scheduled_event_id] = _changed(steps[start.scheduled_event_id], tries=start.attempt)
        elif kind in _ENDINGS:
            id = getattr(event, _ENDINGS[kind]).scheduled_event_id
            steps[id] = _changed(
                steps[id],
                took=since_began(event) - started.get(id, since_began(event)),
                succeeded=kind == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
            )
        elif kind == EventType.EVENT_TYPE_MARKER_RECORDED:
            what = _summary(event).partition(":")[0]
            local[what or event.marker_recorded_event_attributes.marker_name] += 1
    return History(tuple(steps.values()), dict(local))


def table(history: History) -> Table:
    """The App Mesh calls, one line each."""
    rows = Table(box=None, padding=(0, 3, 0, 0), pad_edge=False, header_style="dim")
    rows.add_column("at", justify="right", no_wrap=True)
    rows.add_column("step", no_wrap=True)
    rows.add_column("took", justify="right", no_wrap=True)
    rows.add_column("tries", justify="right", no_wrap=True)
    for step in history.steps:
        rows.add_row(f"{step.at:.2f} s", step.summary, _took(step), str(step.tries))
    return rows


def beside(history: History) -> str:
    """The local steps, summed: `beside them, in Kubernetes: 5 x Read references, 4 x Write status ...`."""
    done = ", ".join(f"{count} x {summary}" for summary, count in history.local.items())
    return f"beside them, in Kubernetes: {done}"


def _took(step: Step) -> str:
    if step.took is None:
        return "still runs"
    return f"{1000 * step.took:.0f} ms" if step.succeeded else "failed"


def _changed(step: Step, **changes: Any) -> Step:
    return replace(step, **changes)


def _summary(event: HistoryEvent) -> str:
    payload: Payload = event.user_metadata.summary
    if not payload.metadata:
        return ""
    return str(default_converter().payload_converter.from_payload(payload, str))
