"""Stale state: the watcher is shown a view of the past, and everything since a second time.

Another kube-apiserver behind the same address may lag behind. What was edited, deleted or made anew meanwhile must not
be undone by old news.
"""

import pytest

from tests.e2e.world import World
from tests.faults.edits import first, rerouted
from tests.faults.gaps import forget, view_of_now
from tests.faults.rules import mentioning
from tests.faults.scene import Scene
from tests.faults.site import FaultSite
from tests.faults.table import Stopwatch, Table
from tests.faults.verdict import Oracle, assert_converged
from tests.waiting import until


@pytest.mark.parametrize("settled", [pytest.param(True, id="settled"), pytest.param(False, id="unsettled")])
@pytest.mark.parametrize(
    "restarted", [pytest.param(True, id="new-watcher"), pytest.param(False, id="same-watcher", marks=pytest.mark.e2e)]
)
def test_a_view_of_the_past_undoes_nothing(
    site: FaultSite, oracle: Oracle, table: Table, world: World, settled: bool, restarted: bool
) -> None:
    """Edited, deleted, made anew and created since the view: all stay as they are now, without a write."""
    cluster = site.cluster
    ground = [world.mesh(), world.node("cart"), world.node("cart-v2")]
    (edited,), (deleted,), (anew,) = (first(world, name) for name in ("edited", "deleted", "anew"))
    cluster.converge(*ground)
    if settled:
        cluster.converge(edited, deleted, anew)
        past = view_of_now(site)
    else:  # the view shows them with a finalizer and without a status: their creation is under way
        with cluster.frozen("worker"):
            cluster.kubernetes.apply(edited, deleted, anew)
            past = view_of_now(site)
        cluster.kubernetes.wait_active(edited, deleted, anew)

    wanted = [*ground, *rerouted(world, "edited"), *rerouted(world, "anew"), *first(world, "created")]
    cluster.kubernetes.delete(deleted, anew)
    cluster.wait_let_go(deleted, anew)
    cluster.converge(*wanted)
    versions = cluster.app_mesh.versions(world.name)
    with table.case(f"a view of the past, {'settled' if settled else 'unsettled'}, {_who(restarted)}") as row:
        since = len(site.app_mesh.exchanges)
        if restarted:
            with site.kubernetes.ruled_by(past):
                cluster.stack.restart("watcher")
        else:
            forget(site, past)
        stopwatch = Stopwatch()
        assert_converged(oracle, world, wanted, [deleted])
        row.seconds = stopwatch.seconds
        assert cluster.app_mesh.versions(world.name) == versions, "old news made somebody write"
        row.writes, row.minimal = _writes(site, world, since), 0
        assert row.writes == 0


def _who(restarted: bool) -> str:
    return "new watcher" if restarted else "same watcher"


def _writes(site: FaultSite, world: World, since: int) -> int:
    return len(site.app_mesh.effects(mentioning(world.name), since))


def test_watches_that_break_off_lose_nothing(scene: Scene) -> None:
    """Cut in the middle of every edit, again and again: the watcher goes on where it was."""
    scene.open()
    with scene.sampled("watches break off"):
        scene.site.kubernetes.cut_streams()
        scene.edit()
        for _ in range(5):
            cut_next(scene.site)


def cut_next(site: FaultSite) -> None:
    """Wait for watches to be there, and cut them."""
    until(site.kubernetes.cut_streams, what="a watch to cut")


def test_watches_that_expire_lose_nothing(scene: Scene) -> None:
    """410 Gone in the middle of every edit: the watcher lists again, and compares."""
    scene.open()
    with scene.sampled("watches expire"):
        scene.edit()
        forget(scene.site)
