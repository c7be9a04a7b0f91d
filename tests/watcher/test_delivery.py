"""The outbox: what Temporal has not taken yet."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.objects import ApiKind, ApiObject
from resources.kinds import Kind
from tests import builders
from tests.watcher.conftest import Delays, Eventually, turn_until
from tests.watcher.fake_workflows import FakeWorkflows
from tests.watcher.sightings import sighting
from watcher import patience
from watcher.delivery import ResourceOutbox
from watcher.index import Name
from watcher.poke import Absence
from workflows.messages import Change, DataPlaneReport, Gone


def change(name: str = "shop", generation: int = 1, *, poke: bool = False) -> Change:
    """News about a Mesh."""
    return Change(snapshot=sighting(builders.mesh(name), generation=generation), because="test", poke=poke)


def absence(name: str = "shop") -> Absence:
    """News that a Mesh is gone."""
    return Absence(Name(Kind.MESH, None, name), Gone(uid="uid-1"))


@asynccontextmanager
async def sending(outbox: ResourceOutbox) -> AsyncIterator[None]:
    """The outbox at work."""
    running = asyncio.create_task(outbox.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def generations(workflows: FakeWorkflows) -> list[int]:
    """The generations that arrived."""
    return [news.snapshot.generation for news in workflows.taken if isinstance(news, Change)]


async def test_news_arrive(eventually: Eventually) -> None:
    """Of each resource, in the order in which they were put."""
    workflows = FakeWorkflows()
    outbox = ResourceOutbox(workflows)
    async with sending(outbox):
        for news in (change("a"), change("b", poke=True), absence("c")):
            outbox.tell(news)
        await eventually(lambda: not outbox.waiting)
    assert workflows.told() == ["mesh/a", "mesh/b poked", "mesh/c gone"]
    assert outbox.delivered == 3


async def test_news_that_wait_are_replaced_by_newer_ones(eventually: Eventually) -> None:
    """A workflow only ever needs the newest sighting, so a dead Temporal costs one slot for each resource."""
    workflows = FakeWorkflows()
    outbox = ResourceOutbox(workflows)
    for generation in range(1, 50):
        outbox.tell(change(generation=generation))
    assert outbox.waiting == 1
    async with sending(outbox):
        await eventually(lambda: not outbox.waiting)
    assert generations(workflows) == [49]


async def test_joined_news_have_the_doubts_of_both(eventually: Eventually) -> None:
    """What was to be looked at has to be looked at, whatever comes after."""
    workflows = FakeWorkflows()
    outbox = ResourceOutbox(workflows)
    mesh, node = ApiObject.mesh_object("shop"), ApiObject(kind=ApiKind.VIRTUAL_NODE, mesh="shop", name="a")
    for update in ({"doubt": (mesh, node)}, {"doubt_all": True}, {"doubt": (node,)}, {}):
        outbox.tell(change().model_copy(update=update))
    async with sending(outbox):
        await eventually(lambda: not outbox.waiting)
    (told,) = workflows.taken
    assert isinstance(told, Change)
    assert (told.doubt, told.doubt_all) == ((mesh, node), True)


@pytest.mark.parametrize("pokes", [(True, False), (False, True)], ids=["older", "newer"])
async def test_joined_news_are_a_poke_if_either_was(eventually: Eventually, pokes: tuple[bool, bool]) -> None:
    """A poke must not be lost in a change, nor the change in a poke."""
    workflows = FakeWorkflows()
    outbox = ResourceOutbox(workflows)
    for generation, poke in enumerate(pokes, start=1):
        outbox.tell(change(generation=generation, poke=poke))
    async with sending(outbox):
        await eventually(lambda: not outbox.waiting)
    assert (workflows.told(), generations(workflows)) == (["mesh/shop poked"], [2])


@pytest.mark.parametrize(
    ("first", "second", "arrives"),
    [
        pytest.param(change(), absence(), ["mesh/shop gone"], id="gone-replaces-change"),
        pytest.param(absence(), change(generation=2), ["mesh/shop"], id="next-life-replaces-gone"),
    ],
)
async def test_the_last_word_about_a_resource_is_what_arrives(
    eventually: Eventually, first: Change | Absence, second: Change | Absence, arrives: list[str]
) -> None:
    """Whether it is gone or here again."""
    workflows = FakeWorkflows()
    outbox = ResourceOutbox(workflows)
    outbox.tell(first)
    outbox.tell(second)
    async with sending(outbox):
        await eventually(lambda: not outbox.waiting)
    assert workflows.told() == arrives


async def test_one_message_per_resource_is_under_way(eventually: Eventually) -> None:
    """What comes while one is being sent waits for it, so they arrive in order; others are not held up."""
    workflows = FakeWorkflows()
    workflows.open.clear()
    outbox = ResourceOutbox(workflows)
    async with sending(outbox):
        outbox.tell(change("a", 1))
        await eventually(lambda: workflows.entered == 1)
        outbox.tell(change("a", 2))
        outbox.tell(change("b", 1))
        await eventually(lambda: workflows.entered == 2)
        assert outbox.waiting == 3
        assert workflows.overtaken == set()
        workflows.open.set()
        await eventually(lambda: not outbox.waiting)
    assert sorted(workflows.told()) == ["mesh/a", "mesh/a", "mesh/b"]
    assert [
        number for number, news in zip(generations(workflows), workflows.told(), strict=True) if news == "mesh/a"
    ] == [
        1,
        2,
    ]


async def test_refused_news_are_sent_again(eventually: Eventually) -> None:
    """However often Temporal refuses."""
    workflows = FakeWorkflows()
    workflows.refusals.extend([True] * 10)
    outbox = ResourceOutbox(workflows)
    async with sending(outbox):
        outbox.tell(change(poke=True))
        await eventually(lambda: not outbox.waiting)
    assert workflows.told() == ["mesh/shop poked"]
    assert workflows.entered == 11


@pytest.mark.parametrize(
    ("sent", "put", "arrives"),
    [
        pytest.param(change(generation=1), change(generation=2), "mesh/shop", id="newer-change"),
        pytest.param(change(generation=1, poke=True), change(generation=2), "mesh/shop poked", id="poke-is-kept"),
        pytest.param(change(generation=1), absence(), "mesh/shop gone", id="gone-since"),
        pytest.param(absence(), change(generation=2), "mesh/shop", id="here-again-since"),
    ],
)
async def test_refused_news_do_not_hide_newer_ones(
    eventually: Eventually, sent: Change | Absence, put: Change | Absence, arrives: str
) -> None:
    """What came while the refused message was under way is what is told."""
    workflows = FakeWorkflows()
    workflows.open.clear()
    workflows.refusals.append(True)
    outbox = ResourceOutbox(workflows)
    async with sending(outbox):
        outbox.tell(sent)
        await eventually(lambda: workflows.entered == 1)
        outbox.tell(put)
        workflows.open.set()
        await eventually(lambda: not outbox.waiting)
    assert workflows.told() == [arrives]
    assert generations(workflows) in ([], [2])


async def test_delay_grows_while_temporal_is_away_and_ends_with_it(
    eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is away is asked less and less often; one that came back is asked at once."""
    delays = Delays()
    monkeypatch.setattr(patience, "RETRY_SECONDS", delays)
    workflows = FakeWorkflows()
    workflows.refusals.extend([True, True, True, True, False, True, False])
    outbox = ResourceOutbox(workflows)
    async with sending(outbox):
        for name in ("a", "b"):
            outbox.tell(change(name))
            await eventually(lambda: not outbox.waiting)
    assert delays.taken == [0, 1, 2, 2, 0]


news_sequences = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["change", "poke", "gone"])), min_size=1, max_size=30
)


@given(news_sequences, st.lists(st.booleans(), max_size=20), st.lists(st.integers(0, 3), max_size=30))
def test_nothing_is_lost_and_nothing_overtakes(
    sequence: list[tuple[str, str]], refusals: list[bool], turns: list[int]
) -> None:
    """Whatever is refused and whenever the loop turns: of each resource the last word arrives, in order.

    A poke that was put after a resource was last gone reaches its workflow.
    """

    async def scenario() -> FakeWorkflows:
        workflows = FakeWorkflows()
        workflows.refusals.extend(refusals)
        outbox = ResourceOutbox(workflows)
        pauses: Iterator[int] = iter(turns)
        async with sending(outbox):
            for number, (name, what) in enumerate(sequence, start=1):
                outbox.tell(absence(name) if what == "gone" else change(name, number, poke=what == "poke"))
                for _ in range(next(pauses, 0)):
                    await asyncio.sleep(0)
            await turn_until(lambda: not outbox.waiting)
        return workflows

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patience, "RETRY_SECONDS", (0.0,))
        workflows = asyncio.run(scenario())
    assert workflows.overtaken == set()
    arrived: defaultdict[str, list[Change | Absence]] = defaultdict(list)
    for news in workflows.taken:
        arrived[news.name.name if isinstance(news, Absence) else news.snapshot.key.name].append(news)
    for name in {name for name, _ in sequence}:
        said = [(number, what) for number, (about, what) in enumerate(sequence, start=1) if about == name]
        last_number, last = said[-1]
        final = arrived[name][-1]
        assert isinstance(final, Absence) == (last == "gone")
        if isinstance(final, Change):
            assert final.snapshot.generation == last_number
        numbers = [news.snapshot.generation for news in arrived[name] if isinstance(news, Change)]
        assert numbers == sorted(numbers)
        last_gone = max((number for number, what in said if what == "gone"), default=0)
        last_poke = max((number for number, what in said if what == "poke"), default=0)
        if last_poke > last_gone:
            assert any(
                isinstance(news, Change) and news.poke and news.snapshot.generation >= last_poke
                for news in arrived[name]
            )


async def test_what_is_known_of_proxies_is_not_lost_to_news_that_knows_nothing(eventually: Eventually) -> None:
    """A change from elsewhere may come between it and Temporal; of two that know, the newer counts."""
    workflows = FakeWorkflows()
    outbox = ResourceOutbox(workflows)
    first, second = (DataPlaneReport(proxies=1, revision=revision) for revision in (1, 2))
    outbox.tell(change().model_copy(update={"data_plane": first}))
    outbox.tell(change().model_copy(update={"data_plane": second}))
    outbox.tell(change())
    async with sending(outbox):
        await eventually(lambda: not outbox.waiting)
    assert [news.data_plane for news in workflows.taken if isinstance(news, Change)] == [second]
