"""What the supervisor says about the stack, in a file that commands read.

The file is replaced as a whole on each change, so a reader never sees half of one. It is believed only while the
supervisor's lock is held: a killed supervisor cannot say goodbye.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path


class PartState(StrEnum):
    """Where a part stands."""

    WAITING = "waiting"
    """Not started yet: a part that it needs does not answer."""
    STARTING = "starting"
    """Runs, does not answer yet."""
    READY = "ready"
    """Answers."""
    FAILED = "failed"
    """Ended or never answered; started again after a pause."""
    STOPPED = "stopped"
    """Stopped on purpose."""


class Phase(StrEnum):
    """Where the stack stands."""

    STARTING = "starting"
    UP = "up"
    FAILED = "failed"
    STOPPING = "stopping"


@dataclass
class PartStatus:
    """One part."""

    state: PartState = PartState.WAITING
    pid: int | None = None
    starts: int = 0
    """How often it was started since the stack is up."""
    ready_after: float | None = None
    """Seconds from start to the first answer, of the present run."""
    failure: str | None = None
    """How the last run failed, with its last log lines."""


@dataclass
class StackStatus:
    """The whole."""

    phase: Phase = Phase.STARTING
    failure: str | None = None
    parts: dict[str, PartStatus] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Replace the file."""
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self), indent=1))
        os.replace(fresh, path)

    @classmethod
    def read(cls, path: Path) -> "StackStatus | None":
        """What the file says; None when there is none."""
        try:
            content = json.loads(path.read_text())
        except FileNotFoundError:
            return None
        parts = {
            name: PartStatus(**{**part, "state": PartState(part["state"])}) for name, part in content["parts"].items()
        }
        return cls(Phase(content["phase"]), content["failure"], parts)
