"""`make demo`, as a person runs it: a command with an exit code, words on standard output, and nothing left behind."""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from deploy.local.stack import LocalStack
from tests.waiting import until

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "examples.demo"]
TRUE_OF_ALL = (
    "8 parts answer",
    "before there was a Mesh, 7 of 7 said so and waited (WaitingForMesh: Mesh colors does not exist)",
    "8 of 8 resources are Active",
    "its nodes, services, routes and weights are those of the manifests",
    "one write for each of the 13 objects, and not one read",
    "traffic is split as the weights say: white ",
    "App Mesh has the new weights, and nothing else is different",
    "it took one call",
    "the same callers now get the new split: white ",
    "0 requests failed since the first",
    "its 7 App Mesh calls are 7 steps",
)
TRUE_AT_THE_END = (
    "Kubernetes has no custom resource left",
    "App Mesh has no object left",
    "Temporal has no workflow left that runs",
    "9 processes ran, and none is left",
)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Where the demo makes its directory. No process may know it afterwards, whatever the test found."""
    yield tmp_path
    assert _processes_of(tmp_path) == []


def test_the_demo_tells_the_whole_story_and_leaves_nothing(place: Path) -> None:
    """Every statement is checked and printed, the exit code is 0, and the directory is gone."""
    done = _run(place)
    assert done.returncode == 0, done.stdout
    stated = [line.removeprefix("   ✓ ") for line in done.stdout.splitlines() if line.startswith("   ✓ ")]
    for wanted, found in zip((*TRUE_OF_ALL, *TRUE_AT_THE_END), stated, strict=True):
        assert found.startswith(wanted)
    assert "route white-and-green-by-default  /*                          → white-colors 90 %" in done.stdout
    assert "13 writes, 0 reads" in done.stdout
    assert "white-colors 90 %, green-colors 10 % → white-colors 50 %, green-colors 50 %" in done.stdout
    assert "Create router color-router-colors" in done.stdout
    assert "/namespaces/default/workflows/default%2Fvirtualservice%2Fcolors%2Fcolor." in done.stdout
    assert done.stdout.splitlines()[-1].startswith("All of it is true.")
    assert "\x1b" not in done.stdout
    assert done.stderr == ""
    assert list(place.iterdir()) == []


def test_the_demo_fails_when_a_resource_cannot_become_active(
    place: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With room for one route per router the story is not true: exit code 1, the reason, and the logs are kept."""
    quotas = tmp_path_factory.mktemp("quotas") / "quotas.yaml"
    quotas.write_text("routes_per_virtual_router: 1\n")
    done = _run(place, {"MESHWRIGHT_QUOTAS_FILE": str(quotas)})
    assert done.returncode == 1
    assert "✗  a resource is refused" in done.stdout
    assert "VirtualService color.colors.svc.cluster.local: LimitExceeded:" in done.stdout
    assert "All of it is true" not in done.stdout
    logs = Path(done.stdout.rpartition("logs: ")[2].strip())
    assert logs.parent.parent == place
    assert (logs / "control-plane.log").is_file()


def test_the_demo_fails_when_its_patience_is_over(place: Path) -> None:
    """A worker that may hardly write is not done in time: the demo says what is late, and does not wait for ever."""
    done = _run(place, {"MESHWRIGHT_APP_MESH_WRITES_PER_SECOND": "0.01"}, "--patience", "4")
    assert done.returncode == 1
    assert "✗  after 4 s these are not as they should be" in done.stdout


def test_the_demo_fails_at_once_without_a_program(place: Path) -> None:
    """What cannot start is said in one line."""
    done = _run(place, {"MESHWRIGHT_ETCD": "/nonexistent/etcd"})
    assert done.returncode == 1
    assert "✗  MESHWRIGHT_ETCD is /nonexistent/etcd, which is not a program" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminated"])
def test_an_interrupted_demo_stops_cleanly(place: Path, number: signal.Signals) -> None:
    """In the middle of the story: the stack goes, the directory goes, and the exit code says why."""
    with _running(place) as (demo, output):
        until(output.read_text, lambda text: "WaitingForMesh" in text or "Active" in text, "the story to be under way")
        demo.send_signal(number)
        assert demo.wait(60) == 130
    assert output.read_text().endswith("Interrupted: stopping ...\n")
    assert "Traceback" not in output.read_text()
    assert [path for path in place.iterdir() if path != output] == []


def test_a_kept_demo_is_there_to_explore(place: Path) -> None:
    """With `--keep` the mesh stays, and the commands that are printed work."""
    done = _run(place, {}, "--keep")
    assert done.returncode == 0, done.stdout
    (directory,) = place.glob("meshwright-demo-*")
    stack = LocalStack(directory)
    try:
        for statement in TRUE_OF_ALL:
            assert f"✓ {statement}" in done.stdout
        assert not any(statement in done.stdout for statement in TRUE_AT_THE_END)
        listed = _printed_command(done.stdout, "aws appmesh", stack.environment)
        assert "color.colors.svc.cluster.local" in listed
        _printed_command(done.stdout, "meshwright down", {})
        assert not stack.is_up
    finally:
        stack.stop()


def _run(place: Path, settings: Mapping[str, str] | None = None, *flags: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TMPDIR": str(place), **(settings or {})}
    return subprocess.run([*COMMAND, *flags], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


@contextlib.contextmanager
def _running(place: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    output = place / "output"
    with output.open("wb") as file:
        environment = {**os.environ, "TMPDIR": str(place), "PYTHONUNBUFFERED": "1"}
        demo = subprocess.Popen(COMMAND, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT)
        try:
            yield demo, output
        finally:
            demo.terminate()
            demo.wait(60)


def _printed_command(text: str, words: str, environment: Mapping[str, str]) -> str:
    line = next(line for line in text.splitlines() if words in line and "eval" not in line)
    command = shlex.split(line.replace("stops it", ""))
    command[0] = str(Path(sys.executable).parent / Path(command[0]).name)
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=True
    ).stdout


def _processes_of(place: Path) -> list[str]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = [*process.cmdline(), *process.environ().values()]
            if process.pid != os.getpid() and any(str(place) in word for word in words):
                found.append(f"{process.pid} {process.name()}")
    return found
