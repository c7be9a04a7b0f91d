"""How rarely long-running processes look for cycles."""

import gc
import weakref

import pytest

from cli.garbage import YOUNG, collect_rarely


@pytest.fixture(autouse=True)
def _as_before():
    """The tests' own process is left as it was."""
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


class Node:
    """Something that can be in a cycle."""

    myself: "Node"


def test_what_is_there_is_not_looked_at_again():
    """The code of a process is most of what it holds."""
    collect_rarely()
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold()[0] == YOUNG


def test_cycles_are_still_freed():
    """Without being asked for, once enough objects have been made."""
    collect_rarely()
    node = Node()
    node.myself, gone = node, weakref.ref(node)
    del node
    kept: list[list[int]] = [[] for _ in range(2 * YOUNG)]
    assert gone() is None
    assert len(kept) == 2 * YOUNG
