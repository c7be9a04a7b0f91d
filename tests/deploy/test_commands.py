"""The commands without a stack: what they print, and how they end."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.up import Display
from deploy.local.status import PartState, PartStatus, Phase, StackStatus

RUNNER = CliRunner()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param(["env"], 1, "no stack was started in", id="env-before-up"),
        pytest.param(["restart", "worker"], 1, "no stack is up in", id="restart-before-up"),
        pytest.param(["down"], 0, "Nothing runs in", id="down-before-up"),
        pytest.param(["up", "--parts", "apiserver"], 2, "no part 'apiserver'", id="unknown-part"),
        pytest.param(["up", "--ports", "etcd"], 2, "'etcd' is not NAME=NUMBER", id="port-without-number"),
        pytest.param(["up", "--parts", "cloudmap", "--ports", "x=1"], 2, "there is no port 'x'", id="unknown-port"),
        pytest.param(["up", "-d", "--external", "moon"], 2, "'moon' cannot be external", id="unknown-external"),
        pytest.param(["up", "--external", "temporal"], 2, "needs TEMPORAL_ADDRESS", id="external-without-variable"),
    ],
)
def test_a_wrong_request_ends_with_one_line(tmp_path: Path, arguments: list[str], code: int, message: str):
    """No traceback: what is wrong, and nothing started."""
    result = RUNNER.invoke(app, [*arguments, "--dir", str(tmp_path / "x")], env={"TEMPORAL_ADDRESS": ""})
    assert (result.exit_code, len(result.output.strip().splitlines())) == (code, 1)
    assert message in result.output
    assert not list(tmp_path.glob("x/run/*.pid"))


def test_a_program_that_is_none_is_told_before_anything_starts(tmp_path: Path):
    """The setting is named."""
    env = {"MESHWRIGHT_ETCD": str(tmp_path / "none")}
    result = RUNNER.invoke(app, ["up", "-d", "--parts", "etcd", "--dir", str(tmp_path / "x")], env=env)
    assert result.exit_code == 1
    assert f"MESHWRIGHT_ETCD is {tmp_path / 'none'}, which is not a program" in result.output


def test_the_display_prints_each_change_once(capsys: pytest.CaptureFixture[str]):
    """A line when a part answers, one with the reason when it died, one when all are up."""
    display = Display()
    part = PartStatus(PartState.READY, 12, 1, 0.52)
    display.show(StackStatus(Phase.STARTING, None, {"etcd": part}))
    display.show(StackStatus(Phase.UP, None, {"etcd": part}))
    display.show(StackStatus(Phase.UP, None, {"etcd": part}))
    died = PartStatus(PartState.FAILED, None, 1, None, "etcd was killed by SIGKILL")
    display.show(StackStatus(Phase.UP, None, {"etcd": died}))
    display.show(StackStatus(Phase.UP, None, {"etcd": PartStatus(PartState.READY, 13, 2, 0.4)}))
    assert capsys.readouterr().out.splitlines() == [
        "  etcd            ready after 0.5 s (pid 12)",
        "Up after 0.0 s.",
        "  etcd was killed by SIGKILL",
        "  etcd            is started again",
        "  etcd            ready after 0.4 s (pid 13, start 2)",
    ]
