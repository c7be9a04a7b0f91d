"""What ran on an earlier release goes on on this one: recorded histories replay without a difference."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from cli.spans import Spans
from tests.workflows.conftest import sandboxed
from tests.workflows.record_histories import STORIES, portable, stem
from workflows.cloud_map import CloudMapServiceWorkflow
from workflows.entity import ALL, EntityWorkflow, MeshWorkflow, VirtualNodeWorkflow
from workflows.log_context import LogContext
from workflows.state import EntityState

HISTORIES = sorted((Path(__file__).parent / "histories").rglob("*.json"))


def history(path: Path) -> WorkflowHistory:
    """A recorded history."""
    return WorkflowHistory.from_json(path.stem, path.read_text())


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: f"{path.parent.name}-{path.stem}")
@pytest.mark.parametrize("sandbox", [pytest.param(False, id="as-in-production"), pytest.param(True, id="in-sandbox")])
async def test_a_recorded_history_replays(path, sandbox):
    """The same commands in the same order."""
    runner = sandboxed() if sandbox else UnsandboxedWorkflowRunner()
    workflows = [*ALL, CloudMapServiceWorkflow]
    replayer = Replayer(workflows=workflows, data_converter=pydantic_data_converter, workflow_runner=runner)
    await replayer.replay_workflow(history(path))


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: f"{path.parent.name}-{path.stem}")
async def test_a_recorded_history_replays_with_tracing_on(path):
    """What was begun without traces goes on with them, and makes no span of what has been; so with lines of the log."""
    exporter = InMemorySpanExporter()
    spans = Spans("test", exporter)
    replayer = Replayer(
        workflows=[*ALL, CloudMapServiceWorkflow],
        data_converter=pydantic_data_converter,
        workflow_runner=UnsandboxedWorkflowRunner(),
        interceptors=[LogContext(), spans.interceptor],
    )
    with capture_logs() as lines:
        await replayer.replay_workflow(history(path))
    spans.stop()
    assert exporter.get_finished_spans() == ()
    assert [line for line in lines if line["event"] == "reconciled"] == []


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_recorded_history_names_no_path_of_a_machine(path):
    """Stack traces do; the recorder leaves them out."""
    assert "site-packages" not in path.read_text()
    assert path.read_text() == portable(path.read_text())


def test_the_newest_code_has_a_history_of_every_story():
    """`next/`, or the last release while nothing has changed since; a story that is new is recorded."""
    folders = {path.parent for path in HISTORIES}
    newest = max(folders, key=lambda folder: (folder.name == "next", [*map(int, re.findall(r"\d+", folder.name))]))
    recorded = {path.stem for path in HISTORIES if path.parent == newest}
    missing = [story.__name__ for story in STORIES if stem(story) not in recorded]
    assert missing == [], f"python -m tests.workflows.record_histories {' '.join(missing)}"


def test_every_history_is_of_a_story():
    """A story that has gone, or has another name, could not be recorded again."""
    assert {path.stem for path in HISTORIES} - {stem(story) for story in STORIES} == set()


def test_every_kind_has_a_recorded_history():
    """Otherwise nothing guards it."""
    types = {
        json.loads(path.read_text())["events"][0]["workflowExecutionStartedEventAttributes"]["workflowType"]["name"]
        for path in HISTORIES
    }
    assert types == {"Mesh", "VirtualNode", "VirtualService", "CloudMapService"}


@workflow.defn(name="VirtualService")
class Impatient(EntityWorkflow):
    """A changed workflow: it waits before it does anything."""

    @workflow.run
    async def run(self, state: EntityState) -> None:
        """Wait, then go on as before."""
        await workflow.sleep(timedelta(seconds=1))
        await self.reconcile_until_gone()


async def test_a_workflow_that_does_something_else_does_not_replay():
    """The replay test can fail: a change of the commands is found."""
    path = next(path for path in HISTORIES if path.stem.startswith("service-created"))
    replayer = Replayer(
        workflows=[Impatient, MeshWorkflow, VirtualNodeWorkflow],
        data_converter=pydantic_data_converter,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    with pytest.raises(workflow.NondeterminismError):
        await replayer.replay_workflow(history(path))


def test_steps_are_named_so_that_a_person_understands_them():
    """Each App Mesh call carries a summary, under the operation's own name."""
    path = next(path for path in HISTORIES if path.stem.startswith("service-created"))
    events = json.loads(path.read_text())["events"]
    steps = [event for event in events if "activityTaskScheduledEventAttributes" in event]
    assert steps
    assert all(event["userMetadata"]["summary"] for event in steps)
