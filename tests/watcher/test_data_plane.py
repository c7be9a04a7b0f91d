"""Following how proxies stand: what is asked, and what breaks."""

import asyncio
from collections.abc import Iterable

import pytest

from tests.watcher.answers import Answers
from tests.watcher.conftest import turn_until
from tests.watcher.test_proxies import node, standing
from watcher import data_plane, patience
from watcher.data_plane import DataPlaneWatch
from watcher.feed import DENIALS, NotOffered, Unavailable
from watcher.index import Index
from watcher.proxies import Proxies, Standing
from workflows.messages import Change


class FakeFeed(Answers[str | None, Standing]):
    """Answers what tests put into it, and then waits for ever."""

    async def after(self, version: str | None) -> Standing:
        """See `Feed`."""
        return await self.answer(version)


async def test_each_answer_is_asked_for_after_the_one_before(monkeypatch: pytest.MonkeyPatch):
    """An interruption changes nothing; who no longer tells is asked from the beginning, and nothing is known then."""
    monkeypatch.setattr(patience, "RETRY_SECONDS", (0.0,))
    monkeypatch.setattr(data_plane, "OFFERED_AGAIN_SECONDS", 0.0)
    denial = NotOffered("404")
    feed = FakeFeed(standing(6), Unavailable("503"), standing(7), denial, standing(7), *[denial] * (DENIALS + 1))
    proxies, index, listed = Proxies(), Index(), asyncio.Event()
    index.put(node())
    told: list[Change] = []

    def tell(changes: Iterable[Change]) -> None:
        told.extend(changes)

    task = asyncio.create_task(DataPlaneWatch(feed, proxies, index, listed, tell).run())
    await asyncio.sleep(0)
    assert feed.asked == []
    listed.set()
    six, seven = standing(6).version, standing(7).version
    await turn_until(lambda: len(feed.asked) == 5)
    assert proxies.report(node()) is not None, "an ingress whose backends are being replaced has no such path either"
    await turn_until(lambda: feed.asked[-1] is None and len(feed.asked) > 1)
    assert feed.asked == [None, six, six, seven, seven, *[seven] * (DENIALS + 1), None]
    assert [change.snapshot.key.name for change in told] == ["cart"]
    assert proxies.report(node()) is None
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
