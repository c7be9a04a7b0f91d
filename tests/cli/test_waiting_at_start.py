"""Processes that wait for Temporal or Kubernetes at their start: alive meanwhile, and gone when asked to go."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from cli.signals import Stopped, unless
from deploy.local import ports
from tests.waiting import until

PROMPTLY = 10
"""Seconds; Kubernetes kills after thirty."""


def kubeconfig(folder: Path, server: str) -> str:
    """One that leads there."""
    named = {"name": "nowhere"}
    file = folder / "kubeconfig"
    file.write_text(
        yaml.safe_dump(
            {
                "clusters": [{**named, "cluster": {"server": server}}],
                "contexts": [{**named, "context": {"cluster": "nowhere", "user": "nowhere"}}],
                "users": [{**named, "user": {"token": "x"}}],
                "current-context": "nowhere",
            }
        )
    )
    return str(file)


@contextmanager
def started(process: str, folder: Path, others: str) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """The process, and where it tells its health; all others that it needs are at one address."""
    metrics = f"127.0.0.1:{ports.pick(set())}"
    environment = os.environ | {
        "KUBECONFIG": kubeconfig(folder, f"http://{others}"),
        "TEMPORAL_ADDRESS": others,
        "AWS_ENDPOINT_URL_APP_MESH": f"http://{others}",
        "AWS_ACCESS_KEY_ID": "ID",
        "AWS_SECRET_ACCESS_KEY": "SECRET",
        "MESHWRIGHT_METRICS_LISTEN": metrics,
        "MESHWRIGHT_XDS_ADDRESS": others,
        "MESHWRIGHT_INJECTOR_LISTEN": "127.0.0.1:0",
    }
    command = (sys.executable, "-m", "cli.main", process)
    with (folder / "log").open("wb") as log, subprocess.Popen(command, env=environment, stderr=log) as running:
        try:
            yield running, metrics
        finally:
            running.kill()


def health(address: str) -> int | None:
    """What /healthz answers; None while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://{address}/healthz", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


@contextmanager
def nobody() -> Iterator[str]:
    """An address where connections are refused."""
    yield f"127.0.0.1:{ports.pick(set())}"


@contextmanager
def silence() -> Iterator[str]:
    """An address where connections are taken and nothing is said."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("others", [nobody, silence])
@pytest.mark.parametrize("process", ["watcher", "worker", "injector"])
def test_a_process_that_waits_is_alive_and_ends_when_it_is_asked_to(process: str, others, tmp_path: Path):
    """Not ready, and as promptly and with the same exit code as one that works."""
    with others() as address, started(process, tmp_path, address) as (running, metrics):
        until(lambda: health(metrics), lambda status: status == 503, f"{process} to listen")
        running.send_signal(signal.SIGTERM)
        assert running.wait(PROMPTLY) == 0, (tmp_path / "log").read_text()
    assert "stopping" in (tmp_path / "log").read_text()


async def test_what_is_there_is_handed_on_with_its_faults():
    """A process that is not stopped does not notice the other half of its waiting."""

    async def there() -> int:
        return 1

    async def broken() -> int:
        raise ValueError("broken")

    stop = asyncio.Event()
    assert await unless(stop, there()) == 1
    with pytest.raises(ValueError, match="broken"):
        await unless(stop, broken())


async def test_who_is_stopped_waits_no_more():
    """What was waited for is cancelled, and nothing is left over."""
    stop, ended = asyncio.Event(), asyncio.Event()

    async def for_ever() -> None:
        stop.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(Stopped):
        await unless(stop, for_ever())
    assert ended.is_set()
