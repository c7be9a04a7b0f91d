"""Wakes those who wait for a change: rung after each write of this process, heard by the readers of the change feed.

A listener clears its event, looks, and then waits: what is committed after the look rings. All of it happens on one
event loop.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(eq=False)
class _Listener:
    deaf_to: str | None
    heard: asyncio.Event = field(default_factory=asyncio.Event)


class Bell:
    """One per application."""

    def __init__(self) -> None:
        self._listeners: set[_Listener] = set()
        self.closed = False
        """The application is shutting down: nobody is to wait any more."""

    @contextmanager
    def listener(self, deaf_to: str | None = None) -> Iterator[asyncio.Event]:
        """An event that is set by each ring inside the block, apart from those for writes of the caller `deaf_to`."""
        listener = _Listener(deaf_to)
        self._listeners.add(listener)
        try:
            yield listener.heard
        finally:
            self._listeners.discard(listener)

    def ring(self, caller: str | None) -> None:
        """Something may have been written by this caller."""
        for listener in self._listeners:
            if caller is None or caller != listener.deaf_to:
                listener.heard.set()

    def close(self) -> None:
        """Wake everybody for good."""
        self.closed = True
        self.ring(None)
