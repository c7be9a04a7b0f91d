"""Traces are off unless the standard variables ask for them, and then nothing of OpenTelemetry is loaded."""

import subprocess
import sys
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cli import tracing
from cli.settings import SettingsError
from cli.spans import Spans
from control_plane.api.endpoint import names_in, trace_id_of

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        pytest.param({}, False, id="nothing-set"),
        pytest.param({"OTEL_SERVICE_NAME": "mesh"}, False, id="no-receiver"),
        pytest.param(ENDPOINT, True, id="receiver"),
        pytest.param({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t/v1/traces"}, True, id="receiver-of-traces"),
        pytest.param(ENDPOINT | {"OTEL_SDK_DISABLED": "true"}, False, id="sdk-disabled"),
        pytest.param(ENDPOINT | {"OTEL_TRACES_EXPORTER": "none"}, False, id="no-exporter"),
    ],
)
def test_a_receiver_turns_traces_on(environment: dict[str, str], wanted: bool) -> None:
    """By OpenTelemetry's own variables."""
    assert tracing.wanted(environment) is wanted


def test_nothing_is_loaded_while_they_are_off() -> None:
    """So that memory does not grow."""
    script = (
        "import sys, cli.serve_worker, cli.serve_watcher, cli.control_plane, cli.logs, cli.tracing;"
        "import control_plane.server;"
        "assert cli.tracing.start('worker', {}) is None;"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"


def test_packages_that_cannot_send_them_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what mends it, and not by a stack trace."""
    monkeypatch.delitem(sys.modules, "cli.spans", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(SettingsError, match=r"cannot be sent.*requirements-last\.txt"):
        tracing.start("worker", ENDPOINT)


def test_a_call_says_in_a_header_which_trace_it_is_of() -> None:
    """W3C's, of the span that the call is."""
    exporter = InMemorySpanExporter()
    spans = Spans("test", exporter)
    client: Any = boto3.client(
        "appmesh",
        endpoint_url="http://127.0.0.1:9",  # nobody is there, which a span tells too
        region_name="us-west-2",
        aws_access_key_id="id",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}),
    )
    spans.watch(client)
    sent: list[str] = []
    client.meta.events.register_last("before-call", lambda params, **_: sent.append(params["headers"]["traceparent"]))
    with pytest.raises(EndpointConnectionError):
        client.list_meshes()
    spans.stop()
    client.close()
    (span,) = exporter.get_finished_spans()
    assert (span.name, span.status.description) == ("app-mesh.ListMeshes", "EndpointConnectionError")
    assert trace_id_of({"traceparent": sent[0]}) == f"{span.context.trace_id:032x}"


def test_an_answer_is_a_span_of_whoever_asked() -> None:
    """The control plane's span has the caller's trace."""
    exporter = InMemorySpanExporter()
    spans = Spans("test", exporter)
    trace_id, parent = "1" * 32, "2" * 16
    spans.answered({"traceparent": f"00-{trace_id}-{parent}-01"}, "CreateMesh", "200", 1_000, 2_000)
    spans.stop()
    (span,) = exporter.get_finished_spans()
    assert span.parent is not None
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (trace_id, parent)
    assert (span.start_time, span.end_time) == (1_000, 2_000)


def test_a_request_is_logged_with_the_names_in_it() -> None:
    """As keys of the log; and a header that is no trace context is none."""
    named = names_in({"meshName": "shop", "routeName": "r1", "spec": {}, "limit": 3})
    assert named == {"mesh_name": "shop", "route_name": "r1"}
    assert trace_id_of({"traceparent": "mine"}) is None
