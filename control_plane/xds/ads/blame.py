"""Whose fault it is that a proxy does without something, on one stream. Pure.

A proxy says which response it refuses, and why, but not whose fault that is. Of the objects that a resource comes from,
those are blamed that were written since the proxy took it last. When it never did, its own node is blamed if the
resource comes from that too: what other nodes say was taken by others as a rule.
"""

from collections.abc import Collection, Iterable, Mapping

from control_plane.store.records import ObjectKey
from control_plane.xds.ads.connections import Fault, Faults
from control_plane.xds.ads.subscription import Batch
from control_plane.xds.parts import Part
from control_plane.xds.snapshot import Kind, Snapshot

At = tuple[Kind, str]


class Blame:
    """What one proxy took, and what it refused."""

    def __init__(self, node: ObjectKey) -> None:
        self.snapshot: Snapshot | None = None
        """The newest that the proxy is to have."""
        self._node = node
        self._sent: dict[At, int] = {}  # the revision of the snapshot that the last response showed
        self._taken: dict[At, int] = {}  # the same for the last that was accepted
        self._faults: dict[At, Fault] = {}

    def sent(self, kind: Kind, batch: Batch, revision: int, held: Collection[At]) -> None:
        """A response goes out that shows a snapshot of this revision, but for what of it is held back."""
        for name in batch.changes:
            if (kind, name) not in held:
                self._sent[kind, name] = revision

    def accepted(self, kind: Kind, batch: Batch) -> None:
        """The proxy took it."""
        for name in batch.changes:
            if (kind, name) in self._sent:
                self._taken[kind, name] = self._sent[kind, name]

    def refused(self, kind: Kind, batch: Batch, message: str) -> None:
        """The proxy did not; if it was one resource alone, that one is at fault."""
        if len(batch.changes) == 1:
            for name in batch.changes:
                self._faults[kind, name] = Fault(message, self.sources(kind, name))

    def sources(self, kind: Kind, name: str) -> frozenset[ObjectKey]:
        """Who is to blame for a resource."""
        if self.snapshot is None:
            return frozenset({self._node})
        sources = self.snapshot.sources.get((kind, name)) or frozenset({self._node})
        taken = self._taken.get((kind, name))
        if taken is None:
            return frozenset({self._node}) if self._node in sources else sources
        return frozenset(key for key in sources if self.snapshot.written(key) > taken) or sources

    def faults(self, quarantined: Iterable[At], held: Iterable[At], parts: Mapping[Part, str]) -> Faults:
        """What the proxy does without now: what it refused, and what needs that.

        Args:
            quarantined: what it refused alone.
            held: what waits for that.
            parts: where only some parts of a resource wait: which, and why the proxy refuses them, if it does.
        """
        self._faults = {at: self._faults[at] for at in quarantined if at in self._faults}
        # What it refused and is not to have any more (it stays on offer while it drains) is nobody's fault.
        refused = {at: fault for at, fault in self._faults.items() if self._is_wanted(at)}
        waiting: dict[At, frozenset[ObjectKey]] = {at: frozenset() for at in held}
        for (kind, name, part), message in parts.items():
            sources = self._sources_of_part((kind, name, part))
            if message:
                refused[kind, f"{name} ({part})"] = Fault(message, sources or self.sources(kind, name))
            waiting[kind, name] |= frozenset() if message else sources
        told = {part[:2] for part, message in parts.items() if message}
        for at, sources in waiting.items():
            if sources or at not in told:
                refused[at] = Fault("", sources or self.sources(*at), refused=False)
        return refused

    def _is_wanted(self, at: At) -> bool:
        kind, name = at
        return self.snapshot is None or name in self.snapshot.named(kind)

    def _sources_of_part(self, part: Part) -> frozenset[ObjectKey]:
        return self.snapshot.part_sources.get(part, frozenset()) if self.snapshot is not None else frozenset()
