"""Who may begin: first reconciles are let in a few at a time, each after what it needs.

A person may apply a thousand resources at once. Told all at once, their workflows would wait in Temporal's queues for
minutes, with every edit of anybody behind them, and most would begin only to find that their mesh or their nodes are
not there yet. So the first news of a resource is held here while too many others are at work, or while something that
it refers to is. A resource is at work from when its workflow is told until its first status is seen.

Namespaces take turns, so that one who applies little does not wait for all of one who applies much.

This only orders and delays, and nothing waits for ever. Beside those who take long, as while App Mesh does not answer,
others are let in, up to a number that a machine which is merely slow can bear. Whoever takes longer still counts as
done, and so do all who take long when nobody reports at all. News of resources that have a status (edits, pokes,
deletions) never wait. No I/O.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import takewhile

from resources.kinds import Kind
from watcher.index import Name, mesh_of, nodes_of
from workflows.messages import Snapshot

AT_ONCE = 16
"""Two cores are busy with a dozen. More go no faster, and an edit waits for them: with 64 three times as long."""
AT_MOST = 64
"""Those included who have been at work for long."""
PATIENCE_SECONDS = 5.0
"""From then on a resource takes long."""
LONGEST_SECONDS = 60.0
"""How long it may hold up those who refer to it, while others report."""


class Admission:
    """Names of resources that wait to begin, and of those that have begun."""

    def __init__(self, at_once: int = AT_ONCE, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_once = at_once
        self._clock = clock
        self._at_work: dict[Name, float] = {}
        """Since when; the oldest first."""
        self._last_report = clock()
        self._waiting: dict[Name, tuple[Name, ...]] = {}
        """What each refers to."""
        self._next: dict[str | None, dict[Kind, dict[Name, None]]] = {}
        """By namespace, those that nothing holds but the number at work, in the order in which they came."""
        self._held_by: defaultdict[Name, list[Name]] = defaultdict(list)

    def needed_for(self, snapshot: Snapshot) -> bool:
        """Whether news of the resource has to wait to be admitted: it has no status yet, and has not begun."""
        return has_no_status(snapshot) and not snapshot.deleting and Name.of(snapshot) not in self._at_work

    def hold(self, snapshot: Snapshot) -> None:
        """Let the resource wait until `admitted` names it."""
        name = Name.of(snapshot)
        if name not in self._waiting:
            self._waiting[name] = tuple(_needs(snapshot))
            self._queue(name)

    def done(self, name: Name) -> None:
        """Its status has been seen, or it is gone."""
        if self._at_work.pop(name, None) is not None:
            self._last_report = self._clock()
        if self._waiting.pop(name, None) is not None and name.namespace in self._next:
            self._next[name.namespace][name.kind].pop(name, None)
        self._free(name)

    def admitted(self) -> Iterable[Name]:
        """Who may begin now; they are at work from here on. Of each namespace nodes come before services."""
        self._give_up_on_the_slow()
        while self._next and self._has_room():
            name = self._whose_turn()
            if name is not None and not self._is_held(name):
                del self._waiting[name]
                self._at_work[name] = self._clock()
                yield name

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def _has_room(self) -> bool:
        long_ago = self._clock() - PATIENCE_SECONDS
        new = sum(1 for _ in takewhile(lambda since: since > long_ago, reversed(self._at_work.values())))
        return new < self._at_once and len(self._at_work) < AT_MOST

    def _queue(self, name: Name) -> None:
        if not self._is_held(name):
            self._next.setdefault(name.namespace, {kind: {} for kind in Kind})[name.kind][name] = None

    def _whose_turn(self) -> Name | None:
        """Take the first of the namespace whose turn it is; None when it has nobody left."""
        namespace = next(iter(self._next))
        kinds = self._next.pop(namespace)
        names = next((names for names in kinds.values() if names), None)
        if names is None:
            return None
        self._next[namespace] = kinds  # at the end of the line
        name = next(iter(names))
        del names[name]
        return name

    def _is_held(self, name: Name) -> bool:
        """Whether something that it refers to has to go first; that one frees it."""
        for need in self._waiting[name]:
            if need in self._at_work or need in self._waiting:
                self._held_by[need].append(name)
                return True
        return False

    def _free(self, name: Name) -> None:
        for held in self._held_by.pop(name, ()):
            if held in self._waiting:
                self._queue(held)

    def _give_up_on_the_slow(self) -> None:
        now = self._clock()
        patience = PATIENCE_SECONDS if now - self._last_report >= PATIENCE_SECONDS else LONGEST_SECONDS
        while self._at_work and (oldest := next(iter(self._at_work.items())))[1] <= now - patience:
            del self._at_work[oldest[0]]
            self._free(oldest[0])


def has_no_status(snapshot: Snapshot) -> bool:
    """Whether no workflow has reported on the resource yet."""
    return snapshot.status.get("observedGeneration") is None


def _needs(snapshot: Snapshot) -> Iterable[Name]:
    """What the resource's reconcile would wait for."""
    mesh = mesh_of(snapshot)
    if mesh is not None:
        yield Name(Kind.MESH, None, mesh)
    yield from sorted(nodes_of(snapshot), key=str)
