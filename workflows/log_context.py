"""Which resource, which generation and which trace a line of the log is about, carried from the signal to the calls.

A worker with `LogContext` writes one line for each reconcile and each call. A workflow tells its activities in a header
what they cannot know, its resource's generation and the trace of the signal that it acts on; headers are no part of
what a replay compares. Lines of workflows are written once: not while a history is replayed.
"""

import re
import time  # noqa: TID251 - how long an activity took, outside any workflow
from collections.abc import Mapping
from typing import Any, Final

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    import structlog
    from structlog.contextvars import bound_contextvars
    from temporalio.api.common.v1 import Payload
    from temporalio.converter import PayloadConverter
    from temporalio.exceptions import ApplicationError
    from temporalio.worker import (
        ActivityInboundInterceptor,
        ExecuteActivityInput,
        HandleSignalInput,
        Interceptor,
        StartActivityInput,
        StartLocalActivityInput,
        WorkflowInboundInterceptor,
        WorkflowInterceptorClassInput,
        WorkflowOutboundInterceptor,
    )

log = structlog.get_logger(__name__)

HEADER: Final = "meshwright-log"
TRACE_HEADER: Final = "_tracer-data"
"""Where Temporal's tracing puts the W3C trace context."""
LONGEST_ERROR: Final = 200

_TRACE_PARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def trace_id_in(trace_parent: str) -> str | None:
    """The trace id of a `traceparent` header; None when it is none."""
    found = _TRACE_PARENT.fullmatch(trace_parent)
    return found[1] if found is not None else None


def about(workflow_id: str) -> dict[str, object]:
    """A workflow, and the resource that it is about: `<kind>/<namespace>/<name>` out of its id."""
    return {"workflow_id": workflow_id, "resource": workflow_id.partition("/")[2]}


def reconciled(outcome: str, reason: str | None, calls: int, seconds: float) -> None:
    """One line for a reconcile, from within its workflow."""
    if not workflow.unsafe.is_replaying():
        facts = about(workflow.info().workflow_id) | _known(workflow.instance())
        log.info("reconciled", outcome=outcome, reason=reason, writes=calls, seconds=round(seconds, 3), **facts)


class LogContext(Interceptor):
    """For a worker."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Bind and write lines of activities."""
        return _Activities(next)

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        """Keep what signals bring, and hand it on to activities."""
        return _Workflows


class _Activities(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        facts: dict[str, object] = {"activity": info.activity_type, "attempt": info.attempt}
        if info.workflow_id is not None:
            facts |= about(info.workflow_id)
        facts |= _unpacked(input.headers.get(HEADER)) or {}
        # Of Kubernetes there are several to each reconcile, and all are in the history.
        say = log.debug if info.is_local else log.info
        began = time.perf_counter()
        with bound_contextvars(**facts):
            try:
                result = await super().execute_activity(input)
            except ApplicationError as error:
                took = round((time.perf_counter() - began) * 1000, 1)
                say("call failed", failure=error.type, error=error.message[:LONGEST_ERROR], milliseconds=took)
                raise
            say("call", milliseconds=round((time.perf_counter() - began) * 1000, 1))
        return result


class _Workflows(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Calls(outbound))

    async def handle_signal(self, input: HandleSignalInput) -> None:
        carrier = _unpacked(input.headers.get(TRACE_HEADER)) or {}
        workflow.instance().trace_id = trace_id_in(str(carrier.get("traceparent", "")))
        await super().handle_signal(input)


class _Calls(WorkflowOutboundInterceptor):
    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = _packed(input.headers)
        return super().start_activity(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = _packed(input.headers)
        return super().start_local_activity(input)


def _known(instance: Any) -> dict[str, object]:
    """What an instance knows of itself, without what it does not."""
    known = {"generation": getattr(instance, "generation", None), "trace_id": getattr(instance, "trace_id", None)}
    return {name: value for name, value in known.items() if value is not None}


def _packed(headers: Mapping[str, Payload]) -> Mapping[str, Payload]:
    known = _known(workflow.instance())
    return {**headers, HEADER: PayloadConverter.default.to_payload(known)} if known else headers


def _unpacked(payload: Payload | None) -> dict[str, Any] | None:
    if payload is None:
        return None
    content = PayloadConverter.default.from_payload(payload)
    return content if isinstance(content, dict) else None
