"""Whether there is room for one more: right, and seldom counted."""

from collections.abc import Iterable
from unittest.mock import ANY

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.api.room import Room
from control_plane.store import objects
from control_plane.store.database import Write

NODES = ("virtualNode", "shop", "")
ROUTES = ("route", "shop", "router")


class Counted:
    """Collections and their sizes, and how often somebody counted."""

    def __init__(self, monkeypatch, sizes):
        self.sizes = dict(sizes)
        self.times = 0
        monkeypatch.setattr(objects, "count", self.count)

    def count(self, _connection, *collection):
        """How many there are."""
        self.times += 1
        return self.sizes.get(collection, 0)


def fills(room, counted, revisions: Iterable[int], limit: int) -> list[bool]:
    """What each of these writes finds; it adds a node where there is room."""
    found = []
    for revision in revisions:
        found.append(room.is_there(Write(ANY, revision), NODES, limit))
        counted.sizes[NODES] += found[-1]
    return found


def test_a_collection_is_full_at_its_limit_exactly(monkeypatch):
    """Not one more, not one less; and again when one has gone."""
    room, counted = Room(), Counted(monkeypatch, {NODES: 0})
    assert fills(room, counted, range(1, 12), 10) == [True] * 10 + [False]
    counted.sizes[NODES] -= 1
    assert fills(room, counted, range(13, 15), 10) == [True, False]


def test_a_large_collection_is_not_counted_for_each_object(monkeypatch):
    """Ten thousand nodes under a high limit are counted once."""
    room, counted = Room(), Counted(monkeypatch, {NODES: 5000})
    assert all(fills(room, counted, range(1, 5001), 100_000))
    assert counted.times == 1


def test_a_revision_before_the_one_that_was_counted_at_counts_anew(monkeypatch):
    """The database was put back from a backup beneath us."""
    room, counted = Room(), Counted(monkeypatch, {NODES: 0})
    assert room.is_there(Write(ANY, 100), NODES, 10)
    counted.sizes[NODES] = 10
    assert not room.is_there(Write(ANY, 50), NODES, 10)


def test_a_lower_limit_counts_at_once(monkeypatch):
    """What was counted under another limit says nothing wrong."""
    room, counted = Room(), Counted(monkeypatch, {NODES: 5})
    assert room.is_there(Write(ANY, 1), NODES, 100)
    assert not room.is_there(Write(ANY, 2), NODES, 5)
    assert counted.times == 2


@given(st.lists(st.sampled_from(["add", "remove", "elsewhere", "refused"]), max_size=60), st.integers(1, 8))
def test_it_says_what_counting_says(writes, limit):
    """Whatever is written, by whomever; a write that is rolled back gives its revision to the next."""
    room, revision, sizes = Room(), 0, {NODES: 0, ROUTES: 0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(objects, "count", lambda _connection, *collection: sizes[collection])
        for write in writes:
            revision += 1
            if write in ("add", "refused"):
                there = room.is_there(Write(ANY, revision), NODES, limit)
                assert there == (sizes[NODES] < limit)
                if write == "refused" or not there:
                    revision -= 1
                else:
                    sizes[NODES] += 1
            elif write == "remove":
                sizes[NODES] = max(0, sizes[NODES] - 1)
            elif room.is_there(Write(ANY, revision), ROUTES, limit):
                sizes[ROUTES] += 1
