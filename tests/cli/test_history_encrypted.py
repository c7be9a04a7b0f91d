"""`meshwright history` of a workflow whose payloads are encrypted: with the key, with another, with none."""

import base64
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.client import WorkflowHistory
from temporalio.exceptions import ApplicationError
from typer.testing import CliRunner

from cli import clients
from cli.converter import converter_for
from cli.main import app
from cli.settings import Settings, SettingsError, load

HISTORY = Path(__file__).parent.parent / "workflows" / "histories" / "0.1.0" / "mesh-edited.json"
RIGHT, WRONG = (f"{id}:{base64.b64encode(id.encode() * 32).decode()}" for id in "rw")


@dataclass
class FakeTemporal:
    """Has one run of one workflow, perhaps with an activity that has not ended."""

    data_converter: Any
    events: list[Any]
    pending: list[Any]

    def get_workflow_handle(self, _id: str, run_id: str | None = None) -> "FakeTemporal":
        """It is all of it."""
        return self

    async def describe(self) -> Any:
        """As much as is asked for."""
        return SimpleNamespace(run_id="run-1", raw_description=SimpleNamespace(pending_activities=self.pending))

    async def list_workflows(self, _query: str) -> Any:
        """Lists lag behind."""
        for none in list[Any]():
            yield none

    async def fetch_history_events(self) -> Any:
        """All of them."""
        for event in self.events:
            yield event


def keys(directory: Path, line: str | None) -> Settings:
    """Settings with a file of this key, or with none."""
    if line is None:
        return load({})
    path = directory / f"keys-{line[0]}"
    path.write_text(line)
    return load({"payload_keys_file": str(path)})


@pytest.fixture(params=["state", "failure"])
async def temporal(request, tmp_path, monkeypatch):
    """A Temporal whose history is encrypted, or the failure of what is under way alone."""
    events = list(WorkflowHistory.from_json("m", HISTORY.read_text()).events)
    writer = converter_for(keys(tmp_path, RIGHT))
    pending = []
    if request.param == "state":
        told = events[0].workflow_execution_started_event_attributes.input.payloads
        assert writer.payload_codec is not None
        told[0].CopyFrom((await writer.payload_codec.encode(told))[0])
    else:
        failure = Failure()
        await writer.encode_failure(ApplicationError("slowly", type="Throttled"), failure)
        pending = [SimpleNamespace(activity_id="99", attempt=2, last_failure=failure)]

    async def connected(settings: Settings) -> FakeTemporal:
        return FakeTemporal(converter_for(settings), events, pending)

    monkeypatch.setattr(clients, "temporal_now", connected)


@pytest.mark.usefixtures("temporal")
@pytest.mark.parametrize(
    ("key", "says"),
    [pytest.param(None, "there is no key here", id="none"), pytest.param(WRONG, "with key 'r', which", id="another")],
)
def test_without_the_key_it_is_told_which_setting_has_it(key, says, tmp_path, monkeypatch):
    """Exit code 2, and no traceback: 1 would say that Temporal knows of no reconcile."""
    use(monkeypatch, keys(tmp_path, key))
    told = CliRunner().invoke(app, ["history", "mesh/shop"]).exception
    assert isinstance(told, SettingsError)  # which `main` ends with 2
    assert "histories are encrypted; set payload_keys_file" in str(told)
    assert says in str(told)


@pytest.mark.usefixtures("temporal")
def test_with_the_key_it_is_read(tmp_path, monkeypatch):
    """As without encryption."""
    use(monkeypatch, keys(tmp_path, RIGHT))
    result = CliRunner(env={"COLUMNS": "250"}).invoke(app, ["history", "mesh/shop"])
    assert (result.exit_code, "CreateMesh" in result.stdout) == (0, True)


def use(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Have the command find the file in the environment."""
    monkeypatch.delenv("MESHWRIGHT_PAYLOAD_KEYS_FILE", raising=False)
    if settings.payload_keys_file is not None:
        monkeypatch.setenv("MESHWRIGHT_PAYLOAD_KEYS_FILE", str(settings.payload_keys_file))
