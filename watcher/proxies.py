"""What is known of the proxies of each mesh, and which resource has to hear of it. No I/O.

In goes what the control plane says (`Standing`, the whole state each time) and each sighting of a resource; out come
changes for those whose status says something else. What is compared is the status itself, so a watcher that has just
started, or the second of two, tells what is missing and nothing twice.

A refusal that is no longer there has been repaired when something was written since. Else the proxy may only have lost
its connection, or the control plane been restarted: then it is believed after a while, and so is that nobody is
connected any more.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from activities.objects import ApiObject
from resources.conditions import Condition, ConditionType, Reason, condition_of
from resources.kinds import Kind
from watcher.index import Index, Name, mesh_of
from watcher.mapping import is_settled
from watcher.owners import owns
from workflows.messages import Change, DataPlaneReport, Snapshot

GRACE_SECONDS = 60.0
LONGEST_MESSAGE = 1000
REASONS = {
    "refused": Reason.REFUSED_BY_PROXY,
    "leftOut": Reason.NOT_FOR_PROXIES,
    "held": Reason.HELD_BACK,
}
"""By what the control plane calls it, the worst first."""


@dataclass(frozen=True)
class Complaint:
    """What is wrong with an App Mesh object at a proxy."""

    object: ApiObject
    what: str
    field: str
    message: str
    proxy: str

    def __str__(self) -> str:
        match self.what:
            case "refused":
                return f"{self.proxy} refuses {self.message}"
            case "held":
                return f"{self.proxy}: {self.message}"
            case _:
                return f"{self.object}: {self.field}: {self.message}"


@dataclass(frozen=True)
class MeshStanding:
    """How the proxies of a mesh stand."""

    proxies: int
    revision: int
    complaints: tuple[Complaint, ...] = ()


@dataclass(frozen=True)
class Standing:
    """How those of all meshes stand that have any."""

    version: str
    meshes: Mapping[str, MeshStanding] = field(default_factory=dict)


_NOTHING = Standing("")


class Proxies:
    """The newest standing, and who waits for what."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._standing: Standing | None = None
        self._began = 0.0
        self._left: dict[str, float] = {}  # meshes whose last proxy has gone, and when
        self._pending: defaultdict[str, dict[Name, int]] = defaultdict(dict)  # by mesh, with the revision waited for
        self._objected: dict[Name, int] = {}  # the mesh's revision when something was last wrong with the resource
        self._lifted: dict[Name, float] = {}  # since when nothing is wrong that the status says is

    def report(self, snapshot: Snapshot) -> DataPlaneReport | None:
        """What there is to say to a resource; None while nothing is known for sure."""
        if self._standing is None:
            return None
        mesh = _mesh(snapshot)
        found = self._standing.meshes.get(mesh)
        if found is None:
            long_ago = self._clock() - self._left.get(mesh, self._began) >= GRACE_SECONDS
            return DataPlaneReport() if long_ago else None
        reason, message = _wrong(snapshot, found)
        return DataPlaneReport(proxies=found.proxies, revision=found.revision, reason=reason, message=message)

    def take(self, standing: Standing, index: Index) -> list[Change]:
        """Take in what the control plane says; returns whom to tell what."""
        before, now = self._standing or _NOTHING, self._clock()
        first = self._standing is None
        self._began = now if first else self._began
        self._standing = standing
        for mesh in before.meshes.keys() - standing.meshes.keys():
            self._left[mesh] = now
        for mesh in standing.meshes:
            self._left.pop(mesh, None)
        concerned = index.all() if first else self._concerned(before, standing, index)
        return [change for snapshot in concerned if (change := self.sighted(snapshot)) is not None]

    def forget(self) -> None:
        """Nobody tells any more."""
        self._standing = None

    def sighted(self, snapshot: Snapshot) -> Change | None:
        """What to tell a resource that looks like this."""
        name, report = Name.of(snapshot), self.report(snapshot)
        says = _Says.of(snapshot)
        pending = self._pending[_mesh(snapshot)]
        pending.pop(name, None)
        if report is None:
            if says.is_negative:
                pending[name] = 0
            return None
        if says.revision is None or not is_settled(snapshot):
            return None  # it is sighted again when its workflow is done
        if report.proxies == 0:
            tell = says.is_negative
        elif report.revision < says.revision:
            pending[name] = says.revision
            return None
        elif report.reason is not None:
            self._objected[name] = report.revision
            self._lifted.pop(name, None)
            tell = not says.agrees(report)
        elif says.objection is not None and not self._is_over(name, report):
            pending[name] = 0
            return None
        else:
            tell = not says.agrees(report)
            self._objected.pop(name, None)
            self._lifted.pop(name, None)
        because = "news of its mesh's proxies"
        return Change(snapshot=snapshot, because=because, data_plane=report) if tell else None

    def lost(self, snapshot: Snapshot) -> None:
        """A resource is gone."""
        name = Name.of(snapshot)
        self._pending[_mesh(snapshot)].pop(name, None)
        self._objected.pop(name, None)
        self._lifted.pop(name, None)

    def _is_over(self, name: Name, report: DataPlaneReport) -> bool:
        """Whether a refusal that the status still tells of is believed to be no more."""
        if report.revision > self._objected.get(name, report.revision):
            return True
        return self._clock() - self._lifted.setdefault(name, self._clock()) >= GRACE_SECONDS

    def _concerned(self, before: Standing, now: Standing, index: Index) -> Iterator[Snapshot]:
        for mesh in sorted(before.meshes.keys() | now.meshes.keys() | self._pending.keys()):
            old, new = before.meshes.get(mesh), now.meshes.get(mesh)
            if (old is None) != (new is None):
                yield from _resources_of(mesh, index)
                continue
            due = {name for name, revision in self._pending[mesh].items() if new is None or revision <= new.revision}
            if old is not None and new is not None and old.complaints != new.complaints:
                about = [complaint.object for complaint in (*old.complaints, *new.complaints)]
                for snapshot in _resources_of(mesh, index):
                    if any(owns(snapshot, object) for object in about):
                        due.add(Name.of(snapshot))
            found = (index.get(name) for name in sorted(due, key=str))
            yield from (snapshot for snapshot in found if snapshot is not None)


@dataclass(frozen=True)
class _Says:
    """What a status says of proxies."""

    accepted: Condition | None
    synced: Condition | None
    revision: int | None

    @classmethod
    def of(cls, snapshot: Snapshot) -> "_Says":
        conditions = [_condition(each) for each in snapshot.status.get("conditions") or ()]
        return cls(
            condition_of(conditions, ConditionType.DATA_PLANE_ACCEPTED),
            condition_of(conditions, ConditionType.DATA_PLANE_SYNCED),
            snapshot.status.get("dataPlaneRevision"),
        )

    @property
    def is_negative(self) -> bool:
        return any(each is not None and each.status != "True" for each in (self.accepted, self.synced))

    @property
    def objection(self) -> tuple[str | None, str | None] | None:
        """What is wrong, by the status: reason and message."""
        synced = self.synced
        if synced is None or synced.status == "True" or synced.reason == Reason.PUSHING:
            return None
        return synced.reason, synced.message

    def agrees(self, report: DataPlaneReport) -> bool:
        """Whether that is what a report from proxies says who have followed."""
        if report.reason is not None:
            return self.objection == (report.reason, report.message)
        both = (self.accepted, self.synced)
        return all(each is not None and each.status == "True" for each in both)


def _condition(found: Mapping[str, Any]) -> Condition:
    """Of whatever the API server let through, as much as counts here."""
    return Condition.model_construct(
        type=str(found.get("type")),
        status="True" if found.get("status") == "True" else "False",
        reason=found.get("reason"),
        message=found.get("message"),
    )


def _mesh(snapshot: Snapshot) -> str:
    return snapshot.key.name if snapshot.key.kind is Kind.MESH else str(mesh_of(snapshot))


def _resources_of(mesh: str, index: Index) -> Iterator[Snapshot]:
    own = index.get(Name(Kind.MESH, None, mesh))
    if own is not None:
        yield own
    yield from index.members(mesh)


def _wrong(snapshot: Snapshot, mesh: MeshStanding) -> tuple[Reason | None, str]:
    """What is wrong with a resource: the worst, and how much more."""
    found = [each for each in mesh.complaints if each.what in REASONS and owns(snapshot, each.object)]
    if not found:
        return None, ""
    worst = min(found, key=lambda each: list(REASONS).index(each.what))
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return REASONS[worst.what], str(worst)[: LONGEST_MESSAGE - len(more)] + more
