"""The command as a user runs it."""

import pytest
from typer.testing import CliRunner

from cli.main import app

WIDE = {"COLUMNS": "300", "TERMINAL_WIDTH": "300"}


COMMANDS = [
    "worker",
    "watcher",
    "injector",
    "control-plane",
    "up",
    "down",
    "env",
    "restart",
    "bootstrap",
    "proxies",
    "validate",
    "status",
    "plan",
    "reconcile",
    "history",
    "graph",
    "doctor",
    "export",
    "import",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    """`--help` works and has a sentence."""
    result = CliRunner().invoke(app, [command, "--help"], env=WIDE)
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_help_shows_the_default_and_the_variable_of_a_setting():
    """So that nobody has to look into the code."""
    output = CliRunner().invoke(app, ["worker", "--help"], env=WIDE).output
    assert "MESHWRIGHT_TASK_QUEUE" in output
    assert "default: meshwright" in output
    assert "AWS_ENDPOINT_URL_APP_MESH" in output


def test_a_worker_without_an_app_mesh_endpoint_says_what_to_set(tmp_path):
    """Without an endpoint boto3 would call AWS, so it must not start."""
    environment = WIDE | {"AWS_ENDPOINT_URL_APP_MESH": None, "KUBECONFIG": str(tmp_path / "none")}
    result = CliRunner().invoke(app, ["worker"], env=environment)
    assert result.exit_code != 0
    assert "AWS_ENDPOINT_URL_APP_MESH" in str(result.exception)
