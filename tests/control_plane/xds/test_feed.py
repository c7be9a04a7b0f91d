"""The feed: who is compiled for, when, and what they then hear."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from envoy.config.cluster.v3.cluster_pb2 import Cluster

from control_plane.api.bell import Bell
from control_plane.store.database import Database
from control_plane.store.errors import DatabaseUnavailable
from control_plane.xds import feed as feeding
from control_plane.xds.ads.source import LatestWatch, Update
from control_plane.xds.feed import Feed
from control_plane.xds.proxies import ProxyId
from control_plane.xds.reader import Reader
from control_plane.xds.snapshot import Kind, Resource, Snapshot
from control_plane.xds.state import MeshState
from tests.control_plane.store.builders import node
from tests.control_plane.xds.written import drop, put


def proxy(name: str) -> ProxyId:
    """A node of the mesh."""
    return ProxyId("m", "virtualNode", name)


class Compiler:
    """Makes one cluster named after the revision of each node that a proxy reads: itself and its backends."""

    def __init__(self, **backends: str) -> None:
        self.backends = backends
        self.calls: list[str] = []
        self.before: Callable[[str], None] = lambda _name: None

    def compile_proxy(self, state: MeshState, proxy: ProxyId, _options: Any) -> Snapshot | None:
        """One compilation."""
        self.calls.append(proxy.name)
        self.before(proxy.name)
        if proxy.key not in state.objects:
            return None
        reads = {proxy.key, *(node(name) for name in self.backends.get(proxy.name, ""))}
        found = {f"{key.name}{state.objects[key].revision}" for key in reads if key in state.objects}
        clusters = {name: Resource.of(Kind.CLUSTER, name, Cluster(name=name)) for name in found}
        return Snapshot({Kind.CLUSTER: clusters}, reads=frozenset(reads))

    def spare(self, state: MeshState, _proxy: ProxyId, _options: Any) -> Mapping[Kind, Mapping[str, Resource]]:
        """A cluster for each node of the mesh."""
        names = sorted(f"{key.name}{record.revision}" for key, record in state.objects.items())
        return {Kind.CLUSTER: {name: Resource.of(Kind.CLUSTER, name, Cluster(name=name)) for name in names}}


class World:
    """A store with a feed."""

    def __init__(self, directory: Path, compiler: Compiler) -> None:
        self.database = Database(f"sqlite:///{directory}/m.db")
        self.bell = Bell()
        self.compiler = compiler
        self.reader = Reader(self.database)
        self.threads = ThreadPoolExecutor(2)
        self.feed = Feed(self.reader, compiler, self.bell, self.threads, self.threads)

    def write(self, name: str, gone: bool = False) -> None:
        """Create, change or delete a node, as the API would: it rings."""
        (drop if gone else put)(self.database, node(name))
        self.bell.ring(None)

    def watch(self, name: str, claimed: str = "", **metadata: Any) -> LatestWatch:
        """A proxy that is connected."""
        return self.feed.watch(proxy(name), metadata, claimed)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The feed at work."""
        task = asyncio.create_task(self.feed.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.threads.shutdown()
            self.database.close()


async def clusters(watch: LatestWatch) -> set[str] | None:
    """What the next snapshot has; None: there is no such node."""
    async with asyncio.timeout(20):
        snapshot = (await watch.next()).snapshot
    return None if snapshot is None else set(snapshot.named(Kind.CLUSTER))


async def test_a_proxy_hears_the_state_and_then_each_change_of_what_it_reads(tmp_path):
    """Its own node, and those of its backends."""
    world = World(tmp_path, Compiler(front="a"))
    world.write("front")
    world.write("a")
    async with world.running():
        watch = world.watch("front")
        assert await clusters(watch) == {"front1", "a2"}
        world.write("a")
        assert await clusters(watch) == {"front1", "a3"}
        world.write("a", gone=True)
        assert await clusters(watch) == {"front1"}


async def test_only_those_are_compiled_for_whom_a_change_concerns(tmp_path):
    """However many are connected; and nobody for whom none is."""
    world = World(tmp_path, Compiler(front="a", other="b"))
    for name in ("front", "other", "a", "b", "alone"):
        world.write(name)
    async with world.running():
        front = world.watch("front")
        other = world.watch("other")
        await clusters(front)
        await clusters(other)
        world.compiler.calls.clear()
        world.write("alone")
        world.write("a")
        assert await clusters(front) == {"front1", "a7"}
        assert world.compiler.calls == ["front"]


async def test_replicas_of_a_node_share_what_is_compiled(tmp_path):
    """Unless they asked for something else."""
    world = World(tmp_path, Compiler())
    world.write("front")
    async with world.running():
        one = world.watch("front")
        two = world.watch("front")
        three = world.watch("front", meshwright={"capture": False})
        assert await one.next() is await two.next()
        await three.next()
        assert world.compiler.calls == ["front", "front"]


async def test_who_comes_with_other_clusters_is_told_what_it_may_be_using(tmp_path):
    """Once; also when a replica has its snapshot already, and when a change overtakes the telling."""
    world = World(tmp_path, Compiler())
    for name in ("front", "old"):
        world.write(name)
    async with world.running():
        told = (await world.watch("front").next()).snapshot
        watch = world.watch("front", claimed="other")
        update = await watch.next()
        assert (update.snapshot, set(update.spare[Kind.CLUSTER])) == (told, {"front1", "old2"})
        world.write("front")
        assert (await watch.next()).spare == {}


async def test_who_comes_with_the_clusters_that_it_is_to_have_is_told_no_more(tmp_path):
    """As after any restart of ours while nothing changed."""
    world = World(tmp_path, Compiler())
    world.write("front")
    async with world.running():
        told = (await world.watch("front").next()).snapshot
        assert told is not None
        watch = world.watch("front", claimed=told.version(Kind.CLUSTER))
        assert (await watch.next()).spare == {}


def test_an_update_that_is_overtaken_leaves_what_was_spare_to_the_next():
    """The proxy may be using it all the same."""
    watch, cluster = LatestWatch(), Resource.of(Kind.CLUSTER, "old", Cluster(name="old"))
    watch.put(Update(Snapshot({}), 1, {Kind.CLUSTER: {"old": cluster}}))
    watch.put(Update(Snapshot({}), 2))
    assert asyncio.run(watch.next()) == Update(Snapshot({}), 2, {Kind.CLUSTER: {"old": cluster}})


async def test_a_node_that_comes_later_is_told_then(tmp_path):
    """Until then its proxy hears that there is none."""
    world = World(tmp_path, Compiler())
    async with world.running():
        watch = world.watch("front")
        assert await clusters(watch) is None
        world.write("front")
        assert await clusters(watch) == {"front1"}


async def test_nothing_is_told_before_the_state_is_known(tmp_path):
    """Not even that a node is not there."""
    world = World(tmp_path, Compiler())
    waiting = asyncio.create_task(clusters(world.watch("front")))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    async with world.running():
        assert await waiting is None


async def test_metadata_that_cannot_be_is_refused(tmp_path):
    """With the name of the field."""
    world = World(tmp_path, Compiler())
    with pytest.raises(ValueError, match=r"meshwright\.egressPort"):
        world.watch("front", meshwright={"egressPort": "x"})
    async with world.running():
        pass


async def test_a_proxy_whose_node_goes_hears_that_and_of_the_next(tmp_path):
    """What it then keeps is not decided here."""
    world = World(tmp_path, Compiler())
    world.write("front")
    async with world.running():
        watch = world.watch("front")
        assert await clusters(watch) == {"front1"}
        world.write("front", gone=True)
        assert await clusters(watch) is None
        world.write("front")
        assert await clusters(watch) == {"front3"}


async def test_a_change_during_a_compilation_is_not_lost(tmp_path):
    """Even of something that the snapshot before did not read."""
    world = World(tmp_path, Compiler(front=""))
    world.write("front")
    loop = asyncio.get_running_loop()

    def write_now(_name: str) -> None:
        if len(world.compiler.calls) != 2:
            return
        world.compiler.backends["front"] = "a"
        put(world.database, node("a"))
        asyncio.run_coroutine_threadsafe(ring_and_settle(), loop).result(20)

    async def ring_and_settle() -> None:
        world.bell.ring(None)
        for _ in range(100_000):
            if (world.feed.revision or 0) >= 3:
                return
            await asyncio.sleep(0)

    world.compiler.before = write_now
    async with world.running():
        watch = world.watch("front")
        await clusters(watch)
        world.write("front")
        assert await clusters(watch) == {"front2"}
        assert await clusters(watch) == {"front2", "a3"}


async def test_a_node_that_cannot_be_compiled_does_not_stop_the_others(tmp_path):
    """A mistake of ours is logged, and its proxy keeps what it has."""
    world = World(tmp_path, Compiler())
    world.write("bad")
    world.write("good")

    def fail(name: str) -> None:
        if name == "bad":
            raise ZeroDivisionError

    world.compiler.before = fail
    async with world.running():
        world.watch("bad")
        good = world.watch("good")
        assert await clusters(good) == {"good2"}
        world.write("good")
        assert await clusters(good) == {"good3"}


async def test_a_database_that_does_not_answer_is_asked_again(tmp_path, monkeypatch):
    """And what happened meanwhile is told when it is back."""
    monkeypatch.setattr(feeding, "RETRY_SECONDS", 0.01)
    world = World(tmp_path, Compiler())
    world.write("front")
    failures = iter([DatabaseUnavailable("gone"), DatabaseUnavailable("still gone")])
    since = world.reader.since

    def failing(revision: int | None) -> Any:
        if error := next(failures, None):
            raise error
        return since(revision)

    monkeypatch.setattr(world.reader, "since", failing)
    async with world.running():
        watch = world.watch("front")
        assert await clusters(watch) == {"front1"}


async def test_a_store_that_others_write_to_is_looked_at_without_a_ring(tmp_path, monkeypatch):
    """The writes of another replica do not ring here."""
    monkeypatch.setattr(feeding, "POLL_SECONDS", 0.01)
    world = World(tmp_path, Compiler())
    world.database.shared = True
    async with world.running():
        watch = world.watch("front")
        put(world.database, node("front"))
        assert await clusters(watch) == {"front1"}


@pytest.mark.parametrize("times", [1, 3])
async def test_who_leaves_is_not_compiled_for(tmp_path, times):
    """However often they come and go."""
    world = World(tmp_path, Compiler())
    world.write("front")
    async with world.running():
        for _ in range(times):
            watch = world.watch("front")
            await clusters(watch)
            watch.close()
        assert len(world.compiler.calls) == times
        other = world.watch("other")
        world.write("front")
        assert await clusters(other) is None
        assert world.compiler.calls.count("front") == times
