import socket
import subprocess
from pathlib import Path

import pytest

from deploy.local import session
from deploy.local.errors import LocalStackError, SettingMissing
from deploy.local.layout import Layout
from deploy.local.plan import Plan, StackSettings
from deploy.local.process_identity import ProcessIdentity
from deploy.local.stack import LocalStack
from deploy.local.status import PartState, PartStatus, Phase, StackStatus


def test_the_lock_tells_whether_a_stack_is_up(layout: Layout):
    """It is up exactly while somebody holds the lock; asking changes nothing."""
    assert not session.is_up(layout)
    with session.held(layout.lock):
        assert session.is_up(layout)
        with pytest.raises(session.AlreadyUp), session.held(layout.lock):
            pass
    assert not session.is_up(layout)


def test_leftovers_of_a_killed_supervisor_are_ended(layout: Layout):
    """By their identity; a pid that somebody else has by now is left alone, and all traces go."""
    with (
        subprocess.Popen(["sleep", "1000"], start_new_session=True) as left,
        subprocess.Popen(["sleep", "1000"]) as foreign,
    ):
        identity, stranger = ProcessIdentity.of(left.pid), ProcessIdentity.of(foreign.pid)
        assert identity is not None
        assert stranger is not None
        identity.write(layout.identity("etcd"))
        layout.pid("etcd").write_text(f"{left.pid}\n")
        ProcessIdentity(stranger.pid, stranger.started - 1, stranger.boot).write(layout.identity("worker"))
        layout.restart_request("etcd").touch()
        assert session.clear_leftovers(layout) == 1
        assert not identity.alive
        assert stranger.alive
        assert list(layout.run.iterdir()) == []
        foreign.kill()


def test_a_plan_survives_its_file(tmp_path: Path):
    """What the command found is what the supervisor starts; the environment is inherited, not written."""
    settings = StackSettings(("etcd",), frozenset({"temporal"}), {"etcd": 1}, True, {"SECRET": "x"})
    Plan(settings, {"etcd": Path("/bin/etcd")}).write(tmp_path / "plan")
    read = Plan.read(tmp_path / "plan")
    assert read.binaries == {"etcd": Path("/bin/etcd")}
    assert (read.settings.parts, read.settings.external, read.settings.ports, read.settings.fast) == (
        ("etcd",),
        frozenset({"temporal"}),
        {"etcd": 1},
        True,
    )
    assert "SECRET" not in (tmp_path / "plan").read_text()


def test_a_status_survives_its_file(tmp_path: Path):
    """Readers see what the supervisor saw; without a file there is no status."""
    part = PartStatus(PartState.READY, 12, 2, 0.5, "it died once")
    status = StackStatus(Phase.UP, None, {"etcd": part})
    assert StackStatus.read(tmp_path / "status") is None
    status.write(tmp_path / "status")
    assert StackStatus.read(tmp_path / "status") == status


@pytest.mark.parametrize(
    ("external", "variable", "value", "message"),
    [
        pytest.param("temporal", "TEMPORAL_ADDRESS", "127.0.0.1:1", "TEMPORAL_ADDRESS.*does not answer", id="temporal"),
        pytest.param("temporal", "TEMPORAL_ADDRESS", "nonsense", "TEMPORAL_ADDRESS.*does not answer", id="no-address"),
        pytest.param(
            "app-mesh",
            "AWS_ENDPOINT_URL_APP_MESH",
            "http://127.0.0.1:1/",
            "AWS_ENDPOINT_URL_APP_MESH.*does not answer",
            id="app-mesh",
        ),
        pytest.param("kubernetes", "KUBECONFIG", "/no/such/file", "KUBECONFIG names /no/such/file", id="kubernetes"),
    ],
)
def test_an_external_part_that_does_not_answer_is_told_before_anything_starts(
    layout: Layout, external: str, variable: str, value: str, message: str
):
    """The variable is named, for that is what can be mended."""
    plan = Plan(StackSettings(external=frozenset({external})), {})
    with pytest.raises(LocalStackError, match=message):
        session.prepare(layout, plan, {variable: value})


def test_a_stack_that_cannot_be_prepared_says_why(tmp_path: Path):
    """The reason crosses from the supervisor's process to the caller."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings = StackSettings(parts=("cloudmap",), ports={"cloudmap": server.getsockname()[1]})
        with pytest.raises(LocalStackError, match=r"port \d+, wanted for cloudmap, is in use"):
            LocalStack(tmp_path, settings).start()
    assert not LocalStack(tmp_path).is_up


def test_external_without_its_variable_is_told_by_the_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As the command would: before any program is looked for."""
    monkeypatch.delenv("KUBECONFIG", raising=False)
    with pytest.raises(SettingMissing, match="--external kubernetes needs KUBECONFIG"):
        session.prepare(
            Layout.at(tmp_path), Plan(StackSettings(external=frozenset({"kubernetes"})), {}), {"PATH": "/bin"}
        )
