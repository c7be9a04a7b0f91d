"""Where the watcher's news go in tests: a Temporal that remembers, and refuses or hesitates when told to."""

import asyncio
from collections import deque

from watcher.index import Name
from watcher.poke import Absence
from workflows.messages import Change


class Refused(Exception):
    """Temporal did not take it."""


class FakeWorkflows:
    """`Workflows` in memory. `taken` is what arrived, in order."""

    def __init__(self) -> None:
        self.taken: list[Change | Absence] = []
        self.refusals: deque[bool] = deque()
        """For each coming message, whether it is refused; when used up, all are taken."""
        self.open = asyncio.Event()
        """Messages wait until it is set."""
        self.open.set()
        self.entered = 0
        self.asked = asyncio.Event()
        """Set when the running ones have been named."""
        self.known: frozenset[Name] = frozenset()
        self.overtaken: set[Name] = set()
        """Resources of which two messages were under way at once."""
        self._busy: set[Name] = set()

    async def tell(self, change: Change) -> None:
        """Take a change."""
        await self._take(Name.of(change.snapshot), change)

    async def tell_gone(self, absence: Absence) -> None:
        """Take an absence."""
        await self._take(absence.name, absence)

    async def running(self) -> frozenset[Name]:
        """The workflows that run."""
        if self.refusals and self.refusals.popleft():
            raise Refused("not now")
        self.asked.set()
        return self.known

    async def _take(self, name: Name, news: Change | Absence) -> None:
        if name in self._busy:  # not an assertion: the outbox would take that for a refusal
            self.overtaken.add(name)
        self._busy.add(name)
        self.entered += 1
        try:
            await self.open.wait()
            if self.refusals and self.refusals.popleft():
                raise Refused("not now")
            self.taken.append(news)
        finally:
            self._busy.discard(name)

    def told(self) -> list[str]:
        """What arrived, in short: `mesh/shop`, `mesh/shop poked`, `mesh/shop gone`."""
        return [short(news) for news in self.taken]


def short(news: Change | Absence) -> str:
    """One message in a few words."""
    name = Name.of(news.snapshot) if isinstance(news, Change) else news.name
    suffix = " gone" if isinstance(news, Absence) else " poked" if news.poke else ""
    return f"{name.kind.slug}/{name.name}{suffix}"
