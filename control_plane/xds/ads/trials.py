"""Which part of a resource a client refuses: found by trying parts a few at a time. Pure.

When a route configuration is refused, the next response tells of half of what is new in it, and leaves the other parts
as the client has them; and so on, until one new part alone is refused. That one stays as it was until its content is
another, and all the rest is told.
"""

from dataclasses import dataclass

from control_plane.xds.ads.splice import keeping, parts
from control_plane.xds.snapshot import Resource, digest

_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class Refused:
    """A part that was refused alone."""

    version: str
    """Of its content."""
    message: str


class Trial:
    """What is known of the parts of one resource, on one stream."""

    def __init__(self) -> None:
        self.refused_parts: dict[str, Refused] = {}
        self._limit: int | None = None  # of new parts in one response
        self._tried: dict[str, tuple[str, ...]] = {}  # which parts are new in a response, by its version
        self._hopeless: str | None = None  # the version of a target of which nothing more can be told

    def variant(self, target: Resource, base: Resource | None) -> Resource | None:
        """What to tell of the target now to a client that has `base`; the target itself when nothing is in doubt.

        None: nothing that is not refused. The same as `base` when all that could be told is told.
        """
        wanted, there = parts(target), parts(base)
        self.refused_parts = {
            name: each
            for name, each in self.refused_parts.items()
            if name in wanted and digest(wanted[name]) == each.version
        }
        if self._hopeless is not None:
            if self._hopeless == target.version:
                return base
            self._hopeless = None
        new = [name for name, each in wanted.items() if there.get(name) != each and name not in self.refused_parts]
        if not new:
            self._limit = None
        if self._limit is None and not self.refused_parts:
            return target
        trying = new if self._limit is None else new[: self._limit]
        made = keeping(target, base, {*self.refused_parts, *new} - {*trying})
        if made is not None:
            if len(self._tried) >= _REMEMBERED:
                self._tried.clear()
            self._tried[made.version] = tuple(trying)
        return made

    def refuse(self, sent: Resource, base: Resource | None, target: Resource, message: str) -> None:
        """The client, which has `base`, did not take what was sent on the way to the target."""
        content, there = parts(sent), parts(base)
        changed = tuple(name for name, each in content.items() if there.get(name) != each)
        tried = self._tried.get(sent.version, changed)
        if len(tried) == 1:
            self.refused_parts[tried[0]] = Refused(digest(content[tried[0]]), message)
            self._limit = None
        elif tried:
            self._limit = len(tried) // 2
        else:
            self._hopeless = target.version

    def accept(self) -> None:
        """The client took what was sent."""
        if self._limit is not None:
            self._limit *= 2
