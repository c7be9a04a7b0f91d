"""How long an edit takes until it is Active: the clock starts when the watcher sees it, and stops at the status.

An edit that follows before the one before it was done starts the clock again: the newest counts. What was already
waiting when the watcher started is not timed, as nobody knows since when. No I/O; time is an argument.
"""

from dataclasses import dataclass, field

from watcher.index import Name
from watcher.mapping import is_settled
from workflows.messages import Snapshot


@dataclass
class Progress:
    """The edits that are under way."""

    _since: dict[Name, tuple[str, int, float]] = field(default_factory=dict)

    def sighted(self, old: Snapshot | None, new: Snapshot, now: float) -> float | None:
        """Take a sighting; how many seconds its edit took, when this is the one that says Active."""
        name = Name.of(new)
        if new.deleting:
            self.lost(name)
        elif is_settled(new):
            begun = self._since.pop(name, None)
            return now - begun[2] if begun is not None and begun[0] == new.key.uid else None
        elif old is None or (old.key.uid, old.generation) != (new.key.uid, new.generation):
            self._since[name] = (new.key.uid, new.generation, now)
        return None

    def lost(self, name: Name) -> None:
        """A resource is gone, or going."""
        self._since.pop(name, None)

    def __len__(self) -> int:
        return len(self._since)
