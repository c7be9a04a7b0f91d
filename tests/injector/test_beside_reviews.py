"""What goes on beside the reviews: VirtualNodes are followed, Events are written."""

import asyncio
import datetime
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from kubernetes.aio.client.exceptions import ApiException

from injector.directory import Directory
from injector.events import EventReporter, event_object
from injector.review import Review
from injector.watch import DirectoryWatch
from resources.kinds import Kind
from tests.injector.cases import NAMESPACE, node, pod
from watcher.stream import Listing, Sighting

NOW = datetime.datetime(2026, 11, 24, 8, tzinfo=datetime.UTC)


async def test_the_directory_follows_the_stream():
    """A listing is everything, a sighting one more or one less."""

    class Stream:
        async def follow(self) -> AsyncIterator[Listing | Sighting]:
            yield Listing(Kind.VIRTUAL_NODE, (node("a"), node("b")), "1")
            yield Sighting(Kind.VIRTUAL_NODE, "DELETED", node("b"))
            yield Sighting(Kind.VIRTUAL_NODE, "ADDED", node("c"))
            yield Sighting(Kind.VIRTUAL_NODE, "MODIFIED", node("a", "other"))

    directory = Directory([node("gone")])
    watch = DirectoryWatch(Stream(), directory)
    assert not watch.listed.is_set()
    await watch.run()
    assert watch.listed.is_set()
    known = {name: [str(each) for each in directory.named(f"{name}-{NAMESPACE}")] for name in ("a", "b", "c", "gone")}
    assert known == {
        "a": ["VirtualNode sidecars/a of mesh other"],
        "b": [],
        "c": ["VirtualNode sidecars/c of mesh sidecars"],
        "gone": [],
    }


def test_an_event_is_about_the_pods_controller():
    """Its pods come and go, and do not exist yet when they are judged."""
    event = event_object(pod("any"), NAMESPACE, "who is it?", NOW)
    assert event is not None
    assert event["involvedObject"]["kind"] == "ReplicaSet"
    assert event["involvedObject"]["name"] == "cart-5d8c9f7b6d"
    assert event["involvedObject"]["namespace"] == event["metadata"]["namespace"] == NAMESPACE
    assert (event["type"], event["reason"], event["message"]) == ("Warning", "VirtualNodeInDoubt", "who is it?")


def test_the_same_doubt_about_a_hundred_pods_of_one_owner_is_one_event():
    """And another doubt is another."""
    names = [
        (event_object(pod(name), NAMESPACE, doubt, NOW) or {})["metadata"]["name"]
        for name, doubt in (("a", "x"), ("b", "x"), ("c", "y"))
    ]
    assert names[0] == names[1] != names[2]


def test_a_pod_by_hand_has_its_own_and_one_without_any_name_none():
    """`generateName` is filled in after the webhooks."""
    event = event_object(pod("mine", None), NAMESPACE, "x", NOW)
    assert event is not None
    assert (event["involvedObject"]["kind"], event["involvedObject"]["name"]) == ("Pod", "mine")
    assert event_object({"metadata": {"generateName": "any-"}}, NAMESPACE, "x", NOW) is None


async def test_an_event_that_cannot_be_written_is_no_reason_to_stop():
    """Neither a refusal nor an API server that is away."""
    wrote = asyncio.Event()
    answers: list[Exception | None] = [
        ApiException(status=409, reason="AlreadyExists"),
        ApiException(status=403, reason="Forbidden"),
        aiohttp.ServerDisconnectedError(),
        None,
    ]

    class Api:
        async def request(self, method: str, path: str, body: Any = None, content_type: str = "") -> dict[str, Any]:
            assert (method, path) == ("POST", f"/api/v1/namespaces/{NAMESPACE}/events")
            if (answer := answers.pop(0)) is not None:
                raise answer
            wrote.set()
            return {}

    reporter = EventReporter(Api())
    for _ in range(4):
        reporter.tell(Review("1", NAMESPACE, True, False, pod("any")), "x")
    running = asyncio.create_task(reporter.run())
    await asyncio.wait_for(wrote.wait(), 30)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert answers == []


def test_too_many_at_once_are_dropped():
    """A review never waits."""

    class Nobody:
        async def request(self, method: str, path: str, body: Any = None, content_type: str = "") -> dict[str, Any]:
            raise AssertionError

    reporter = EventReporter(Nobody())
    for _ in range(5000):
        reporter.tell(Review("1", NAMESPACE, True, False, pod("any")), "x")
