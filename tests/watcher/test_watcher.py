"""The watcher as a whole, between streams that tests feed and a Temporal that remembers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from resources.kinds import Kind
from tests import builders
from tests.builders import Manifest
from tests.watcher.conftest import turn_until
from tests.watcher.fake_workflows import FakeWorkflows
from tests.watcher.sightings import active, resource
from watcher.index import Name
from watcher.poke import Absence
from watcher.proxies import MeshStanding, Proxies, Standing
from watcher.stream import Listing, Sighting
from watcher.watcher import Watcher
from workflows.messages import Change, DataPlaneReport, Snapshot

CART = Name(Kind.VIRTUAL_NODE, "prod", "cart")


class FakeStream:
    """A stream that says what tests put into it."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._items: asyncio.Queue[Listing | Sighting] = asyncio.Queue()

    async def follow(self) -> AsyncIterator[Listing | Sighting]:
        """See `Stream`."""
        while True:
            yield await self._items.get()
            self._items.task_done()

    async def lists(self, *items: dict[str, Any], version: str = "500") -> None:
        """A listing, taken in when this returns."""
        await self._say(Listing(self._kind, items, version))

    async def sees(self, type: Literal["ADDED", "MODIFIED", "DELETED"], item: dict[str, Any]) -> None:
        """A sighting, taken in when this returns."""
        await self._say(Sighting(self._kind, type, item))

    async def _say(self, item: Listing | Sighting) -> None:
        self._items.put_nowait(item)
        await self._items.join()


class World:
    """A watcher at work, its streams by kind, and what it told."""

    def __init__(self) -> None:
        self.workflows = FakeWorkflows()
        self.proxies = Proxies()
        self.streams = {kind: FakeStream(kind) for kind in Kind}
        self.watcher = Watcher(self.streams.__getitem__, self.workflows, proxies=self.proxies)
        self.mesh, self.nodes, self.services = (self.streams[kind] for kind in Kind)

    async def told(self) -> list[str]:
        """All that was told so far, once it has arrived."""
        await turn_until(lambda: not self.watcher.outbox.waiting)
        return self.workflows.told()

    async def list_all(self, *items: dict[str, Any], version: str = "500") -> None:
        """First listings of all kinds."""
        for kind, stream in self.streams.items():
            await stream.lists(*(item for item in items if item["kind"] == kind), version=version)


@asynccontextmanager
async def watching(*running: Name) -> AsyncIterator[World]:
    """A world with these workflows running already."""
    world = World()
    world.workflows.known = frozenset(running)
    task = asyncio.create_task(world.watcher.run())
    try:
        yield world
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def done(manifest: Manifest, **state: Any) -> dict[str, Any]:
    """A resource that is what its spec asks for."""
    kind = Kind(manifest["kind"])
    return resource(manifest, status=active(manifest), finalizers=(kind.finalizer,), **state)


def waiting(manifest: Manifest) -> dict[str, Any]:
    """A resource that has been looked at, and is not yet what its spec asks for."""
    status = active(manifest)
    status["conditions"][0]["status"] = "False"
    return resource(manifest, status=status)


def name_of(manifest: Manifest) -> Name:
    """As the watcher calls it."""
    metadata = manifest["metadata"]
    return Name(Kind(manifest["kind"]), metadata.get("namespace"), metadata["name"])


async def test_nothing_is_told_before_every_kind_is_listed() -> None:
    """Whom a change concerns can only be seen against the whole."""
    async with watching() as world:
        await world.mesh.lists(resource(builders.mesh()))
        await world.nodes.lists(resource(builders.virtual_node()))
        await world.nodes.sees("ADDED", resource(builders.virtual_node("pay")))
        assert (world.watcher.ready, await world.told()) == (False, [])
        await world.services.lists()
        assert world.watcher.ready
        await world.mesh.sees("MODIFIED", done(builders.mesh()))  # until then its nodes are held back
        assert await world.told() == ["mesh/shop poked", "virtualnode/cart poked", "virtualnode/pay poked"]


async def test_start_over_settled_resources_tells_nothing() -> None:
    """A restart of the watcher makes no call."""
    manifests = (builders.mesh(), builders.virtual_node(), builders.virtual_service())
    async with watching(*map(name_of, manifests)) as world:
        await world.list_all(*map(done, manifests))
        assert await world.told() == []
        assert len(world.watcher.index) == 3


async def test_a_settled_resource_without_a_workflow_is_told_once() -> None:
    """Temporal has lost its database: the workflow begins anew without waiting for an edit."""
    manifests = (builders.mesh(), builders.virtual_node(), builders.virtual_node("pay"))
    async with watching(CART) as world:
        await world.list_all(done(manifests[0]), done(manifests[1]), resource(manifests[2]))
        assert sorted(await world.told()) == ["mesh/shop", "virtualnode/pay poked"]
        await world.nodes.lists(done(manifests[1]), done(manifests[2]))
        assert sorted(await world.told()) == ["mesh/shop", "virtualnode/pay poked"]


async def test_what_goes_while_workflows_are_counted_is_not_told_as_if_it_were_there() -> None:
    """The answer of Temporal may take a while."""
    async with watching() as world:
        world.workflows.refusals.append(True)
        await world.list_all(done(builders.virtual_node()))
        await world.nodes.sees("DELETED", done(builders.virtual_node()))
        await world.workflows.asked.wait()
        assert await world.told() == ["virtualnode/cart gone"]


async def test_sightings_are_told_as_they_come() -> None:
    """Created, edited, gone."""
    async with watching() as world:
        await world.list_all()
        await world.mesh.sees("ADDED", resource(builders.mesh()))
        assert await world.told() == ["mesh/shop"]
        await world.mesh.sees("MODIFIED", resource(builders.mesh(), status={"x": 1}))
        assert await world.told() == ["mesh/shop"]
        await world.mesh.sees("MODIFIED", resource(builders.mesh(), generation=2))
        assert await world.told() == ["mesh/shop"] * 2
        await world.mesh.sees("DELETED", resource(builders.mesh(), generation=2))
        assert await world.told() == ["mesh/shop", "mesh/shop", "mesh/shop gone"]


async def test_gone_is_about_every_life_that_has_ended_and_no_later_one() -> None:
    """While Temporal did not answer, one may have come and gone that its workflow never heard of."""
    async with watching() as world:
        await world.list_all()
        first = resource(builders.mesh(), uid="uid-7")
        await world.mesh.sees("ADDED", first)
        await world.told()
        world.workflows.open.clear()
        await world.mesh.sees("DELETED", resource(builders.mesh(), uid="uid-7"))
        await world.mesh.sees("ADDED", resource(builders.mesh(), uid="uid-8"))
        await world.mesh.sees("DELETED", resource(builders.mesh(), uid="uid-8"))
        world.workflows.open.set()
        await world.told()
        last = world.workflows.taken[-1]
        assert isinstance(last, Absence)
        assert last.gone.is_about(Snapshot.of(Kind.MESH, first))
        assert not last.gone.is_about(Snapshot.of(Kind.MESH, resource(builders.mesh(), uid="uid-9")))


async def test_dependents_are_poked_after_what_they_wait_for_turned() -> None:
    """A service waits for its node."""
    async with watching() as world:
        await world.list_all(
            done(builders.mesh()), waiting(builders.virtual_node()), waiting(builders.virtual_service("s"))
        )
        before = await world.told()
        await world.nodes.sees("MODIFIED", done(builders.virtual_node()))
        assert (await world.told())[len(before) :] == ["virtualservice/s poked"]


async def test_list_after_an_outage_tells_what_happened_unseen() -> None:
    """Created, edited, recreated, gone: as if it had been seen; what is as before is not told."""
    same, edited, recreated, gone, new = (builders.virtual_node(name) for name in ("a", "b", "c", "d", "e"))
    async with watching(*map(name_of, (same, edited, recreated, gone))) as world:
        await world.list_all(*(done(node) for node in (same, edited, recreated, gone)))
        await world.nodes.lists(
            done(same), resource(edited, generation=2), resource(recreated, uid="uid-2"), resource(new), version="900"
        )
        assert sorted(await world.told()) == ["virtualnode/b", "virtualnode/c", "virtualnode/d gone", "virtualnode/e"]


async def test_what_a_list_lacks_is_gone_as_of_that_list() -> None:
    """A list may show the past (an API server that lags behind), and says nothing about what was made after it."""
    async with watching(CART) as world:
        await world.list_all(done(builders.virtual_node()))
        await world.nodes.lists(version="300")
        (absence,) = world.workflows.taken
        assert isinstance(absence, Absence)
        assert (absence.gone.uid, absence.gone.as_of) == (None, "300")


async def test_what_vanished_before_the_watcher_was_ready_is_not_kept() -> None:
    """The index holds only what exists, whatever came before the last kind was listed."""
    async with watching() as world:
        await world.nodes.lists(resource(builders.virtual_node()), resource(builders.virtual_node("pay")))
        await world.nodes.sees("DELETED", resource(builders.virtual_node()))
        await world.nodes.lists()
        await world.mesh.lists()
        await world.services.lists()
        assert await world.told() == []
        assert len(world.watcher.index) == 0


async def test_workflows_without_a_resource_are_told_that_it_is_gone() -> None:
    """Its finalizer was taken off by force while nobody watched. The list's version says what the news is about."""
    async with watching(CART, Name(Kind.MESH, None, "shop")) as world:
        await world.list_all(done(builders.mesh()), version="700")
        await turn_until(lambda: world.workflows.taken)
        assert await world.told() == ["virtualnode/cart gone"]
        stray = world.workflows.taken[0]
        assert isinstance(stray, Absence)
        assert (stray.gone.uid, stray.gone.as_of) == (None, "700")


async def test_what_vanished_before_the_watcher_was_ready_is_gone_as_of_then() -> None:
    """Not as of the list that still had it: the workflow may know a newer sighting, and would believe that."""
    async with watching(CART) as world:
        await world.nodes.lists(done(builders.virtual_node()), version="500")
        await world.nodes.sees("MODIFIED", done(builders.virtual_node(), version="510"))
        await world.nodes.sees("DELETED", done(builders.virtual_node(), version="520"))
        await world.mesh.lists()
        await world.services.lists()
        await turn_until(lambda: world.workflows.taken)
        (absence,) = world.workflows.taken
        assert isinstance(absence, Absence)
        assert absence.gone.as_of == "520"


async def test_temporal_is_asked_for_strays_until_it_answers() -> None:
    """It may start after us."""
    async with watching(CART) as world:
        world.workflows.refusals.extend([True, True, True])
        await world.list_all()
        await turn_until(lambda: world.workflows.taken)
        assert await world.told() == ["virtualnode/cart gone"]


async def test_each_change_says_what_is_known_of_proxies():
    """And a status that says something else than they do is news by itself."""
    async with watching() as world:
        world.watcher.tell(world.proxies.take(Standing("1", {"shop": MeshStanding(2, 5)}), world.watcher.index))
        await world.list_all(resource(builders.mesh()))
        behind = active(builders.mesh()) | {"dataPlaneRevision": 6}
        finalizers = (Kind.MESH.finalizer,)
        await world.mesh.sees("MODIFIED", resource(builders.mesh(), status=behind, finalizers=finalizers))
        await world.told()
        world.watcher.tell(world.proxies.take(Standing("2", {"shop": MeshStanding(2, 6)}), world.watcher.index))
        assert await world.told() == ["mesh/shop poked", "mesh/shop"]
        known = [change.data_plane for change in world.workflows.taken if isinstance(change, Change)]
        assert known == [DataPlaneReport(proxies=2, revision=5), DataPlaneReport(proxies=2, revision=6)]
