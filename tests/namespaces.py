"""Network namespaces that a test makes itself. Each is one sleeping process, so that nothing can be left behind.

The process dies with the thread that made it (the kernel sees to it), and with it the namespace, its interfaces and
its rules; nothing is written to where `ip netns` keeps names.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.waiting import until

_TOOLS = ("ip", "nft", "nsenter", "setpriv", "unshare")


@cache
def missing() -> str:
    """Why namespaces cannot be made here; empty if they can."""
    if os.geteuid() != 0:
        return "making network namespaces takes root"
    if absent := [tool for tool in _TOOLS if not shutil.which(tool)]:
        return f"not installed: {', '.join(absent)}"
    tried = subprocess.run(
        ["unshare", "--net", "--mount", "nft", "add table ip tried"], capture_output=True, text=True, check=False
    )
    return f"network namespaces cannot be made: {tried.stderr.strip()}" if tried.returncode else ""


def need_namespaces() -> None:
    """Skip the test where namespaces cannot be made."""
    if reason := missing():
        pytest.skip(reason)


class Namespace:
    """A network namespace, with mounts of its own."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    @classmethod
    def machine(cls) -> "Namespace":
        """That in which the tests run."""
        return cls(os.getpid())

    def command(self, *arguments: str) -> list[str]:
        """What runs a program inside. The process is the program's own, and dies with the thread that starts it."""
        enter = [_found("nsenter"), "--target", str(self.pid), "--net", "--mount"]
        return [*enter, _found("setpriv"), "--pdeathsig", "KILL", *arguments]

    def run(self, *arguments: str, script: str = "", environment: dict[str, str] | None = None) -> str:
        """Run a program inside, and return what it printed.

        Raises:
            AssertionError: it failed.
        """
        done = subprocess.run(
            self.command(*arguments), input=script, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout


def path_with(tool: str, directory: Path) -> str:
    """A PATH on which only `nft` is, or only what `iptables` is for us; skips the test where it is not installed."""
    versions = ("", "6")
    needed = ["nft"] if tool == "nft" else [f"ip{each}tables-{do}" for each in versions for do in ("save", "restore")]
    directory.mkdir()
    for each in needed:
        found = shutil.which(each) or pytest.skip(f"not installed: {each}")
        (directory / each).symlink_to(found)
    return str(directory)


@contextmanager
def namespace() -> Iterator[Namespace]:
    """A new namespace that has a loopback interface and no more."""
    sleeper = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "sleep", "infinity"]
    with subprocess.Popen(sleeper) as process:
        try:
            until(lambda: Path(f"/proc/{process.pid}/comm").read_text() == "sleep\n", what="a namespace", every=0.005)
            made = Namespace(process.pid)
            made.run("ip", "link", "set", "lo", "up")
            yield made
        finally:
            process.kill()


def _found(tool: str) -> str:
    """Where it is, whatever PATH the program inside is to have."""
    return shutil.which(tool) or tool
