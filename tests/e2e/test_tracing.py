"""Story: who asks for traces gets one of each edit, from watcher to App Mesh API, and log lines that name it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.stack import LocalStack, StackSettings
from tests.cli.otlp import Receiver, Span, receiving
from tests.e2e.cluster import Cluster, clients_of
from tests.e2e.world import World, route
from tests.waiting import until


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, Receiver, Path]]:
    """A stack whose processes send their spans to the test."""
    directory = tmp_path_factory.mktemp("traced")
    with receiving() as receiver, pytest.MonkeyPatch.context() as environment:
        environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        environment.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        environment.setenv("MESHWRIGHT_LOG_FORMAT", "json")
        environment.setenv("MESHWRIGHT_LOG_LEVEL", "debug")
        with LocalStack(directory, StackSettings(fast=True)) as stack, clients_of(stack) as cluster:
            yield cluster, receiver, directory


def lines(directory: Path, part: str) -> list[dict[str, Any]]:
    """The log of a process; what is no JSON fails the test."""
    written = (directory / "log" / f"{part}.log").read_text().splitlines()
    return [json.loads(line) for line in written if line.strip()]


def way_to(span: Span, receiver: Receiver) -> list[Span]:
    """The span, its parent, and so on, as far as they have arrived."""
    by_id = {each.id: each for each in receiver.of_trace(span.trace)}
    path = [span]
    while (parent := by_id.get(path[-1].parent)) is not None:
        path.append(parent)
    return path


def test_an_edit_is_one_trace_and_its_lines_name_it(traced: tuple[Cluster, Receiver, Path]) -> None:
    """Also the edit of a resource whose workflow was begun by another edit, in another trace."""
    cluster, receiver, directory = traced
    world = World("traced")
    cluster.converge(*world.shop(routes=1))
    service = world.service("cart", [route(1, {"cart": 30, "cart-v2": 70})])
    cluster.converge(service)
    resource = f"virtualservice/{world.name}/{world.host('cart')}"

    def updates() -> list[Span]:
        return [
            span
            for span in list(receiver.spans)
            if span.name == "UpdateRoute" and span.service == "meshwright-control-plane"
        ]

    (served,) = until(updates, lambda found: len(found) == 1, "the span of the API")
    path = until(
        lambda: way_to(served, receiver), lambda found: found[-1].parent == "", "the spans from the first to the last"
    )
    assert [span.name for span in path] == [
        "UpdateRoute",
        "app-mesh.UpdateRoute",
        "RunActivity:UpdateRoute",
        "StartActivity:UpdateRoute",
        "SignalWithStartWorkflow:VirtualService",
        f"tell {resource}",
    ]
    assert not [span for span in receiver.of_trace(served.trace) if span.name.endswith("CreateRoute")]

    about = {"resource": resource, "generation": 2, "trace_id": served.trace}
    workflow_id = f"default/{resource}"
    told = [line for line in lines(directory, "watcher") if line["event"] == "told" and about.items() <= line.items()]
    assert told
    assert told[0]["workflow_id"] == workflow_id
    made = [line for line in lines(directory, "worker") if about.items() <= line.items()]
    assert {line["workflow_id"] for line in made} == {workflow_id}
    assert {line["event"] for line in made} == {"call", "reconciled"}
    assert "UpdateRoute" in {line.get("activity") for line in made}
    answered = [line for line in lines(directory, "control-plane") if line.get("trace_id") == served.trace]
    assert [
        (line["operation"], line["mesh_name"], line["route_name"]) for line in answered if "route_name" in line
    ] == [("UpdateRoute", world.name, "r1")]
