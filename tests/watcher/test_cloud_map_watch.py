"""The watcher's Cloud Map part, between streams that tests feed and a Temporal that remembers."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from resources.cloud_map import CloudMapService
from tests.builders import virtual_node
from tests.watcher.conftest import turn_until
from tests.watcher.pods import in_cloud_map, pod
from tests.watcher.sightings import sighting
from watcher import cloud_map, patience
from watcher.cloud_map import CloudMapWatch
from watcher.index import Name
from watcher.stream import POD, Listing, Sighting
from workflows.cloud_map_messages import Tidings

CART = CloudMapService(namespace="shop.local", name="cart")


class FakeWorkflows:
    """`CloudMapWorkflows` in memory."""

    def __init__(self) -> None:
        self.taken: list[Tidings] = []
        self.refusals: deque[bool] = deque()
        self.known: frozenset[CloudMapService] = frozenset()
        self.life = 1
        """Counted up when Temporal loses its workflows."""
        self.open = asyncio.Event()
        self.open.set()

    async def tell(self, tidings: Tidings) -> str | None:
        """Take it, unless told not to."""
        await self.open.wait()
        if self.refusals and self.refusals.popleft():
            raise ConnectionError("not now")
        self.taken.append(tidings)
        return f"life {self.life}" if tidings.nodes else None

    async def running(self) -> frozenset[CloudMapService]:
        """Those that run."""
        if self.refusals and self.refusals.popleft():
            raise ConnectionError("not now")
        return self.known


class PodFeed:
    """A stream that says what tests put into it."""

    def __init__(self) -> None:
        self.items: asyncio.Queue[Listing | Sighting] = asyncio.Queue()
        self.followed = False

    async def follow(self) -> AsyncIterator[Listing | Sighting]:
        """See `PodStream`."""
        self.followed = True
        while True:
            yield await self.items.get()
            self.items.task_done()

    async def lists(self, *pods: dict[str, Any], version: str = "50") -> None:
        """A listing, taken in when this returns."""
        self.items.put_nowait(Listing(POD, pods, version))
        await self.items.join()

    async def sees(self, found: dict[str, Any], gone: bool = False) -> None:
        """A sighting, taken in when this returns."""
        self.items.put_nowait(Sighting(POD, "DELETED" if gone else "MODIFIED", found))
        await self.items.join()


class World:
    """The part under test and what is around it."""

    def __init__(self, sweep_seconds: float) -> None:
        self.workflows = FakeWorkflows()
        self.pods = PodFeed()
        self.watch = CloudMapWatch("default", self.pods, self.workflows, sweep_seconds)

    def see(self, **spec: Any) -> Name:
        """A sighting of the node `cart`."""
        snapshot = sighting(virtual_node(**(in_cloud_map() | spec)))
        self.watch.nodes_are_at(snapshot.resource_version)
        self.watch.see_node(snapshot)
        return Name.of(snapshot)

    async def settled(self) -> list[Tidings]:
        """All that was told, once nothing waits."""
        await turn_until(lambda: not self.watch.waiting)
        return self.workflows.taken


@asynccontextmanager
async def watching(sweep_seconds: float = 3600.0, **known: Any) -> AsyncIterator[World]:
    """A world at work."""
    world = World(sweep_seconds)
    for name, value in known.items():
        setattr(world.workflows, name, value)
    task = asyncio.create_task(world.watch.run())
    try:
        yield world
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def _no_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is gathered for longer, and retries come at once."""
    monkeypatch.setattr(cloud_map, "GATHER_SECONDS", 0.0)
    monkeypatch.setattr(patience, "RETRY_SECONDS", (0.0,))


def instances(taken: list[Tidings]) -> dict[str, bool]:
    """Pods by uid, and whether they were last told to be instances."""
    return {news.uid: news.instance is not None for tidings in taken for news in tidings.pods}


async def test_nothing_is_told_before_all_nodes_and_all_pods_are_listed() -> None:
    """Half the pods would look as if the others had gone."""
    async with watching() as world:
        world.see()
        await turn_until(lambda: world.pods.followed)
        world.watch.begin()
        assert not world.workflows.taken
        await world.pods.lists(pod(), pod("cart-2", "10.0.0.2"))
        taken = await world.settled()
        assert instances(taken) == {"cart-1": True, "cart-2": True}
        assert taken[-1].roster == ("cart-1", "cart-2")
        assert [node.key.name for node in taken[-1].nodes] == ["cart"]


async def test_pods_are_not_watched_before_a_node_uses_cloud_map() -> None:
    """Most clusters never need it."""
    async with watching() as world:
        world.see(serviceDiscovery={"dns": {"hostName": "x"}})
        world.watch.begin()
        assert await world.settled() == []
        assert not world.pods.followed


async def test_pods_that_arrive_while_temporal_is_busy_become_one_message() -> None:
    """And what they are told as is how they are by then."""
    async with watching() as world:
        world.see()
        world.watch.begin()
        await world.pods.lists()
        before = len(await world.settled())
        world.workflows.open.clear()
        for number in range(40):
            await world.pods.sees(pod(f"p{number}", f"10.0.0.{number}", version=100 + number))
        await world.pods.sees(pod("p3", "10.0.0.3", version=200, terminating=True))
        world.workflows.open.set()
        taken = (await world.settled())[before:]
        assert len(taken) == 2
        told = instances(taken)
        assert (len(told), told["p3"], sum(told.values())) == (40, False, 39)


async def test_many_pods_are_told_in_several_messages_the_roster_with_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message has a size; a roster without the pods that it names would be no use."""
    monkeypatch.setattr(cloud_map, "MOST_PODS", 10)
    async with watching() as world:
        world.see()
        world.watch.begin()
        await world.pods.lists(*(pod(f"p{number:02}", f"10.0.0.{number}") for number in range(25)))
        taken = await world.settled()
        assert len(instances(taken)) == 25
        assert max(len(tidings.pods) for tidings in taken) == 10
        assert [tidings.roster is not None for tidings in taken] == [False, False, True]


async def test_a_workflow_that_begins_later_is_told_of_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporal may have lost the one that knew them, and the next news is of one pod alone."""
    monkeypatch.setattr(cloud_map, "MOST_PODS", 10)
    async with watching() as world:
        world.see()
        world.watch.begin()
        await world.pods.lists(*(pod(f"p{number:02}", f"10.0.0.{number}") for number in range(25)))
        before = len(await world.settled())
        world.workflows.life += 1
        await world.pods.sees(pod("p03", version=60), gone=True)
        taken = (await world.settled())[before:]
        assert [tidings.because for tidings in taken] == ["a pod is gone"] + ["its workflow is new"] * 3
        assert sum(instances(taken).values()) == 24
        assert [len(tidings.roster or ()) for tidings in taken] == [0, 0, 0, 24]
        await world.pods.sees(pod("p04", version=61), gone=True)
        assert len(await world.settled()) == before + 5, "once is enough"


async def test_the_first_message_has_a_roster_wherever_it_comes_from() -> None:
    """Without one the workflow would not deregister anything before the next sweep."""
    async with watching() as world:
        world.watch.begin()
        world.see(serviceDiscovery={"cloudMap": {"serviceName": "other", "namespaceName": "shop.local"}})
        await world.pods.lists(pod())
        before = len(await world.settled())
        world.see()
        (first,) = [told for told in (await world.settled())[before:] if told.service == CART]
        assert (instances([first]), first.roster) == ({"cart-1": True}, ("cart-1",))


async def test_news_that_temporal_refused_is_told_again() -> None:
    """Until it takes it."""
    async with watching() as world:
        world.see()
        world.watch.begin()
        await world.pods.lists()
        await world.settled()
        world.workflows.refusals.extend([True, True])
        await world.pods.sees(pod())
        assert instances(await world.settled()) == {"cart-1": True}


async def test_pods_that_vanished_unseen_are_told_after_the_next_list() -> None:
    """As of that list."""
    async with watching() as world:
        world.see()
        world.watch.begin()
        await world.pods.lists(pod())
        await world.settled()
        await world.pods.lists(version="90")
        last = (await world.settled())[-1]
        assert [(news.uid, news.instance, news.version) for news in last.pods] == [("cart-1", None, (90, 0))]


async def test_a_deleted_pod_is_told() -> None:
    """By its event."""
    async with watching() as world:
        world.see()
        world.watch.begin()
        await world.pods.lists(pod())
        await world.pods.sees(pod(version=60), gone=True)
        assert instances(await world.settled()) == {"cart-1": False}


async def test_a_pod_that_is_gone_before_its_end_was_told_is_told_as_gone() -> None:
    """As of what was seen last, or the workflow would take it for old news."""
    async with watching() as world:
        world.see()
        world.watch.begin()
        await world.pods.lists(pod())
        await world.settled()
        world.workflows.open.clear()
        await world.pods.sees(pod("other", "10.0.0.9", version=55))
        await world.pods.sees(pod(version=60, terminating=True))
        await world.pods.sees(pod(version=61), gone=True)
        world.workflows.open.set()
        last = [news for tidings in await world.settled() for news in tidings.pods if news.uid == "cart-1"][-1]
        assert (last.instance, last.version) == (None, (61, 0))


async def test_a_node_that_is_gone_leaves_its_service_without_nodes() -> None:
    """The workflow knows what to do then."""
    async with watching() as world:
        name = world.see()
        world.watch.begin()
        await world.pods.lists(pod())
        await world.settled()
        world.watch.nodes_are_at("9999")
        world.watch.lose_node(name)
        last = (await world.settled())[-1]
        assert (last.nodes, last.nodes_version) == ((), 9999)


async def test_a_service_that_lost_its_node_while_nobody_watched_is_told_at_start() -> None:
    """Its workflow still runs; Temporal is asked until it answers."""
    async with watching(known=frozenset({CART}), refusals=deque([True, True])) as world:
        world.watch.begin()
        await turn_until(lambda: world.workflows.taken)
        (tidings,) = await world.settled()
        assert (tidings.service, tidings.nodes) == (CART, ())


async def test_every_sweep_asks_each_service_to_look_at_what_cloud_map_holds() -> None:
    """With a roster, so that it also forgets what it should not believe any more."""
    async with watching(sweep_seconds=0.01) as world:
        world.see()
        world.watch.begin()
        await world.pods.lists(pod())
        await turn_until(lambda: any(tidings.sweep for tidings in world.workflows.taken))
        sweep = next(tidings for tidings in world.workflows.taken if tidings.sweep)
        assert sweep.roster == ("cart-1",)


async def test_a_node_is_told_whom_it_keeps_out_until_a_sweep_finds_them_gone() -> None:
    """Without a pod to tell of."""
    async with watching(sweep_seconds=0.2) as world:
        world.see()
        world.watch.begin()
        await world.pods.lists(pod())
        await world.settled()
        stranger = pod("evil", namespace="mallory")
        await world.pods.sees(stranger)
        await turn_until(lambda: world.workflows.taken[-1].nodes[0].kept_out == ("mallory",))
        assert instances(await world.settled()) == {"cart-1": True}
        await world.pods.sees(stranger, gone=True)
        await turn_until(lambda: world.workflows.taken[-1].nodes[0].kept_out == ())
        assert world.workflows.taken[-1].sweep
