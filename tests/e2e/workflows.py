"""The Temporal side: which workflows run, and what is in a history."""

import asyncio
import json
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode

from activities import names
from resources.kinds import Kind
from tests.builders import Manifest

CLUSTER = "default"
_BACK_SECONDS = 60  # Temporal is started again long before

T = TypeVar("T")

_APP_MESH_WRITES = ("Create", "Update", "Delete")
_KUBERNETES_WRITES = (names.ADD_FINALIZER, names.REMOVE_FINALIZER, names.WRITE_STATUS, names.RECORD_EVENT)


@dataclass(frozen=True)
class ActivityRun:
    """One activity as a history shows it."""

    name: str
    summary: str
    scheduled: int
    """Number of the event with which it was scheduled."""
    completed: int
    """Number of the event with which it completed; 0 while it has not."""
    argument: Any


class Workflows:
    """The workflows of a stack by DIR/env. Synchronous, so that a test reads from top to bottom."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._loop = asyncio.Runner()
        self._client: Client | None = None

    def close(self) -> None:
        """End the loop that the client lives in."""
        self._client = None
        self._loop.close()

    def is_running(self, manifest: Manifest) -> bool:
        """Whether the resource's workflow runs (asked by id, so the answer is exact)."""
        found = self.describe(manifest)
        return found is not None and found.status is WorkflowExecutionStatus.RUNNING

    def is_idle(self, manifest: Manifest) -> bool:
        """Whether the resource's workflow waits for news: no task of it and no activity is under way."""
        found = self.describe(manifest)
        if found is None:
            return True
        raw = found.raw_description
        return not raw.pending_activities and not raw.HasField("pending_workflow_task")

    def describe(self, manifest: Manifest) -> WorkflowExecutionDescription | None:
        """The newest run of the resource's workflow; None when there never was one."""
        return self._run(self._describe(id_of(manifest)))

    def length(self, manifest: Manifest) -> int:
        """How many events its history has; stays the same exactly as long as nobody told it anything."""
        found = self.describe(manifest)
        return found.history_length if found is not None else 0

    def summary(self, manifest: Manifest) -> str | None:
        """The line that the Temporal UI's list shows."""
        found = self.describe(manifest)
        return self._run(found.static_summary()) if found is not None else None

    def running(self) -> list[str]:
        """Ids of all running workflows; visibility lags behind a little."""
        return self._run(self._running())

    def attempts(self, manifest: Manifest) -> int:
        """How often a call that is pending was tried; 0 when none is."""
        found = self.describe(manifest)
        return max((each.attempt for each in found.raw_description.pending_activities), default=0) if found else 0

    def found_by(self, query: str) -> list[str]:
        """Ids of the workflows that a list filter finds; visibility lags behind a little."""
        return self._run(self._found_by(query))

    def activities(self, manifest: Manifest) -> list[ActivityRun]:
        """The regular activities of the newest run, in the order in which they were scheduled."""
        return self._run(self._activities(id_of(manifest)))

    def effects(self, manifest: Manifest) -> list[str]:
        """Summaries of all that the newest run has changed anywhere, in the order in which it was done."""
        return self._run(self._effects(id_of(manifest)))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run(work)

    async def _connected(self) -> Client:
        """A client; where Temporal was killed just now, once it is back: calls wait for that by themselves."""
        async with asyncio.timeout(_BACK_SECONDS):
            while self._client is None:
                try:
                    self._client = await Client.connect(
                        self._environment["TEMPORAL_ADDRESS"],
                        namespace=self._environment["TEMPORAL_NAMESPACE"],
                        data_converter=pydantic_data_converter,
                    )
                except RuntimeError:
                    await asyncio.sleep(0.1)
        return self._client

    async def _handle(self, id: str) -> WorkflowHandle[Any, Any]:
        return (await self._connected()).get_workflow_handle(id)

    async def _describe(self, id: str) -> WorkflowExecutionDescription | None:
        try:
            return await (await self._handle(id)).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise

    async def _running(self) -> list[str]:
        return await self._found_by("ExecutionStatus = 'Running'")

    async def _found_by(self, query: str) -> list[str]:
        return [found.id async for found in (await self._connected()).list_workflows(query)]

    async def _activities(self, id: str) -> list[ActivityRun]:
        handle = await self._handle(id)
        converter = (await self._connected()).data_converter
        events = [event async for event in handle.fetch_history_events()]
        completed = {
            event.activity_task_completed_event_attributes.scheduled_event_id: event.event_id
            for event in events
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED
        }
        found = []
        for event in events:
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                attributes = event.activity_task_scheduled_event_attributes
                (summary,) = await converter.decode([event.user_metadata.summary])
                (argument,) = await converter.decode(list(attributes.input.payloads))
                done = completed.get(event.event_id, 0)
                found.append(ActivityRun(attributes.activity_type.name, summary, event.event_id, done, argument))
        return found

    async def _effects(self, id: str) -> list[str]:
        handle = await self._handle(id)
        converter = (await self._connected()).data_converter
        scheduled, found = {}, []
        async for event in handle.fetch_history_events():
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                scheduled[event.event_id] = event
            elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                begun = scheduled[event.activity_task_completed_event_attributes.scheduled_event_id]
                (summary,) = await converter.decode([begun.user_metadata.summary])
                if begun.activity_task_scheduled_event_attributes.activity_type.name.startswith(_APP_MESH_WRITES):
                    found.append(summary)
            elif event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
                data = event.marker_recorded_event_attributes.details["data"].payloads[0].data
                if (name := json.loads(data)["activity_type"]) in _KUBERNETES_WRITES:
                    found.append(name)
        return found


def id_of(manifest: Manifest) -> str:
    """The id of the resource's workflow, written out here on purpose: people and scripts rely on it."""
    kind = Kind(manifest["kind"])
    namespace = manifest["metadata"].get("namespace") if kind.namespaced else None
    return f"{CLUSTER}/{kind.slug}/{namespace or '-'}/{manifest['metadata']['name']}"
