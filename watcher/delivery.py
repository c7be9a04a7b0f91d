"""The outbox: news waits here until Temporal has taken it.

One slot per resource. Newer news about a resource replaces older news that is still waiting (its workflow only ever
needs the newest), so a dead Temporal costs memory for each resource that changed, not for each change. Per resource
one message is under way at a time, so they arrive in order.
"""

import asyncio
from collections import OrderedDict

import structlog

from watcher.index import Name
from watcher.patience import retry_delay
from watcher.poke import Absence, Workflows
from workflows.messages import Change

log = structlog.get_logger(__name__)

SENDERS = 32


class Outbox:
    """Pending news by resource, and the senders that empty it."""

    def __init__(self, workflows: Workflows) -> None:
        self._workflows = workflows
        self._pending: OrderedDict[Name, Change | Absence] = OrderedDict()
        self._under_way: set[Name] = set()
        self._work = asyncio.Event()
        self._failures = 0
        self.delivered = 0
        """How many messages Temporal has taken."""

    def put(self, news: Change | Absence) -> None:
        """Queue news about a resource."""
        name = Name.of(news.snapshot) if isinstance(news, Change) else news.name
        waiting = self._pending.get(name)
        if isinstance(news, Change) and isinstance(waiting, Change):
            news = _joined(waiting, news)
        self._pending[name] = news
        self._work.set()

    @property
    def waiting(self) -> int:
        """How many resources have news that Temporal has not taken yet."""
        return len(self._pending) + len(self._under_way)

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as senders:
            for _ in range(SENDERS):
                senders.create_task(self._send_for_ever())

    async def _send_for_ever(self) -> None:
        while True:
            name = self._next()
            if name is None:
                self._work.clear()
                await self._work.wait()
                continue
            await self._send(name)

    def _next(self) -> Name | None:
        return next((name for name in self._pending if name not in self._under_way), None)

    async def _send(self, name: Name) -> None:
        news = self._pending.pop(name)
        self._under_way.add(name)
        try:
            if isinstance(news, Change):
                await self._workflows.tell(news)
            else:
                await self._workflows.tell_gone(news)
            self._failures = 0
            self.delivered += 1
        except Exception as error:  # any refusal: the news must not be lost, whatever the reason
            delay = retry_delay(self._failures)
            self._failures += 1
            log.warning("Temporal did not take the news", resource=str(name), error=str(error)[:200], retry_in=delay)
            self._restore(name, news)
            await asyncio.sleep(delay)
        finally:
            self._under_way.discard(name)
            self._work.set()

    def _restore(self, name: Name, news: Change | Absence) -> None:
        """Put undelivered news back, unless something newer came meanwhile."""
        newer = self._pending.get(name)
        if newer is None:
            self._pending[name] = news
        elif isinstance(news, Change) and isinstance(newer, Change):
            self._pending[name] = _joined(news, newer)


def _joined(older: Change, newer: Change) -> Change:
    """One message for two: the newer sighting, a poke if either was one, and the doubts of both."""
    return newer.model_copy(
        update={
            "poke": older.poke or newer.poke,
            "doubt": tuple(dict.fromkeys((*older.doubt, *newer.doubt))),
            "doubt_all": older.doubt_all or newer.doubt_all,
        }
    )
