"""The whole stack, for real: what people rely on when they type `up`, `down`, `env` and `restart`."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from kubernetes import client, config

from deploy.local import parts, ports
from deploy.local.layout import Layout
from deploy.local.process_identity import ProcessIdentity
from deploy.local.stack import LocalStack, StackSettings
from tests.deploy.conditions import eventually

pytestmark = pytest.mark.e2e

SMALL = StackSettings(parts=("etcd", "temporal"), fast=True)
"""Two parts that are up in a second, for tests that are about the supervisor."""

ROOT = Path(__file__).parents[2]


@pytest.fixture
def directory() -> Iterator[Path]:
    """A DIR that is certainly down, and gone, afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="meshwright-test-"))
    yield directory
    LocalStack(directory).stop()
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """The whole stack, up, for tests that leave it so."""
    directory = Path(tempfile.mkdtemp(prefix="meshwright-test-"))
    with LocalStack(directory, StackSettings(fast=True)) as stack:
        yield stack
    shutil.rmtree(directory)


def meshwright(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [sys.executable, "-m", "cli.main", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, cwd=ROOT, env={**os.environ, **environment}
    )


def pids(directory: Path) -> dict[str, int]:
    """What the pid files say."""
    return {file.stem: int(file.read_text()) for file in (directory / "run").glob("*.pid")}


def left_over(directory: Path) -> list[str]:
    """Command lines and environments of live processes that mention the directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            if str(directory).encode() in words and int(process.name) != os.getpid():
                found.append(words.decode(errors="replace").replace("\0", " ")[:200])
    return found


def assert_nothing_is_left(directory: Path) -> None:
    """No process, no port, no pid file."""
    assert left_over(directory) == []
    assert pids(directory) == {}
    numbers = json.loads(Layout.at(directory).ports.read_text())
    assert {name for name, number in numbers.items() if not ports.is_free(number)} == set()


def app_mesh(environment: dict[str, str]) -> Any:
    """A plain client of the App Mesh API."""
    return boto3.client(
        "appmesh",
        endpoint_url=environment["AWS_ENDPOINT_URL_APP_MESH"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"max_attempts": 0}),
    )


@contextlib.contextmanager
def kubernetes(environment: dict[str, str]) -> Iterator[client.ApiClient]:
    """A plain client of the cluster."""
    with config.new_client_from_config(environment["KUBECONFIG"], persist_config=False) as connection:
        yield connection


def config_map(name: str) -> client.V1ConfigMap:
    """Something to store."""
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name), data={"kept": "yes"})


def temporal_api(directory: Path, path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask Temporal over its HTTP API."""
    port = json.loads(Layout.at(directory).ports.read_text())["temporal-http"]
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/namespaces/default/{path}")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def test_up_twice_with_the_same_directory_keeps_what_was_stored(directory: Path):
    """etcd, Temporal and the control plane keep theirs, at the same addresses; in between nothing runs."""
    first = meshwright("up", "--detach", "--dir", directory)
    assert first.returncode == 0, first.stderr
    before = LocalStack(directory).environment
    assert set(pids(directory)) == {*parts.ALL, "supervisor"}
    with kubernetes(before) as connection:
        client.CoreV1Api(connection).create_namespaced_config_map("default", config_map("kept"))
    app_mesh(before).create_mesh(meshName="kept")
    start = {"workflowType": {"name": "nobody"}, "taskQueue": {"name": "nobodys"}}
    run = temporal_api(directory, "workflows/kept", start)["runId"]

    down = meshwright("down", "--dir", directory)
    assert (down.returncode, down.stderr) == (0, "")
    assert_nothing_is_left(directory)

    second = meshwright("up", "--detach", "--dir", directory)
    assert second.returncode == 0, second.stderr
    assert LocalStack(directory).environment == before
    with kubernetes(before) as connection:
        assert client.CoreV1Api(connection).read_namespaced_config_map("kept", "default").data == {"kept": "yes"}
    assert app_mesh(before).describe_mesh(meshName="kept")["mesh"]["meshName"] == "kept"
    found = temporal_api(directory, "workflows/kept")["workflowExecutionInfo"]
    assert (found["execution"]["runId"], found["status"]) == (run, "WORKFLOW_EXECUTION_STATUS_RUNNING")

    assert meshwright("down", "--dir", directory).returncode == 0
    assert_nothing_is_left(directory)


def test_every_kind_is_served_as_soon_as_the_stack_is_up(stack: LocalStack):
    """The definitions were applied and established before `up` returned."""
    with kubernetes(stack.environment) as connection:
        listed: list[Any] = [
            client.CustomObjectsApi(connection).list_cluster_custom_object("appmesh.k8s.aws", "v1beta1", plural)
            for plural in ("meshes", "virtualnodes", "virtualservices")
        ]
    assert all("items" in answer for answer in listed)


def test_every_address_of_the_environment_answers(stack: LocalStack):
    """Metrics of the four processes, the Temporal UI, Cloud Map."""
    environment = stack.environment
    metrics = environment["MESHWRIGHT_METRICS"].split(",")
    assert len(metrics) == 4
    for url in (*metrics, environment["MESHWRIGHT_TEMPORAL_UI"]):
        with urllib.request.urlopen(url, timeout=10) as response:
            assert response.status == 200
    cloud_map = boto3.client(
        "servicediscovery",
        endpoint_url=environment["AWS_ENDPOINT_URL_SERVICEDISCOVERY"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    assert cloud_map.list_namespaces()["Namespaces"] == []


def test_app_mesh_refuses_a_key_that_is_not_the_stacks(stack: LocalStack):
    """The random key is needed, so nobody else on the machine can change the mesh."""
    stranger = app_mesh({**stack.environment, "AWS_SECRET_ACCESS_KEY": "wrong"})
    with pytest.raises(stranger.exceptions.ClientError) as refused:
        stranger.list_meshes()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_env_prints_what_a_shell_can_evaluate(stack: LocalStack):
    """`eval "$(meshwright env)"` sets every variable."""
    said = meshwright("env", "--dir", stack.layout.directory)
    assert (said.returncode, said.stdout) == (0, stack.layout.env.read_text())
    assert all(re.fullmatch(r"export [A-Z_]+=\S+", line) for line in said.stdout.splitlines())


def test_up_on_a_stack_that_is_up_says_so(stack: LocalStack):
    """And is content; nothing is started twice."""
    before = pids(stack.layout.directory)
    for arguments in ((), ("--detach",)):
        said = meshwright("up", *arguments, "--dir", stack.layout.directory)
        assert (said.returncode, said.stderr) == (0, "")
        assert said.stdout == f"The stack in {stack.layout.directory} is already up.\n"
    assert pids(stack.layout.directory) == before


@pytest.mark.parametrize("part", parts.ALL)
def test_a_killed_part_comes_back(stack: LocalStack, part: str):
    """With SIGKILL, without anybody's help, at the same address, and the others go on."""
    stack.wait_ready()
    before = pids(stack.layout.directory)
    assert stack.kill(part) == before[part]
    stack.wait_ready(part)
    after = pids(stack.layout.directory)
    assert after.pop(part) != before.pop(part)
    assert after == before
    assert "was killed by SIGKILL" in (stack.status.parts[part].failure or "")


def test_restart_changes_the_pid_of_that_part_only(stack: LocalStack):
    """The command returns when the part answers again."""
    stack.wait_ready()
    before = pids(stack.layout.directory)
    said = meshwright("restart", "control-plane", "--dir", stack.layout.directory)
    assert (said.returncode, said.stderr) == (0, "")
    after = pids(stack.layout.directory)
    assert f"(pid {after['control-plane']})" in said.stdout
    assert after.pop("control-plane") != before.pop("control-plane")
    assert after == before
    assert app_mesh(stack.environment).list_meshes()["meshes"] == []


def test_restart_of_an_unknown_part_names_the_known_ones(stack: LocalStack):
    """And changes nothing."""
    said = meshwright("restart", "apiserver", "--dir", stack.layout.directory)
    assert said.returncode == 2
    assert "no part 'apiserver'; it has etcd, kube-apiserver" in said.stderr


def test_external_parts_are_used_and_not_started(stack: LocalStack, directory: Path):
    """A second stack on the first one's cluster, Temporal and App Mesh starts only what is left."""
    external = ("app-mesh", "kubernetes", "temporal")
    said = meshwright("up", "-d", "--fast", "--dir", directory, "--external", ",".join(external), **stack.environment)
    assert said.returncode == 0, said.stderr
    assert set(pids(directory)) == {"supervisor", "cloudmap", "watcher", "worker"}
    ours, theirs = LocalStack(directory).environment, stack.environment
    for name in ("KUBECONFIG", "TEMPORAL_ADDRESS", "AWS_ENDPOINT_URL_APP_MESH", "AWS_SECRET_ACCESS_KEY"):
        assert ours[name] == theirs[name]
    assert app_mesh(ours).list_meshes()["meshes"] == []
    assert meshwright("down", "--dir", directory).returncode == 0
    assert_nothing_is_left(directory)
    assert stack.is_up


def test_a_killed_supervisor_leaves_nothing_that_down_does_not_end(directory: Path):
    """`kill -9` of the supervisor is no way to lose track of its parts."""
    with LocalStack(directory, SMALL):
        os.kill(pids(directory)["supervisor"], signal.SIGKILL)
        eventually(lambda: not LocalStack(directory).is_up)
        said = meshwright("down", "--dir", directory)
        assert (said.returncode, said.stderr) == (0, "")
        assert_nothing_is_left(directory)


def test_up_after_a_killed_supervisor_starts_afresh_at_the_same_addresses(directory: Path):
    """Whatever it left is ended first, so its ports and databases are free."""
    with LocalStack(directory, SMALL) as first:
        before, addresses = pids(directory), first.environment
        os.kill(before["supervisor"], signal.SIGKILL)
        eventually(lambda: not first.is_up)
        with LocalStack(directory, SMALL) as second:
            assert second.environment == addresses
            assert not set(pids(directory).values()) & set(before.values())
            assert all(ProcessIdentity.of(pid) is None for pid in before.values())
    assert_nothing_is_left(directory)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_up_in_the_foreground_stops_everything_when_interrupted(directory: Path, number: signal.Signals):
    """Ctrl-C, a service manager, a closed terminal: the same clean end."""
    command = [sys.executable, "-m", "cli.main", "up", "--dir", str(directory), "--parts", "etcd,temporal", "--fast"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if "Ctrl-C stops it" in line:
                break
        assert set(pids(directory)) == {"supervisor", "etcd", "temporal"}
        assert pids(directory)["supervisor"] == running.pid
        running.send_signal(number)
        assert running.stdout.read() == "Stopped.\n"
        assert running.wait(30) == 0
    assert_nothing_is_left(directory)


def test_down_stops_a_stack_in_the_foreground_too(directory: Path):
    """From another terminal; the one in front says that it stopped."""
    command = [sys.executable, "-m", "cli.main", "up", "--dir", str(directory), "--parts", "etcd,temporal", "--fast"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if "Ctrl-C stops it" in line:
                break
        assert meshwright("down", "--dir", directory).returncode == 0
        assert running.wait(30) == 0
    assert_nothing_is_left(directory)


def test_a_fixed_port_is_used(directory: Path):
    """As people want for a UI that they have bookmarked."""
    number = ports.assign(directory / "free.json", {})["temporal-ui"]
    said = meshwright("up", "-d", "--dir", directory, "--parts", "temporal", "--ports", f"temporal-ui={number}")
    assert said.returncode == 0, said.stderr
    assert f"http://127.0.0.1:{number}" in said.stdout


def test_a_part_that_cannot_start_ends_up_with_the_reason(directory: Path):
    """Exit code 1, the exit code and the last words of the part; and nothing is left running."""
    broken = directory / "etcd"
    broken.write_text("#!/bin/sh\necho 'etcd: the disk is on fire' >&2\nexit 4\n")
    broken.chmod(0o755)
    said = meshwright("up", "--detach", "--dir", directory, "--parts", "etcd,temporal", MESHWRIGHT_ETCD=str(broken))
    assert said.returncode == 1
    assert "meshwright up: etcd ended with exit code 4" in said.stderr
    assert "the disk is on fire" in said.stderr
    assert_nothing_is_left(directory)


def test_down_where_nothing_runs_is_no_error(directory: Path):
    """Scripts may call it whenever they like."""
    said = meshwright("down", "--dir", directory / "never")
    assert (said.returncode, said.stdout) == (0, f"Nothing runs in {directory / 'never'}.\n")
