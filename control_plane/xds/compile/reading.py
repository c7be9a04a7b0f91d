"""Reading the mesh: what was read is remembered, and so is what was found wrong, so that results can be kept.

A result that was made from some reads is right as long as they would give the same again. `Memo` keeps results with
their reads and takes them up again on a later state if that holds. It only saves time: with and without it, the
results are equal.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar, cast

from control_plane.store.records import ObjectKey, ObjectRecord
from control_plane.xds.snapshot import Problem
from control_plane.xds.state import Instance, MeshState

T = TypeVar("T")

# Enough for every node and service of some large meshes; a result takes a few kilobytes.
_KEPT_RESULTS = 50_000


class Memo:
    """Results by what they are of, the least recently used forgotten first. For one thread at a time."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[Reading, Any]] = OrderedDict()

    def result(self, of: Hashable, state: MeshState, make: "Callable[[Reading], T]") -> "tuple[Reading, T]":
        """What `make` gives on this state, and what it read."""
        kept = self._kept.get(of)
        if kept is None or not kept[0].holds_in(state):
            reading = Reading(state, self)
            kept = self._kept[of] = (reading, make(reading))
            reading.finish()
            if len(self._kept) > _KEPT_RESULTS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(of)
        return cast("tuple[Reading, T]", kept)


class Reading:
    """The reads of one result, on one state, and the problems that were found on the way."""

    def __init__(self, state: MeshState, memo: Memo) -> None:
        self._state: MeshState | None = state
        self._memo = memo
        self._objects: dict[ObjectKey, ObjectRecord | None] = {}
        self._children: dict[tuple[str, ObjectKey], tuple[ObjectRecord, ...]] = {}
        self._instances: dict[tuple[str, str], tuple[Instance, ...] | None] = {}
        self._problems: dict[Problem, None] = {}

    @property
    def objects(self) -> frozenset[ObjectKey]:
        """What was looked for, whether it is there or not; the parent stands for its children."""
        return frozenset(self._objects) | {parent for _, parent in self._children}

    def written(self, key: ObjectKey) -> int:
        """The revision of the last write of what was read; 0 if it was not there."""
        record = self._objects.get(key)
        if record is None and key.parent:
            read = (each for records in self._children.values() for each in records)
            record = next((each for each in read if each.key == key), None)
        return record.revision if record is not None else 0

    @property
    def instances(self) -> frozenset[tuple[str, str]]:
        """The Cloud Map services whose instances were read."""
        return frozenset(self._instances)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was found wrong, once each."""
        return tuple(self._problems)

    def get(self, kind: str, mesh: str, name: str) -> ObjectRecord | None:
        """The mesh itself or something directly in it."""
        key = ObjectKey(kind, mesh, "", name)
        record = self._objects[key] = self._now.objects.get(key)
        return record

    def children(self, kind: str, parent: ObjectKey) -> tuple[ObjectRecord, ...]:
        """The routes of a router or the gateway routes of a gateway, by name."""
        found = self._children[kind, parent] = tuple(self._now.children(kind, parent))
        return found

    def instances_of(self, namespace: str, service: str) -> tuple[Instance, ...] | None:
        """The instances of a Cloud Map service; None: Cloud Map has not been asked for them."""
        found = self._instances[namespace, service] = self._now.instances.get((namespace, service))
        return found

    def problem(self, key: ObjectKey, field: str, message: str) -> None:
        """Note what Envoy cannot be told."""
        self._problems[Problem(key, field, message)] = None

    def part(self, of: Hashable, make: "Callable[[Reading], T]") -> T:
        """A result that this one is made from: its reads and problems are this one's too."""
        reading, result = self._memo.result(of, self._now, make)
        self._objects.update(reading._objects)
        self._children.update(reading._children)
        self._instances.update(reading._instances)
        self._problems.update(reading._problems)
        return result

    def finish(self) -> None:
        """Let go of the state: what is kept must not keep a whole mesh alive."""
        self._state = None

    def holds_in(self, state: MeshState) -> bool:
        """Whether all that was read is the same in this state."""
        return (
            _same(self._objects, state.objects.get)
            and _same(self._instances, state.instances.get)
            and _same(self._children, lambda at: tuple(state.children(*at)))
        )

    @property
    def _now(self) -> MeshState:
        if self._state is None:
            raise RuntimeError("this reading is finished")
        return self._state


def _same(read: Mapping[Any, Any], now: Callable[[Any], Any]) -> bool:
    """Whether it reads the same now; nearly always it is the same object, and then nothing is compared."""
    for at, before in read.items():
        after = now(at)
        if after is not before and after != before:
            return False
    return True
