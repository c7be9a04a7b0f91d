"""The one place that knows of ports: which there are, and which numbers they have.

A port is, in this order: the one that was asked for; the one that DIR had before, if it is still free; a free one.
So addresses stay the same over `down` and `up`, and two stacks never get in each other's way. Free ports are taken
from below the range that the kernel hands out to clients: else, while a part is being restarted, somebody's outgoing
connection could sit on its port.
"""

import contextlib
import json
import random
import socket
from collections.abc import Collection, Mapping
from pathlib import Path

from deploy.local.errors import PortTaken, SettingMissing

HOST = "127.0.0.1"
"""Everything listens on the loopback address only."""

NAMES = (
    "etcd",
    "etcd-peer",
    "etcd-metrics",
    "kube-apiserver",
    "temporal",
    "temporal-ui",
    "temporal-http",
    "temporal-metrics",
    "control-plane",
    "xds",
    "cloudmap",
    "watcher-metrics",
    "worker-metrics",
    "injector",
    "injector-metrics",
)
"""Every port of the stack."""

_CLIENT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 10240


def assign(remembered: Path, wanted: Mapping[str, int]) -> dict[str, int]:
    """A number for each port, written back to the file that remembers them.

    Raises:
        PortTaken: a port in `wanted` is in use.
        SettingMissing: `wanted` names a port that does not exist, or gives one number to two.
    """
    require_distinct(wanted)
    for name, number in wanted.items():
        if not is_free(number):
            raise PortTaken(f"port {number}, wanted for {name}, is in use")
    before = _read(remembered)
    assigned = dict(wanted)
    for name in NAMES:
        if name in assigned:
            continue
        kept = before.get(name)
        if kept is not None and kept not in assigned.values() and is_free(kept):
            assigned[name] = kept
        else:
            assigned[name] = pick(taken={*assigned.values(), *before.values()})
    remembered.write_text(json.dumps(assigned, indent=2) + "\n")
    return assigned


def require_distinct(wanted: Mapping[str, int]) -> None:
    """Raise unless each is the name of a port, and has a number of its own.

    Raises:
        SettingMissing: there is no port of that name, or two have one number.
    """
    if unknown := sorted(set(wanted) - set(NAMES)):
        raise SettingMissing(f"there is no port {unknown[0]!r}; the ports are {', '.join(NAMES)}")
    owners: dict[int, str] = {}
    for name, number in wanted.items():
        if (first := owners.setdefault(number, name)) != name:
            raise SettingMissing(f"port {number} cannot be both {first} and {name}")


def is_free(number: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind((HOST, number))
            return True
    return False


def pick(taken: Collection[int] = ()) -> int:
    """A free port that is none of those taken, and none that the kernel would hand out to a client."""
    below = int(_CLIENT_RANGE.read_text().split()[0]) if _CLIENT_RANGE.exists() else 32768
    if below - _LOWEST < 1000:  # an unusual kernel setting leaves no room below: any high port will do
        below = 65536
    while True:
        number = random.randrange(_LOWEST, below)
        if number not in taken and is_free(number):
            return number


def _read(remembered: Path) -> dict[str, int]:
    try:
        content = json.loads(remembered.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {name: content[name] for name in NAMES if content.get(name) in range(1, 65536)}
