"""What happens to the resources of one kind, over a real connection that breaks in every way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.watcher.conftest import Delays, Eventually
from tests.watcher.fake_api_server import Break, FakeApiServer, How
from watcher import patience
from watcher import stream as stream_module
from watcher.stream import Listing, ResourceStream, Sighting

HOWS: tuple[How, ...] = get_args(How)
RELISTS = ("expired", "expired-event")


async def first(stream: ResourceStream, count: int) -> list[Listing | Sighting]:
    """The first items of a stream."""
    found: list[Listing | Sighting] = []
    async with asyncio.timeout(20), aclosing(stream.follow()) as items:  # type: ignore[type-var]
        async for item in items:
            found.append(item)
            if len(found) == count:
                break
    return found


def short(item: Listing | Sighting) -> str:
    """One item in a few words."""
    if isinstance(item, Listing):
        return f"all: {' '.join(resource['metadata']['name'] for resource in item.items)}".strip()
    return f"{item.type} {item.item['metadata']['name']}"


async def told(server: FakeApiServer, count: int) -> list[str]:
    """The first items that a watcher of this server sees, in short."""
    async with server.running() as stream:
        return [short(item) for item in await first(stream, count)]


async def test_everything_is_listed_and_then_watched() -> None:
    """One list, then the events since, with bookmarks for us alone."""
    server = FakeApiServer()
    server.put("a")
    async with server.running() as stream:
        items = stream.follow()
        assert short(await anext(items)) == "all: a"
        server.put("b")
        server.bookmark()
        server.put("a")
        server.delete("b")
        assert [short(await anext(items)) for _ in range(3)] == ["ADDED b", "MODIFIED a", "DELETED b"]
        await items.aclose()  # type: ignore[attr-defined]
    assert server.watched_from() == ["1"]
    assert server.queries[-1]["allowWatchBookmarks"] == "true"


async def test_long_lists_are_read_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """And come out as one."""
    monkeypatch.setattr(stream_module, "PAGE", 2)
    server = FakeApiServer()
    for name in "abcde":
        server.put(name)
    assert await told(server, 1) == ["all: a b c d e"]
    assert [query.get("continue") for query in server.queries] == [None, "2", "4"]


async def test_what_is_no_concern_is_dropped_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or every pod of a cluster would be in memory at once, as long as it is listed."""
    monkeypatch.setattr(stream_module, "PAGE", 2)
    server = FakeApiServer()
    for name in "abcde":
        server.put(name)
    pages: list[int] = []

    def name_alone(item: dict[str, Any]) -> dict[str, Any] | None:
        pages.append(len(server.queries))
        return {"metadata": {"name": item["metadata"]["name"]}} if item["metadata"]["name"] != "c" else None

    async with server.running(name_alone) as stream:
        (listing,) = await first(stream, 1)
    assert isinstance(listing, Listing)
    assert listing.items == tuple({"metadata": {"name": name}} for name in "abde")
    assert pages == [1, 1, 2, 2, 3]


async def test_what_is_kept_is_told_and_what_is_no_concern_any_more_is_told_as_gone() -> None:
    """As the API server does with what a selector no longer selects."""
    server = FakeApiServer()
    concerns = {"a"}

    def name_alone(item: dict[str, Any]) -> dict[str, Any] | None:
        return {"metadata": {"name": item["metadata"]["name"]}} if item["metadata"]["name"] in concerns else None

    async with server.running(name_alone) as stream:
        items = stream.follow()
        await anext(items)
        server.put("a")
        added = await anext(items)
        assert isinstance(added, Sighting)
        assert (added.type, added.item) == ("ADDED", {"metadata": {"name": "a"}})
        concerns.clear()
        server.put("a")
        gone = await anext(items)
        assert isinstance(gone, Sighting)
        assert (short(gone), gone.item["metadata"]["uid"]) == ("DELETED a", "uid-a")
        await items.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize("how", [how for how in HOWS if how not in RELISTS])
async def test_broken_watch_goes_on_where_it_broke(how: How) -> None:
    """A disconnect, a line that was cut off, a proxy's page, an error: the next watch begins after the last event."""
    server = FakeApiServer()
    server.breaks.append(Break(how))
    async with server.running() as stream:
        items = stream.follow()
        assert short(await anext(items)) == "all:"
        for name in "abc":
            server.put(name)
        assert [short(await anext(items)) for _ in range(3)] == ["ADDED a", "ADDED b", "ADDED c"]
        await items.aclose()  # type: ignore[attr-defined]
    assert server.watched_from() == (["0", "0"] if how in ("refuse", "nothing") else ["0", "1"])


@pytest.mark.parametrize("how", RELISTS)
async def test_forgotten_position_costs_a_new_list(how: How) -> None:
    """410 Gone, as a status or as an event: only a list tells what happened since."""
    server = FakeApiServer()
    server.breaks.append(Break(how, after=0))
    async with server.running() as stream:
        items = stream.follow()
        assert short(await anext(items)) == "all:"
        server.put("a")
        assert short(await anext(items)) == "all: a"
        server.put("b")
        assert short(await anext(items)) == "ADDED b"
        await items.aclose()  # type: ignore[attr-defined]


async def test_lists_that_are_outdated_at_once_follow_each_other_ever_more_slowly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each asks for everything, of an API server that has trouble already; an event says that it is over."""
    delays = Delays()
    monkeypatch.setattr(patience, "RETRY_SECONDS", delays)
    server = FakeApiServer()
    server.breaks.extend([Break("expired")] * 3 + [Break("expired-event"), Break("expired")])
    async with server.running() as stream:
        items = stream.follow()
        for _ in range(4):
            assert short(await anext(items)) == "all:"
        server.put("a")
        assert short(await anext(items)) == "ADDED a"
        server.put("b")
        assert short(await anext(items)) == "all: a b"
        assert short(await anext(items)) == "all: a b"
        await items.aclose()  # type: ignore[attr-defined]
    assert delays.taken == [0, 1, 2, 0, 1]


async def test_watches_that_end_at_once_follow_each_other_ever_more_slowly(
    monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    """A proxy that does not know how to stream answers with nothing, and would be asked thousands of times."""
    delays = Delays()
    monkeypatch.setattr(patience, "RETRY_SECONDS", delays)
    server = FakeApiServer()
    server.breaks.extend([Break("nothing")] * 4)
    async with server.running() as stream:
        items = stream.follow()
        assert short(await anext(items)) == "all:"
        coming = asyncio.ensure_future(anext(items))
        await eventually(lambda: len(server.watched_from()) == 5)
        server.put("a")
        assert short(await coming) == "ADDED a"
        await items.aclose()  # type: ignore[attr-defined]
    assert delays.taken == [0, 1, 2, 2]


async def test_bookmark_moves_the_position() -> None:
    """After a quiet hour the watch resumes from the bookmark, which the server still remembers."""
    server = FakeApiServer()
    server.breaks.append(Break("end"))
    async with server.running() as stream:
        items = stream.follow()
        assert short(await anext(items)) == "all:"
        server.bookmark()
        server.put("a")
        assert short(await anext(items)) == "ADDED a"
        await items.aclose()  # type: ignore[attr-defined]
    assert server.watched_from() == ["0", "1"]


@pytest.mark.parametrize("failure", [500, 403, b'{"items": [', b"<html>"], ids=str)
async def test_list_is_asked_for_until_it_comes(failure: int | bytes) -> None:
    """A server that is starting, or a proxy in between."""
    server = FakeApiServer()
    server.put("a")
    server.list_failures.extend([failure, failure])
    assert await told(server, 1) == ["all: a"]


async def test_server_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch, eventually: Eventually) -> None:
    """Connection refused is no reason to stop."""
    delays = Delays()
    monkeypatch.setattr(patience, "RETRY_SECONDS", delays)
    server = FakeApiServer()
    server.put("a")
    async with server.running() as stream:
        client = stream._client
        there = client.configuration.host
        client.configuration.host = "http://127.0.0.1:1"
        items = stream.follow()
        coming = asyncio.ensure_future(anext(items))
        await eventually(lambda: len(delays.taken) >= 4)
        client.configuration.host = there
        assert short(await coming) == "all: a"
        await items.aclose()  # type: ignore[attr-defined]
    assert delays.taken[:4] == [0, 1, 2, 2]


async def test_large_objects_come_through() -> None:
    """An event is one line, and a VirtualService with two hundred routes makes a long one."""
    server = FakeApiServer()
    async with server.running() as stream:
        items = stream.follow()
        await anext(items)
        server.put("a")
        server.items["a"]["metadata"]["annotations"] = {"x": "y" * 1_500_000}
        async with asyncio.timeout(20):
            sighting = await anext(items)
        assert isinstance(sighting, Sighting)
        await items.aclose()  # type: ignore[attr-defined]


async def state_after(items: AsyncIterator[Listing | Sighting], final: dict[str, Any]) -> dict[str, Any]:
    """What a watcher believes when it has seen what there is to see."""
    believed: dict[str, Any] = {}
    async for item in items:
        if isinstance(item, Listing):
            believed = {resource["metadata"]["name"]: resource for resource in item.items}
        elif item.type == "DELETED":
            believed.pop(item.item["metadata"]["name"])
        else:
            believed[item.item["metadata"]["name"]] = item.item
        if believed == final:
            break
    return believed


breaks = st.builds(Break, st.sampled_from(HOWS), st.integers(0, 2))
edits = st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=12)


@settings(max_examples=40)
@given(edits, st.lists(breaks, max_size=16))
def test_stream_breaks_everywhere_and_nothing_is_lost(edits: list[tuple[str, bool]], breaks: list[Break]) -> None:
    """However often and however a watch breaks, the watcher ends up believing what is true."""

    async def scenario() -> tuple[dict[str, Any], dict[str, Any]]:
        server = FakeApiServer()
        server.breaks.extend(breaks)
        async with server.running() as stream, asyncio.timeout(30):
            items = stream.follow()
            await anext(items)
            for name, delete in edits:
                if not delete:
                    server.put(name)
                elif name in server.items:
                    server.delete(name)
            server.put("last")
            believed = await state_after(items, server.items)
            await items.aclose()  # type: ignore[attr-defined]
            return believed, server.items

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patience, "RETRY_SECONDS", (0.0,))
        believed, true = asyncio.run(scenario())
    assert believed == true
