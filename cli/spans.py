"""Spans of one process: of what it tells Temporal, of what it runs for it, of its calls, and of what it answers.

Imported when traces are asked for, and not otherwise: see `cli.tracing`. The context goes from the watcher to the
worker in Temporal's headers, and from there to the App Mesh API in the W3C header `traceparent`.
"""

import os
from collections.abc import Mapping, MutableMapping
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from watcher.index import Name
from watcher.poke import Absence, Workflows
from workflows import names
from workflows.messages import Change
from workflows.tracing import EditTracing

_SPAN = "meshwright_span"
_FIRST_FAULT = 400


class Spans:
    """All of one process. `exporter` is for tests; otherwise the environment says where spans go."""

    def __init__(self, process: str, exporter: SpanExporter | None = None) -> None:
        named = "OTEL_SERVICE_NAME" in os.environ or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
        attributes: dict[str, str] = {} if named else {"service.name": f"meshwright-{process}"}
        self._provider = TracerProvider(resource=Resource.create(attributes), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("meshwright")
        self._propagator = TraceContextTextMapPropagator()
        self.interceptor = EditTracing(self._tracer)

    def stop(self) -> None:
        """Send what has not been sent."""
        self._provider.shutdown()

    def watch(self, client: Any) -> None:
        """Have each call of a boto3 client be a span, and say in a header which."""
        client.meta.events.register("before-call", self._call_begins)
        client.meta.events.register("after-call", self._call_answered)
        client.meta.events.register("after-call-error", self._call_failed)

    def workflows(self, inner: Workflows, cluster: str) -> Workflows:
        """The same workflows; what is told is a span, the first of its trace."""
        return _TracedWorkflows(inner, self._tracer, cluster)

    def answered(self, headers: Mapping[str, str], operation: str, code: str, began_ns: int, ended_ns: int) -> None:
        """A request that has been answered, as a span of whoever asked."""
        parent = self._propagator.extract({name.lower(): value for name, value in headers.items()})
        span = self._tracer.start_span(
            operation, parent, SpanKind.SERVER, {"rpc.method": operation, "code": code}, start_time=began_ns
        )
        if code == "InternalServerErrorException":
            span.set_status(Status(StatusCode.ERROR, code))
        span.end(ended_ns)

    def _call_begins(self, event_name: str, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        service, operation = event_name.split(".", 2)[1:]
        attributes = {"rpc.system": "aws-api", "rpc.service": service, "rpc.method": operation}
        span = self._tracer.start_span(f"{service}.{operation}", kind=SpanKind.CLIENT, attributes=attributes)
        context[_SPAN] = span
        self._propagator.inject(params["headers"], trace.set_span_in_context(span))

    def _call_answered(self, context: dict[str, Any], parsed: Mapping[str, Any], **_: Any) -> None:
        span = context.pop(_SPAN, None)
        if span is None:
            return
        status = parsed.get("ResponseMetadata", {}).get("HTTPStatusCode", 200)
        span.set_attribute("http.response.status_code", status)
        if status >= _FIRST_FAULT:
            span.set_status(Status(StatusCode.ERROR, parsed.get("Error", {}).get("Code", "")))
        span.end()

    def _call_failed(self, context: dict[str, Any], exception: Exception, **_: Any) -> None:
        span = context.pop(_SPAN, None)
        if span is not None:
            span.set_status(Status(StatusCode.ERROR, type(exception).__name__))
            span.end()


def with_trace_id(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of log lines: which trace a line is of, where there is one and the line does not say so itself."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event.setdefault("trace_id", trace.format_trace_id(span.trace_id))
    return event


class _TracedWorkflows:
    """Workflows, with a span around each message about a resource that is there."""

    def __init__(self, inner: Workflows, tracer: trace.Tracer, cluster: str) -> None:
        self._inner = inner
        self._tracer = tracer
        self._cluster = cluster

    async def tell(self, change: Change) -> None:
        with self._span("tell", Name.of(change.snapshot)) as span:
            span.set_attribute("meshwright.generation", change.snapshot.generation)
            span.set_attribute("meshwright.because", change.because)
            await self._inner.tell(change)

    async def tell_gone(self, absence: Absence) -> None:
        with self._span("tell gone", absence.name):
            await self._inner.tell_gone(absence)

    async def running(self) -> frozenset[Name]:
        return await self._inner.running()

    def _span(self, what: str, name: Name) -> Any:
        id = names.workflow_id(self._cluster, name.kind, name.namespace, name.name)
        attributes = {"meshwright.resource": str(name), "temporalWorkflowID": id}
        return self._tracer.start_as_current_span(f"{what} {name}", attributes=attributes)
