"""Network namespaces that a test makes itself. Each is one sleeping process, so that nothing can be left behind.

The process dies with the thread that made it (the kernel sees to it), and with it the namespace, its interfaces and
its rules; nothing is written to where `ip netns` keeps names.
"""

import ctypes
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
_CLONE_NEWNET = 0x40000000
_AS_ROOT = ("--ambient-caps=+dac_override,+dac_read_search", "--inh-caps=+dac_override,+dac_read_search")
"""What a test makes is root's; a process of another user may still read and write it."""


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

    def command(self, *arguments: str, user: int | None = None) -> list[str]:
        """What runs a program inside. The process is the program's own, and dies with the thread that starts it."""
        as_user = () if user is None else (f"--reuid={user}", f"--regid={user}", "--clear-groups", *_AS_ROOT)
        enter = [_found("nsenter"), "--target", str(self.pid), "--net", "--mount"]
        return [*enter, _found("setpriv"), "--pdeathsig", "KILL", *as_user, *arguments]

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

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Have this thread's new sockets be inside."""
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        inside = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY)
        try:
            _set_namespace(inside)
            try:
                yield
            finally:
                _set_namespace(own)
        finally:
            os.close(inside)
            os.close(own)

    def hosts(self, path: Path, addresses: dict[str, str]) -> None:
        """Have names resolve to these addresses inside; `path` is where that is written."""
        path.write_text("".join(f"{address} {name}\n" for name, address in addresses.items()))
        self.run("mount", "--bind", str(path), "/etc/hosts")


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


def _set_namespace(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
