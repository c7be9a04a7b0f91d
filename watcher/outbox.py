"""An outbox: news waits here until Temporal has taken it.

One slot per receiver. News that still waits is joined with what comes after it, so a dead Temporal costs memory for
each receiver, not for each piece of news. Per receiver one message is under way at a time, so they arrive in order.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

from watcher.metrics import DELIVERY_FAILURES
from watcher.patience import retry_delay

log = structlog.get_logger(__name__)

Receiver = TypeVar("Receiver")
News = TypeVar("News")


class Outbox(Generic[Receiver, News]):
    """Pending news by receiver, and the senders that empty it."""

    def __init__(
        self,
        deliver: Callable[[Receiver, News], Awaitable[None]],
        join: Callable[[News, News], News],
        senders: int,
        is_ready: Callable[[Receiver], bool] = lambda _receiver: True,
        describe: Callable[[Receiver, News], dict[str, object]] = lambda receiver, _news: {"about": str(receiver)},
    ) -> None:
        """Make an empty one.

        Args:
            deliver: sends a message; whatever it raises, the news is kept and sent again.
            join: of older and newer news for one receiver.
            senders: how many messages may be under way at once.
            is_ready: whether a receiver may be told already; `wake` when that turns.
            describe: what a line of the log says of a message.
        """
        self._deliver = deliver
        self._join = join
        self._senders = senders
        self._is_ready = is_ready
        self._describe = describe
        self._pending: dict[Receiver, News] = {}
        self._under_way: set[Receiver] = set()
        self._work = asyncio.Event()
        self._failures = 0
        self.delivered = 0
        """How many messages Temporal has taken."""

    def put(self, receiver: Receiver, news: News) -> None:
        """Queue news for a receiver."""
        older = self._pending.get(receiver)
        self._pending[receiver] = news if older is None else self._join(older, news)
        self.wake()

    def wake(self) -> None:
        """Look again whether there is something to send."""
        self._work.set()

    @property
    def waiting(self) -> int:
        """How many messages Temporal has not taken yet."""
        return len(self._pending) + len(self._under_way)

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as senders:
            for _ in range(self._senders):
                senders.create_task(self._send_for_ever())

    async def _send_for_ever(self) -> None:
        while True:
            receiver = self._next()
            if receiver is None:
                self._work.clear()
                await self._work.wait()
                continue
            await self._send(receiver)

    def _next(self) -> Receiver | None:
        idle = (receiver for receiver in self._pending if receiver not in self._under_way)
        return next(filter(self._is_ready, idle), None)

    async def _send(self, receiver: Receiver) -> None:
        news = self._pending.pop(receiver)
        self._under_way.add(receiver)
        try:
            await self._deliver(receiver, news)
            self._failures = 0
            self.delivered += 1
        except Exception as error:  # any refusal: the news must not be lost, whatever the reason
            delay = retry_delay(self._failures)
            self._failures += 1
            DELIVERY_FAILURES.inc()
            facts = self._describe(receiver, news)
            log.warning("Temporal did not take the news", error=str(error)[:200], retry_in=delay, **facts)
            newer = self._pending.get(receiver)
            self._pending[receiver] = news if newer is None else self._join(news, newer)
            await asyncio.sleep(delay)
        finally:
            self._under_way.discard(receiver)
            self.wake()
