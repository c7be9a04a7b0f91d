"""Temporal's tracing, so that what a workflow does belongs to the trace of the signal that asked for it.

A workflow of ours lives as long as its resource. Left as it is, the SDK's interceptor would count all that it ever does
to the trace of the edit that once started it; here each signal that brings a trace begins a new one for what follows.
Imported when tracing is on, and not otherwise. Spans of workflows are made at once and never on a replay; the headers
that carry them are no part of what a replay compares.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import context
from temporalio.api.common.v1 import Payload
from temporalio.contrib.opentelemetry import TracingInterceptor, TracingWorkflowInboundInterceptor
from temporalio.worker import HandleSignalInput, WorkflowInterceptorClassInput


class EditTracing(TracingInterceptor):
    """For a client, and through it for its workers."""

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[TracingWorkflowInboundInterceptor]:
        """Ours, with what the SDK's needs."""
        super().workflow_interceptor_class(input)
        return _BySignal


class _BySignal(TracingWorkflowInboundInterceptor):
    async def handle_signal(self, input: HandleSignalInput) -> None:
        if (header := input.headers.get(self.header_key)) is not None:
            (self._workflow_context_carrier,) = self.payload_converter.from_payloads([header])
        await super().handle_signal(input)

    def _completed_span(self, span_name: str, **options: Any) -> None:
        with self._newest():
            super()._completed_span(span_name, **options)

    def _context_to_headers(self, headers: Mapping[str, Payload]) -> Mapping[str, Payload]:
        with self._newest():
            return super()._context_to_headers(headers)

    @contextmanager
    def _newest(self) -> Iterator[None]:
        """Inside the block the trace of the newest signal is the current one."""
        carrier = self._load_workflow_context_carrier()
        if not carrier:
            yield
            return
        token = context.attach(self._set_on_context(self.text_map_propagator.extract(carrier)))
        try:
            yield
        finally:
            context.detach(token)
