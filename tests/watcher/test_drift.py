"""Following the change feed: what is told to whom, what is remembered, and what breaks."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from activities.objects import ApiKind, ApiObject
from resources.kinds import Kind
from tests import builders
from tests.watcher.answers import Answers
from tests.watcher.conftest import turn_until
from tests.watcher.fake_workflows import FakeWorkflows
from tests.watcher.sightings import index_of, settled
from watcher import drift, patience
from watcher.drift import DriftWatch, NoFeed, Sweeping
from watcher.feed import DENIALS, Forgotten, NotOffered, Page, Unavailable, Written
from watcher.index import Name
from workflows.messages import Change

NODE = ApiObject(kind=ApiKind.VIRTUAL_NODE, mesh="shop", name="cart-prod")
ARN = "arn:aws:appmesh:us-west-2:000000000000:mesh/shop"
EDITED = Written("update", NODE, "aws-cli/1.0")


@pytest.fixture(autouse=True)
def _no_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come at once."""
    monkeypatch.setattr(patience, "RETRY_SECONDS", (0.0,))
    monkeypatch.setattr(drift, "OFFERED_AGAIN_SECONDS", 0.0)


class FakeFeed(Answers[int | str, Page]):
    """A feed that answers what tests put into it, and then waits for ever."""

    async def where_we_were(self) -> Page:
        """See `Feed`."""
        return await self.answer("where we were")

    async def now(self) -> Page:
        """See `Feed`."""
        return await self.answer("now")

    async def after(self, revision: int) -> Page:
        """See `Feed`."""
        return await self.answer(revision)


class FakeLists:
    """App Mesh's lists; `broken` makes the next call fail."""

    def __init__(self) -> None:
        self.objects: dict[ApiObject, int] = {}
        self.asked: list[str] = []
        self.broken = 0

    async def meshes(self) -> dict[ApiObject, int]:
        """See `Lists`."""
        return await self._those(ApiKind.MESH, "meshes")

    async def members(self, mesh: str, routers: Sequence[str]) -> dict[ApiObject, int]:
        """See `Lists`."""
        return await self._those(ApiKind.VIRTUAL_NODE, f"{mesh} {list(routers)}")

    async def _those(self, kind: ApiKind, question: str) -> dict[ApiObject, int]:
        await asyncio.sleep(0)
        self.asked.append(question)
        if self.broken:
            self.broken -= 1
            raise RuntimeError("the API is away")
        return {object: version for object, version in self.objects.items() if object.kind is kind}


class World:
    """A follower at work over one settled mesh and node."""

    def __init__(self, *answers: Page | Exception, sweeps: bool = False) -> None:
        self.feed = FakeFeed(*answers)
        self.workflows = FakeWorkflows()
        self.listed = asyncio.Event()
        node = settled(builders.virtual_node(), status={"versions": {f"{ARN}/virtualNode/cart-prod": 3}})
        self.index = index_of(settled(builders.mesh(), status={"versions": {ARN: 1}}), node)
        self.lists = FakeLists()
        self.lists.objects = {ApiObject.mesh_object("shop"): 1, NODE: 3}
        sweeping = Sweeping(self.lists, 0.0) if sweeps else None
        self.watch = DriftWatch(self.feed, self.index, self.listed, self.workflows, sweeping)

    @property
    def told(self) -> list[Change]:
        """What arrived."""
        return [news for news in self.workflows.taken if isinstance(news, Change)]

    async def asked(self, *questions: int | str) -> None:
        """Wait until the feed was asked these, in this order."""
        await turn_until(lambda: len(self.feed.asked) >= len(questions))
        assert self.feed.asked == list(questions)


@asynccontextmanager
async def following(*answers: Page | Exception, listed: bool = True, sweeps: bool = False) -> AsyncIterator[World]:
    """A follower whose feed gives these answers."""
    world = World(*answers, sweeps=sweeps)
    if listed:
        world.listed.set()
    task = asyncio.create_task(world.watch.run())
    try:
        yield world
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


KNOWN = Page(7, known=True)


async def test_a_write_of_somebody_else_is_told_to_its_owner() -> None:
    """Only to that, with the object, and with who did what as the reason."""
    async with following(KNOWN, Page(8, (EDITED,)), Page(9)) as world:
        await world.asked("where we were", 7, 8, 9)
        assert [(change.snapshot.key.name, change.doubt, change.because) for change in world.told] == [
            ("cart", (NODE,), "update virtual node cart-prod by aws-cli/1.0")
        ]


async def test_nothing_is_asked_before_every_kind_is_listed() -> None:
    """Whose an object is can only be seen against the whole."""
    async with following(KNOWN, listed=False) as world:
        await asyncio.sleep(0)
        await world.asked()
        world.listed.set()
        await world.asked("where we were", 7)


async def test_who_was_never_here_doubts_everything_once() -> None:
    """What happened before nobody can tell."""
    async with following(Page(7, known=False)) as world:
        await world.asked("where we were", 7)
        assert [(change.snapshot.key.name, change.doubt_all) for change in world.told] == [
            ("shop", True),
            ("cart", True),
        ]


async def test_who_was_away_for_too_long_doubts_everything_and_begins_at_the_end() -> None:
    """Not where we were: the feed has just said that it does not reach back to there."""
    async with following(KNOWN, Forgotten("gone"), Page(99), Page(100, (EDITED,))) as world:
        await world.asked("where we were", 7, "now", 99, 100)
        assert [change.doubt_all for change in world.told] == [True, True, False]


async def test_a_page_counts_as_dealt_with_when_temporal_has_taken_it() -> None:
    """The next request says so; until then a successor would be told again."""
    async with following(KNOWN, Page(8, (EDITED,))) as world:
        world.workflows.open.clear()
        await turn_until(lambda: world.workflows.entered)
        assert world.feed.asked == ["where we were", 7]
        world.workflows.refusals.extend([True, True])
        world.workflows.open.set()
        await world.asked("where we were", 7, 8)
        assert len(world.told) == 1


async def test_a_doubt_that_waited_is_told_with_the_resource_as_it_is_now() -> None:
    """Who is gone by now is not told: a workflow that has ended would begin anew, and make it all again."""
    async with following(Page(7, known=False)) as world:
        world.workflows.refusals.extend([True, True])
        world.workflows.open.clear()
        await turn_until(lambda: world.workflows.entered == 2)
        world.index.remove(Name(Kind.VIRTUAL_NODE, "prod", "cart"))
        newest = settled(builders.mesh(), uid="another-life")
        world.index.put(newest)
        world.workflows.open.set()
        await world.asked("where we were", 7)
        assert [(change.snapshot, change.doubt_all) for change in world.told] == [(newest, True)]


@pytest.mark.parametrize("error", [Unavailable("503"), TimeoutError(), ValueError("half an answer")], ids=repr)
async def test_a_connection_that_breaks_costs_nothing(error: Exception) -> None:
    """The follower goes on from where it was, also when it had not yet begun."""
    async with following(error, KNOWN, error, error, Page(8, (EDITED,))) as world:
        await world.asked("where we were", "where we were", 7, 7, 7, 8)
        assert len(world.told) == 1


async def test_an_endpoint_without_a_feed_is_asked_again_now_and_then() -> None:
    """It may be replaced by one that has it."""
    async with following(NotOffered("404"), NotOffered("404"), KNOWN) as world:
        await world.asked("where we were", "where we were", "where we were", 7)
        assert world.told == []


async def test_a_feed_is_not_given_up_for_a_moment_without_it() -> None:
    """An ingress whose backends are being replaced says that there is no such path."""
    denials = [NotOffered("404")] * DENIALS
    async with following(KNOWN, *denials, Page(8, (EDITED,)), *denials, NotOffered("404"), KNOWN) as world:
        follows: list[int | str] = ["where we were", *[7] * (DENIALS + 1)]
        await turn_until(lambda: world.told)
        await world.asked(*follows, *[8] * (DENIALS + 1), "where we were", 7)


async def test_writes_to_what_is_nobodys_are_passed_over() -> None:
    """Gateways, and objects of other clusters."""
    theirs = Written("create", NODE.model_copy(update={"name": "theirs"}), None)
    async with following(KNOWN, Page(9, (theirs, Written("create", None, None)))) as world:
        await world.asked("where we were", 7, 9)
        assert world.told == []


async def test_where_there_is_no_feed_everything_is_listed_instead() -> None:
    """What is listed as it was left is told to nobody; what differs, to its owner."""
    none = NotOffered("404")
    async with following(none, none, none, sweeps=True) as world:
        await turn_until(lambda: world.lists.asked == ["meshes", "shop []"])
        assert world.told == []
        world.lists.objects[NODE] = 4
        await turn_until(lambda: world.told)
        assert {(change.snapshot.key.name, change.doubt) for change in world.told} == {("cart", (NODE,))}


async def test_a_sweep_that_breaks_off_is_made_again_the_next_time() -> None:
    """Whatever the API says."""
    async with following(NotOffered("404"), NotOffered("404"), NotOffered("404"), sweeps=True) as world:
        world.lists.broken, world.lists.objects[NODE] = 2, 4
        await turn_until(lambda: world.told)
        assert world.lists.asked[:2] == ["meshes", "meshes"]


async def test_with_a_feed_nothing_is_listed() -> None:
    """There is no need."""
    async with following(KNOWN, Page(8, (EDITED,)), sweeps=True) as world:
        await world.asked("where we were", 7, 8)
        assert world.lists.asked == []


async def test_a_feed_that_is_off_is_none() -> None:
    """Whatever is asked."""
    feed = NoFeed()
    for question in (feed.where_we_were(), feed.now(), feed.after(1)):
        with pytest.raises(NotOffered):
            await question
