"""One workflow without a server: the SDK's own runtime for workflows, fed the jobs that a server would feed it.

The real class, its real signal handlers and its real commands; messages go through the real data converter. What is
missing is the server: history, retries and timers are the matter of whoever drives it. Because nothing runs by itself,
a walk decides what happens next, down to the moment in which an answer arrives.
"""

import asyncio
from datetime import UTC, datetime
from typing import Any

from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.failure.v1 import Failure as FailureMessage
from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.common import MetricMeter, Priority, TypedSearchAttributes
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DefaultFailureConverter
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowInstance, WorkflowInstanceDetails
from temporalio.workflow import Info, _Definition

CONVERTER = pydantic_data_converter.payload_converter
_FAILURES = DefaultFailureConverter()
_RUNNER = UnsandboxedWorkflowRunner()


class TaskFailed(AssertionError):
    """A workflow raised what it must not: on a server it would hang, its task failing for ever."""


class Execution:
    """One run of a workflow."""

    def __init__(self, workflow: type, id: str, run: int, state: list[Payload], now: float) -> None:
        """Start it; nothing has happened in it until the first call of `go_on`.

        Args:
            workflow: its class.
            id: its id.
            run: which run of that id.
            state: what it is started with.
            now: seconds since the beginning of the walk.
        """
        definition = _Definition.must_from_class(workflow)
        self.id, self.run_id = id, f"{id}/{run}"
        details = WorkflowInstanceDetails(
            payload_converter_factory=lambda: CONVERTER,
            failure_converter_class=DefaultFailureConverter,
            interceptor_classes=[],
            defn=definition,
            info=_info(definition.name or "", id, self.run_id, now),
            randomness_seed=run,
            extern_functions={
                "__temporal_get_metric_meter": lambda: MetricMeter.noop,
                "__temporal_assert_local_activity_valid": lambda _name: None,
            },
            disable_eager_activity_execution=False,
            worker_level_failure_exception_types=[],
            patch_activation_callback=None,
            last_completion_result=Payloads(),
            last_failure=None,
        )
        self._instance = asyncio.run(_created(details))
        self._signals = 0
        self._jobs = [_initialize(definition.name or "", id, state)]

    def signal(self, name: str, message: object) -> None:
        """Put a signal into its next task."""
        job = WorkflowActivationJob()
        self._signals += 1
        job.signal_workflow.originating_event_id = self._signals
        job.signal_workflow.signal_name = name
        job.signal_workflow.input.append(CONVERTER.to_payload(message))
        self._jobs.append(job)

    def answer(self, seq: int, result: object, local: bool) -> None:
        """Put the answer of an activity into its next task; an `ApplicationError` is a failure."""
        job = WorkflowActivationJob()
        job.resolve_activity.seq, job.resolve_activity.is_local = seq, local
        if isinstance(result, ApplicationError):
            failure = job.resolve_activity.result.failed.failure
            _FAILURES.to_failure(result, CONVERTER, failure)
            if not local:
                failure.CopyFrom(_wrapped(failure))
        else:
            job.resolve_activity.result.completed.result.CopyFrom(CONVERTER.to_payload(result))
        self._jobs.append(job)

    def fire(self, seq: int) -> None:
        """Put the end of a timer into its next task."""
        job = WorkflowActivationJob()
        job.fire_timer.seq = seq
        self._jobs.append(job)

    def go_on(self, now: float, long: bool = False) -> list[WorkflowCommand]:
        """Have it take its next task; returns what it wants.

        Args:
            now: seconds since the beginning of the walk.
            long: its history has grown long.

        Raises:
            TaskFailed: it raised something.
        """
        jobs, self._jobs = self._jobs, []
        # A server tells signals of a task before anything else; a new run gets its start first.
        activation = WorkflowActivation(run_id=self.run_id, jobs=jobs, continue_as_new_suggested=long)
        activation.timestamp.FromNanoseconds(int(now * 1e9))
        completion = self._instance.activate(activation)
        if completion.HasField("failed"):
            raise TaskFailed(f"{self.id}: {completion.failed.failure.message}\n{completion.failed.failure.stack_trace}")
        return list(completion.successful.commands)

    def evict(self) -> None:
        """Forget it: its tasks have to end, or they would be ended in the midst of another's."""
        job = WorkflowActivationJob()
        job.remove_from_cache.message = "over"
        self._instance.activate(WorkflowActivation(run_id=self.run_id, jobs=[job]))


async def _created(details: WorkflowInstanceDetails) -> WorkflowInstance:
    """An instance wants a loop around it while it is made; from then on it is one itself."""
    return _RUNNER.create_instance(details)


def _initialize(type: str, id: str, state: list[Payload]) -> WorkflowActivationJob:
    job = WorkflowActivationJob()
    job.initialize_workflow.workflow_type, job.initialize_workflow.workflow_id = type, id
    job.initialize_workflow.arguments.extend(state)
    return job


def _wrapped(cause: FailureMessage) -> FailureMessage:
    """As the server wraps the failure of a regular activity."""
    wrapped = FailureMessage(message="Activity task failed")
    wrapped.activity_failure_info.SetInParent()
    wrapped.cause.CopyFrom(cause)
    return wrapped


def _info(type: str, id: str, run_id: str, now: float) -> Info:
    began = datetime.fromtimestamp(now, UTC)
    known: dict[str, Any] = {
        "attempt": 1,
        "continued_run_id": None,
        "cron_schedule": None,
        "execution_timeout": None,
        "first_execution_run_id": run_id,
        "headers": {},
        "namespace": "walks",
        "original_execution_run_id": run_id,
        "parent": None,
        "root": None,
        "priority": Priority.default,
        "raw_memo": {},
        "retry_policy": None,
        "run_id": run_id,
        "run_timeout": None,
        "search_attributes": {},
        "start_time": began,
        "task_queue": "walks",
        "task_timeout": None,
        "typed_search_attributes": TypedSearchAttributes([]),
        "workflow_id": id,
        "workflow_start_time": began,
        "workflow_type": type,
    }
    return Info(**known)
