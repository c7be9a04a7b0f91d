"""A place in an object's spec: the value there, and the words for what is wrong with it.

Builders take a `Place` rather than a bare dict, so that what Envoy cannot be told is reported where the user wrote it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.duration_pb2 import Duration

from control_plane.store.records import ObjectKey, ObjectRecord
from control_plane.xds.compile.messages import milliseconds
from control_plane.xds.compile.reading import Reading

_MILLISECONDS = {"ms": 1, "s": 1000}
# Envoy counts in nanoseconds; ten years are as good as for ever.
_LONGEST = 10 * 365 * 24 * 3600 * 1000


@dataclass(frozen=True)
class Place:
    """Somewhere in a spec, as seen by a reading."""

    reading: Reading
    key: ObjectKey
    path: str
    value: Any

    @classmethod
    def spec_of(cls, reading: Reading, record: ObjectRecord) -> "Place":
        """The spec of an object."""
        return cls(reading, record.key, "spec", record.spec)

    def __getitem__(self, name: str) -> "Place":
        """A member that is there."""
        return Place(self.reading, self.key, f"{self.path}.{name}", self.value[name])

    def get(self, *names: str) -> "Place | None":
        """A member, or a member's member; None if it is not there."""
        place: Place = self
        for name in names:
            if name not in place.value:
                return None
            place = place[name]
        return place

    def only(self) -> "tuple[str, Place]":
        """The one member of a union."""
        name = next(iter(self.value))
        return name, self[name]

    def items(self, name: str) -> "Iterator[Place]":
        """The items of a list that may be missing."""
        for index, value in enumerate(self.value.get(name, ())):
            yield Place(self.reading, self.key, f"{self.path}.{name}[{index}]", value)

    def problem(self, message: str) -> None:
        """Say what is wrong here."""
        self.reading.problem(self.key, self.path, message)

    def duration(self) -> Duration | None:
        """A duration; without a unit it could mean anything."""
        value = self.value.get("value", 0)
        unit = self.value.get("unit")
        if unit is None and value:
            self.problem("a duration needs a unit; it is left out")
            return None
        return milliseconds(min(value * _MILLISECONDS.get(unit, 1), _LONGEST))
