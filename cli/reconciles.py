"""The reconciles in a workflow's history: when, why, of which generation, with which calls, and how each ended.

A history is a list of events, and nothing in it says where a reconcile begins. It begins where the workflow does
something after it was at rest and was woken; or, when news came in the middle of the one before, where it reads what
the resource refers to anew. Nothing is asked: events in, reconciles out; the converter decrypts what is encrypted.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter

from activities import names as activities
from cli.encryption import UnknownKey
from workflows import names
from workflows.messages import Snapshot

TRY_AGAIN = "try again"
"""The summary of the timer that a workflow at rest may hold."""
REMOVED = "Removed"
"""The outcome of the reconcile after which nothing is left of the resource."""
_LOCAL = "core_local_activity"
_WOKEN_BY = {names.GONE: "gone from Kubernetes", names.CLOUD_MAP: "news of its Cloud Map service"}


class UnreadableHistory(Exception):
    """Something in the history is encrypted, and the converter cannot decrypt it."""


@dataclass
class Call:
    """One activity: a call of App Mesh, or beside it of Kubernetes."""

    name: str
    summary: str
    attempts: int = 1
    failure: str = ""
    """What the last attempt that failed said; a call that then succeeded has none."""


@dataclass
class Reconcile:
    """One turn of a resource's workflow."""

    generation: int | None
    because: list[str]
    began: float
    """Seconds since 1970."""
    ended: float
    calls: list[Call] = field(default_factory=list)
    kubernetes: list[Call] = field(default_factory=list)
    outcome: str = ""
    """Reason and message as they were written into the status; empty when that stayed as it was."""
    under_way: bool = False

    @property
    def retries(self) -> int:
        """Attempts beyond the first, of all calls."""
        return sum(call.attempts - 1 for call in (*self.calls, *self.kubernetes))


@dataclass(frozen=True)
class Pending:
    """An activity that has not ended: its attempts are not in the history yet."""

    attempts: int
    failure: str


async def reconciles(
    events: Iterable[HistoryEvent], converter: DataConverter, pending: Mapping[str, Pending] | None = None
) -> list[Reconcile]:
    """Those of one run, oldest first.

    Args:
        events: the history of the run.
        converter: the client's.
        pending: by activity id, what a description of the run tells of activities that have not ended.

    Raises:
        UnreadableHistory: it is encrypted, and the converter has not the key.
    """
    reading = _Reading(converter, pending or {})
    for event in events:
        await reading.take(event)
    for reconcile in reading.found:
        reconcile.under_way = any(reconcile is each for each, _ in reading.open.values())
    return reading.found


class _Reading:
    """What is known after the events so far."""

    def __init__(self, converter: DataConverter, pending: Mapping[str, Pending]) -> None:
        self._converter = converter
        self._pending = pending
        self._snapshot: Snapshot | None = None
        self._because: list[str] = []
        self._current: Reconcile | None = None
        self._woken = self._goes_on = False
        self._timers: set[int] = set()
        self.open: dict[int, tuple[Reconcile, Call]] = {}
        self.found: list[Reconcile] = []

    async def take(self, event: HistoryEvent) -> None:
        """The next event."""
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
                [state] = await self._decoded(event.workflow_execution_started_event_attributes.input.payloads)
                if desired := (state or {}).get("desired"):
                    self._snapshot = Snapshot.model_validate(desired)
                self._woken = True
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
                await self._signalled(event)
            case EventType.EVENT_TYPE_TIMER_STARTED:
                if await self._summary(event) != TRY_AGAIN:
                    self._timers.add(event.event_id)
            case EventType.EVENT_TYPE_TIMER_FIRED:
                self._timer_fired(event.timer_fired_event_attributes.started_event_id)
            case EventType.EVENT_TYPE_TIMER_CANCELED:
                self._timers.discard(event.timer_canceled_event_attributes.started_event_id)
            case EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                if self._woken and not (self._goes_on or self.open or self._timers):
                    self._current = None
                self._woken = self._goes_on = False
            case EventType.EVENT_TYPE_MARKER_RECORDED:
                await self._marked(event)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                await self._scheduled(event)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
                # The marker of the finalizer may be lost: news in that moment has the workflow's last task done again.
                if self._current is not None:
                    self._current.outcome = REMOVED
            case _:
                await self._activity_went_on(event)

    async def _signalled(self, event: HistoryEvent) -> None:
        signal = event.workflow_execution_signaled_event_attributes
        self._woken = True
        because = _WOKEN_BY.get(signal.signal_name, signal.signal_name)
        if signal.signal_name == names.CHANGED:
            [change] = await self._decoded(signal.input.payloads)
            because = change.get("because", "changed")
            sighted = Snapshot.model_validate(change["snapshot"])
            if self._snapshot is None or sighted.supersedes(self._snapshot):
                self._snapshot = sighted
        if because not in self._because:
            self._because.append(because)

    def _timer_fired(self, started: int) -> None:
        if started in self._timers:
            self._timers.discard(started)
            self._goes_on = True
        else:
            self._woken = True
            self._because.append(TRY_AGAIN)

    async def _marked(self, event: HistoryEvent) -> None:
        """A local activity has ended; the marker has its times."""
        marker = event.marker_recorded_event_attributes
        if marker.marker_name != _LOCAL:
            return
        data = json.loads(marker.details["data"].payloads[0].data)
        if data.get("backoff"):
            return  # it is tried again, and ends with a marker of its own
        name, summary = data["activity_type"], await self._summary(event)
        if self._begins_anew(name):
            self._current = None
        reconcile = self._reconcile(_seconds(data["original_schedule_time"]))
        said = await words(marker.failure, self._converter)
        reconcile.kubernetes.append(Call(name, summary, data["attempt"], said))
        reconcile.ended = max(reconcile.ended, _seconds(data["complete_time"]))
        if name == activities.WRITE_STATUS:
            reconcile.outcome = summary.partition(": ")[2]
        elif name == activities.REMOVE_FINALIZER:
            reconcile.outcome = REMOVED

    def _begins_anew(self, local: str) -> bool:
        before = self._current.kubernetes if self._current is not None else []
        if local == activities.READ_RELATIVES:
            return True
        return local == activities.READ_REFERENCES and [call.name for call in before] != [activities.READ_RELATIVES]

    async def _scheduled(self, event: HistoryEvent) -> None:
        activity = event.activity_task_scheduled_event_attributes
        reconcile = self._reconcile(_time(event.event_time))
        known = self._pending.get(activity.activity_id, Pending(1, ""))
        call = Call(activity.activity_type.name, await self._summary(event), known.attempts, known.failure)
        reconcile.calls.append(call)
        self.open[event.event_id] = reconcile, call

    async def _activity_went_on(self, event: HistoryEvent) -> None:
        """An attempt that was the last one began, or has ended."""
        name = event.WhichOneof("attributes") or ""
        attributes = getattr(event, name, None)
        scheduled = getattr(attributes, "scheduled_event_id", 0)
        if attributes is None or scheduled not in self.open:
            return
        reconcile, call = self.open[scheduled]
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            call.attempts = attributes.attempt
            return
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED:
            return
        call.failure = await words(getattr(attributes, "failure", Failure()), self._converter)
        reconcile.ended = _time(event.event_time)
        self._goes_on = True
        del self.open[scheduled]

    def _reconcile(self, at: float) -> Reconcile:
        """The one that is being read; a new one when the one before has ended."""
        if self._current is None:
            generation = self._snapshot.generation if self._snapshot is not None else None
            self._current = Reconcile(generation, self._because, at, at)
            self._because = []
            self.found.append(self._current)
        return self._current

    async def _summary(self, event: HistoryEvent) -> str:
        if not event.user_metadata.HasField("summary"):
            return ""
        [summary] = await self._decoded([event.user_metadata.summary])
        return str(summary)

    async def _decoded(self, payloads: Iterable[Payload]) -> list[Any]:
        return await _decoded(payloads, self._converter)


async def _decoded(payloads: Iterable[Payload], converter: DataConverter) -> list[Any]:
    try:
        return await converter.decode(list(payloads))
    except UnknownKey as error:
        raise UnreadableHistory(str(error)) from error
    except KeyError as error:  # how the SDK says that it has no converter for an encoding
        raise UnreadableHistory(f"there is no key here ({error.args[0]})") from error


async def words(failure: Failure, converter: DataConverter) -> str:
    """What went wrong: our kind of failure where it is one, and the message, which may be encrypted.

    Raises:
        UnreadableHistory: it is, and the converter has not the key.
    """
    kind = failure.application_failure_info.type
    said = await _message(failure, converter)
    if not said and failure.HasField("cause"):
        said = await _message(failure.cause, converter)
    return f"{kind}: {said}" if kind else said


async def _message(failure: Failure, converter: DataConverter) -> str:
    if not failure.HasField("encoded_attributes"):
        return failure.message
    [attributes] = await _decoded([failure.encoded_attributes], converter)
    return str(attributes.get("message", ""))


def _time(stamp: Timestamp) -> float:
    return stamp.seconds + stamp.nanos / 1e9


def _seconds(stamp: Mapping[str, int] | None) -> float:
    return (stamp or {}).get("seconds", 0) + (stamp or {}).get("nanos", 0) / 1e9
