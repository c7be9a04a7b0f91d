import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local.process_identity import ProcessIdentity


@pytest.fixture
def sleeper():
    """A process of our own that sleeps."""
    process = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def identity_of(process: subprocess.Popen[bytes]) -> ProcessIdentity:
    """The identity of a process that lives."""
    identity = ProcessIdentity.of(process.pid)
    assert identity is not None
    return identity


def test_an_identity_survives_a_file(sleeper: subprocess.Popen[bytes], tmp_path: Path):
    """What was written is what is read."""
    identity = identity_of(sleeper)
    identity.write(tmp_path / "x")
    assert ProcessIdentity.read(tmp_path / "x") == identity
    assert identity.alive


@pytest.mark.parametrize("change", [{"started": 1}, {"boot": "another"}], ids=["recycled-pid", "after-a-reboot"])
def test_a_pid_that_means_another_process_now_is_never_signalled(
    sleeper: subprocess.Popen[bytes], change: dict[str, object]
):
    """Only the pid agrees: that is somebody else, and stays alive."""
    stale = replace(identity_of(sleeper), **change)  # type: ignore[arg-type]
    assert not stale.alive
    assert not stale.signal(signal.SIGKILL)
    stale.end(within=1)
    assert sleeper.poll() is None


def test_a_zombie_does_not_count_as_alive(sleeper: subprocess.Popen[bytes]):
    """A killed child that nobody has waited for holds no port and does no work."""
    identity = identity_of(sleeper)
    assert identity.signal(signal.SIGKILL)
    assert identity.wait_gone(within=5)
    assert sleeper.returncode is None  # not waited for yet


def test_a_process_that_ignores_the_polite_signal_is_killed():
    """`end` ends it, one way or the other."""
    with subprocess.Popen(
        ["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as stubborn:
        assert stubborn.stdout is not None
        stubborn.stdout.readline()
        identity_of(stubborn).end(within=0.1)
        assert stubborn.wait(5) == -signal.SIGKILL


@pytest.mark.parametrize("text", ["", "12", "12 x boot", "1 2 3 4"])
def test_a_damaged_identity_file_names_nobody(tmp_path: Path, text: str):
    """A file that was cut short must not lead to a signal."""
    (tmp_path / "x").write_text(text)
    assert ProcessIdentity.read(tmp_path / "x") is None


def test_no_identity_without_a_process(tmp_path: Path):
    """Neither for a missing file nor for a pid that nobody has."""
    assert ProcessIdentity.read(tmp_path / "none") is None
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert ProcessIdentity.of(gone.pid) is None
    assert ProcessIdentity.of(os.getpid()) is not None
