"""What a part of the stack is: plain data that says how to run one program and how to know that it works.

Programs are described in one file each (`etcd.py`, `temporal.py`, ...); `process.py` runs what is described here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from deploy.local.readiness import Probe


@dataclass(frozen=True)
class Part:
    """One program of the stack."""

    name: str
    """Its name in `run/`, `log/` and on the command line."""
    arguments: tuple[str, ...]
    """The command line, program first."""
    ready: Probe
    """Whether it answers."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Its whole environment."""
    needs: tuple[str, ...] = ()
    """Parts that must answer before this one is started."""
    ready_within: float = 120.0
    """Seconds after which a part that does not answer counts as failed."""
    stop_within: float = 10.0
    """Seconds between the polite signal and the one that cannot be refused."""
    settle: Callable[[], None] | None = None
    """Done each time the part comes up, before those that need it may start. Must be safe to repeat; may block."""
