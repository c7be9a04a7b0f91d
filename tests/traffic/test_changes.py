"""Changes in a row under constant load: every one takes effect, and no request fails."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

import pytest

from tests.e2e.cluster import Cluster
from tests.traffic.changes import Changes
from tests.traffic.town import Town

CHANGES = {"quick": 36, "full": 207}  # whole rounds: the third colour has gone at the end
KILLED = ("control-plane", "worker", "temporal")
CALM_SECONDS = 2.0


@pytest.mark.parametrize("town", ["sotw", "delta"], indirect=True)
def test_no_request_fails_however_the_mesh_changes(town: Town, full: bool):
    """Weights, swaps, nodes that come and go, ports, listeners and health checks."""
    run(town, CHANGES["full" if full else "quick"])


@pytest.mark.parametrize("town", ["sotw", "delta"], indirect=True)
def test_no_request_fails_while_the_parts_that_change_the_mesh_are_killed(town: Town, full: bool):
    """Control plane, worker and Temporal, at random, without a warning; every change still takes effect."""
    made: list[str] = []
    with killing(town.cluster, made):
        run(town, CHANGES["full"] if full else 9, made)


def run(town: Town, changes: int, made: list[str] | None = None) -> None:
    """Make so many changes under load; their names are added to `made` as they take effect."""
    town.open(town.service({"red": 1}))
    with town.loaded(pause=0.02) as load:
        kinds = Changes(town)
        for change in islice(kinds.each(), changes):
            change()
            if made is not None:
                made.append(change.__name__)
        kinds.wait_forgotten("blue")
    assert load.failures == []
    assert load.answers.total() > 10 * changes


@contextmanager
def killing(cluster: Cluster, made: list[str]) -> Iterator[None]:
    """Kill parts of the stack inside the block, each at some time after the last is back and a change was made.

    On a slow machine a worker that is killed whenever it is back would never get to do anything.
    """
    over = threading.Event()

    def kill() -> None:
        chance = random.Random(5)
        killed_at = -1
        while not over.wait(chance.uniform(0, CALM_SECONDS) if len(made) > killed_at else 0.05):
            if len(made) > killed_at:
                killed_at = len(made)
                cluster.kill(chance.choice(KILLED))

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()
