"""Sets the rules in the network namespace in which it runs: by nft where there is one, else by iptables."""

import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from injector.proxy_init import iptables, nftables
from injector.proxy_init.environment import Capture
from injector.proxy_init.families import Family

_IPTABLES = {Family.IPV4: "iptables", Family.IPV6: "ip6tables"}
_PATIENCE = 30.0
_DENIALS = ("not permitted", "Permission denied")


class CaptureFailed(Exception):
    """The rules could not be set; the message has what the tool said."""


@dataclass(frozen=True)
class Step:
    """A program to run, and what it reads."""

    arguments: Sequence[str]
    script: str


def steps(capture: Capture | None, find: Callable[[str], str | None] = shutil.which) -> list[Step]:
    """What sets the rules, each atomic by itself; with no capture, what takes them away.

    Raises:
        CaptureFailed: there is no program for it, or it cannot say what is set already.
    """
    families = [Family.IPV4, Family.IPV6] if has_ipv6() else [Family.IPV4]
    if nft := find("nft"):
        return [Step([nft, "-f", "-"], nftables.script(capture, families))]
    if not find("iptables-restore"):
        raise CaptureFailed("neither nft nor iptables-restore can be found")
    made = []
    for family in families:
        name = _IPTABLES[family]
        saved = _run([f"{name}-save", "-t", "nat"], "")
        restore = [f"{name}-restore", "--noflush", "--wait"]
        made.append(Step(restore, iptables.script(capture, family, saved)))
    return made


def perform(steps: Sequence[Step]) -> None:
    """Do it.

    Raises:
        CaptureFailed: a program says no. What the step before it did stays.
    """
    for step in steps:
        _run(step.arguments, step.script)


def has_ipv6() -> bool:
    """Whether the kernel knows IPv6 at all."""
    return Path("/proc/net/if_inet6").exists()


def _run(arguments: Sequence[str], script: str) -> str:
    program = Path(arguments[0]).name
    try:
        done = subprocess.run(arguments, input=script, capture_output=True, text=True, timeout=_PATIENCE, check=True)
    except FileNotFoundError as error:
        raise CaptureFailed(f"{program} cannot be found") from error
    except subprocess.TimeoutExpired as error:
        raise CaptureFailed(f"{program} did not end within {_PATIENCE:.0f} s") from error
    except subprocess.CalledProcessError as error:
        denied = any(said in error.stderr for said in _DENIALS)
        hint = " (it takes root with the capability NET_ADMIN)" if denied else ""
        raise CaptureFailed(f"{program} failed{hint}: {error.stderr.strip()}") from error
    return done.stdout
