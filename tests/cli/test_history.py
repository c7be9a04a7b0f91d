"""What a history is said to tell: by histories that were recorded from real workflows."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf.message import Message
from rich.console import Console
from temporalio.api.common.v1 import GrpcStatus
from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure, NotFoundFailure
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode

from cli.history import _runs, calls_in_short, outcome, print_history, table
from cli.reconciles import Call, Pending, Reconcile, reconciles

HISTORIES = Path(__file__).parent.parent / "workflows" / "histories" / "0.1.0"


def events(name, upto=None):
    """The events of a recorded history, all or the first few."""
    return list(WorkflowHistory.from_json(name, (HISTORIES / f"{name}.json").read_text()).events)[:upto]


async def read(name, upto=None, pending=None):
    """Its reconciles."""
    return await reconciles(events(name, upto), pydantic_data_converter, pending)


async def test_each_reconcile_has_its_generation_cause_and_calls():
    """One that waits, one that is refused, one that is fixed by an edit."""
    found = await read("service-waits-is-refused-and-fixed")
    assert [(each.generation, calls_in_short(each)) for each in found] == [
        (1, ""),
        (1, "CreateVirtualRouter, CreateRoute (BadRequest: CreateRoute a: injected)"),
        (2, "CreateRoute, CreateVirtualService"),
    ]
    assert all(each.because for each in found)
    assert [[call.name for call in each.kubernetes] for each in found] == [
        ["ReadReferences", "WriteStatus"],
        ["ReadReferences", "AddFinalizer", "WriteStatus", "RecordEvent"],
        ["ReadReferences", "WriteStatus", "RecordEvent"],
    ]
    assert all(each.ended >= each.began and not each.under_way for each in found)


async def test_a_life_is_told_from_create_to_delete():
    """Edits, a swap and the way out; the last word is that it was removed."""
    found = await read("service-created-edited-swapped-deleted")
    assert [each.generation for each in found] == [1, 2, 3, 3]
    assert calls_in_short(found[1]) == "UpdateRoute"
    assert calls_in_short(found[2]).startswith("CreateVirtualRouter, 3 CreateRoute, UpdateVirtualService")
    assert found[-1].outcome == "Removed"


async def test_retries_are_counted():
    """Attempts beyond the first, of whatever was called."""
    found = await read("service-through-faults")
    assert sum(each.retries for each in found) == 2
    [router] = [call for each in found for call in each.calls if call.name == "CreateVirtualRouter"]
    assert (router.attempts, router.failure) == (3, "")


async def test_what_is_under_way_is_told_with_its_attempts():
    """Those are not in the history yet, but a description has them."""
    scheduled = next(
        number
        for number, event in enumerate(events("service-through-faults"), 1)
        if event.HasField("activity_task_scheduled_event_attributes")
    )
    activity = events("service-through-faults")[scheduled - 1].activity_task_scheduled_event_attributes.activity_id
    [found] = await read("service-through-faults", scheduled, {activity: Pending(5, "Throttled: slowly")})
    assert found.under_way
    assert found.retries == 4
    assert outcome(found) == "under way"
    assert calls_in_short(found) == "CreateVirtualRouter (Throttled: slowly)"


@pytest.mark.parametrize("path", sorted(HISTORIES.glob("[!c]*.json")), ids=lambda path: path.stem)
async def test_every_call_is_in_one_reconcile(path):
    """None is lost, none told twice, and none begins before the one before it."""
    found = await read(path.stem)
    recorded = json.loads(path.read_text())["events"]
    scheduled = [each for each in recorded if each["eventType"] == "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED"]
    assert sum(len(each.calls) for each in found) == len(scheduled)
    assert [each.began for each in found] == sorted(each.began for each in found)


RUN = (
    "run-1",
    [
        Reconcile(1, ["seen"], 0.0, 0.25, [Call("CreateMesh", "Create mesh", 3)], [], "Active"),
        Reconcile(2, ["changed", "poked"], 60.0, 60.5, [Call("CreateRoute", "", 1, "BadRequest: no")] * 2),
    ],
)


def test_the_table_has_a_line_for_each():
    """With what was said where something failed."""
    console = Console(width=200)
    with console.capture() as captured:
        console.print(table(RUN[1]))
    _, first, second = (line.split() for line in captured.get().splitlines())
    assert first == ["1970-01-01T00:00:00", "0.250", "s", "1", "seen", "CreateMesh", "2", "Active"]
    assert " ".join(second[3:]) == "2 changed; poked 2 CreateRoute (BadRequest: no) status as before"


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_programs_get_every_call_and_a_link(form, capsys):
    """The same in both forms."""
    print_history([RUN], lambda run: f"http://ui/{run}", form)
    first, _ = yaml.safe_load(capsys.readouterr().out)
    assert first["link"] == "http://ui/run-1"
    assert first["calls"] == [{"name": "CreateMesh", "summary": "Create mesh", "attempts": 3, "failure": ""}]
    assert (first["began"], first["retries"], first["outcome"]) == ("1970-01-01T00:00:00.000Z", 2, "Active")


class NotFound:
    """A client whose server knows nothing, and says what."""

    def __init__(self, detail: Message) -> None:
        self.status = GrpcStatus(code=RPCStatusCode.NOT_FOUND.value, message="not found")
        self.status.details.add().Pack(detail)

    def get_workflow_handle(self, _id: str) -> "NotFound":
        """Itself."""
        return self

    async def describe(self) -> None:
        """Its answer."""
        raise RPCError("not found", RPCStatusCode.NOT_FOUND, self.status.SerializeToString())


async def test_a_namespace_that_is_not_there_is_no_resource_without_a_history():
    """A setting is wrong then, and nothing is known of the resource."""
    nobody: Any = NotFound(NotFoundFailure())
    assert await _runs(nobody, "id") == []
    nowhere: Any = NotFound(NamespaceNotFoundFailure(namespace="nope"))
    with pytest.raises(RPCError):
        await _runs(nowhere, "id")
