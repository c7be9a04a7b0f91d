"""The real watcher without its streams and senders: it is handed what it sees, and its letters are taken out."""

import random
from collections.abc import AsyncIterator, Iterable

from resources.kinds import Kind
from tests.workflows.walks.driving import at_once
from watcher.delivery import ResourceOutbox
from watcher.index import Name
from watcher.poke import Absence
from watcher.stream import Listing, Sighting
from watcher.watcher import Watcher
from workflows.messages import Change


class Letters(ResourceOutbox):
    """News that waits for its resource's workflow."""

    def take(self, chance: random.Random) -> Change | Absence:
        """Any of them."""
        return self._pending.pop(chance.choice(sorted(self._pending, key=str)))

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return bool(self._pending)


class HandedWatcher(Watcher):
    """One that has listed everything and sees what it is handed."""

    def __init__(self, listings: Iterable[Listing], running: frozenset[Name]) -> None:
        super().__init__(_never, _Running(running))
        self.letters = Letters(_Running(running))
        self.outbox = self.letters
        for listing in listings:
            self._take_listing(listing)
        self._begin()
        at_once(self._compare_with_workflows())

    def see(self, sighting: Sighting) -> None:
        """One event of a watch."""
        self._take_sighting(sighting)


class _Running:
    """Temporal, as far as a watcher asks it something."""

    def __init__(self, running: frozenset[Name]) -> None:
        self._names = running

    async def tell(self, change: Change) -> None:
        """Letters are taken out by hand."""

    async def tell_gone(self, absence: Absence) -> None:
        """The same."""

    async def running(self) -> frozenset[Name]:
        """The workflows that there are."""
        return self._names


class _NoStream:
    async def follow(self) -> AsyncIterator[Listing | Sighting]:
        for nothing in list[Listing | Sighting]():
            yield nothing


def _never(kind: Kind) -> _NoStream:
    return _NoStream()
