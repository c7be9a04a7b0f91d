"""Which process a pid stood for, and signals that never reach another one.

A pid is only a number: after a crash or a reboot it may name somebody else's process. So beside the pid we keep what
the kernel says of that one process, the tick at which it started and the boot it belongs to, and signal it only
while all three still agree.
"""

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class ProcessIdentity:
    """One process of this machine, for ever unmistakable."""

    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity | None":
        """The identity of a live process; None when there is none, or only its zombie."""
        try:
            # The name (field 2) may hold spaces and parentheses, so count from the last one: state is field 3.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        state, started = fields[0], int(fields[19])
        return None if state in "ZX" else cls(pid, started, _BOOT.read_text().strip())

    @classmethod
    def read(cls, path: Path) -> "ProcessIdentity | None":
        """What `write` left; None when the file is absent or was cut short."""
        try:
            pid, started, boot = path.read_text().split()
            return cls(int(pid), int(started), boot)
        except (FileNotFoundError, ValueError):
            return None

    def write(self, path: Path) -> None:
        """Keep the identity in a file."""
        path.write_text(f"{self.pid} {self.started} {self.boot}\n")

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return ProcessIdentity.of(self.pid) == self

    def signal(self, number: int, *, group: bool = False) -> bool:
        """Send a signal to the process, or to the group it leads; False when it is gone."""
        if not self.alive:
            return False
        with contextlib.suppress(ProcessLookupError):
            if group and os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)
        return True

    def wait_gone(self, within: float) -> bool:
        """Wait until the process is gone; False when it is not, in time. For processes that are not our children."""
        deadline = time.monotonic() + within
        while self.alive:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def end(self, within: float) -> None:
        """Ask the process to stop, and kill its whole group if it does not."""
        if self.signal(signal.SIGTERM) and not self.wait_gone(within):
            self.signal(signal.SIGKILL, group=True)
            self.wait_gone(within=5)
