"""How far the proxies of each mesh are, and what they refuse: the sum over all of them. Pure.

A mesh's revision is the one up to which every connected proxy has what was written in the mesh, but for what
`complaints` tell. Proxies that are not connected do not count, nor those of nodes that do not exist. Each replica of
the control plane sums up its own proxies, and `joined` puts the sums together.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from control_plane.store.records import ObjectKey
from control_plane.xds.ads.connections import Connection
from control_plane.xds.feed import Told
from control_plane.xds.meshes import PARENTS

_LONGEST_MESSAGE = 1000


class What(StrEnum):
    """What is wrong with an object at a proxy."""

    REFUSED = "refused"
    """The proxy refuses what comes of it."""
    HELD = "held"
    """It waits for something that the proxy refuses."""
    LEFT_OUT = "leftOut"
    """Something in it cannot be told to any proxy."""


@dataclass(frozen=True, order=True, slots=True)
class Complaint:
    """One thing that is wrong, with one of the proxies where it is."""

    object: ObjectKey
    what: What
    field: str
    message: str
    proxy: str


@dataclass(frozen=True, slots=True)
class MeshStanding:
    """One mesh."""

    proxies: int
    """How many are connected."""
    revision: int
    complaints: tuple[Complaint, ...] = ()


Standing = Mapping[str, MeshStanding]
"""By mesh; those without proxies are not in it."""


def reached(
    connections: Iterable[Connection], told: Iterable[Told], before: Mapping[str, int], newest: int
) -> dict[str, int]:
    """Up to which revision each proxy that is told anything has everything, by connection.

    Args:
        connections: the proxies.
        told: what they are told.
        before: what this function returned last: nobody goes back, even if it is not known for a moment that a newer
            snapshot will not differ.
        newest: the revision of the store.
    """
    through: dict[tuple[object, int], int] = {}
    for each in told:
        at = (each.proxy, each.revision)
        through[at] = min(each.through, through.get(at, each.through))
    found = {}
    for one in connections:
        if one.known:
            has_newest = one.revision and one.reached == one.revision
            now = through.get((one.proxy, one.revision), one.reached) if has_newest else one.reached
            found[one.id] = min(max(now, before.get(one.id, 0)), newest)
    return found


def standing(
    connections: Iterable[Connection],
    told: Iterable[Told],
    reached: Mapping[str, int],
    revision_of: Callable[[str], int],
) -> Standing:
    """The sum over these proxies; `revision_of` tells since when nothing was written in a mesh."""
    revisions: dict[str, list[int]] = {}
    complaints: dict[str, list[Complaint]] = {}
    for one in connections:
        if one.id in reached:
            revisions.setdefault(one.proxy.mesh, []).append(min(reached[one.id], revision_of(one.proxy.mesh)))
            complaints.setdefault(one.proxy.mesh, []).extend(_of_connection(one))
    for each in told:
        complaints.setdefault(each.proxy.mesh, []).extend(
            Complaint(problem.key, What.LEFT_OUT, problem.field, problem.message[:_LONGEST_MESSAGE], str(each.proxy))
            for problem in each.problems
        )
    return {
        mesh: MeshStanding(len(of_mesh), min(of_mesh), _once_each(complaints.get(mesh, ())))
        for mesh, of_mesh in revisions.items()
    }


def joined(parts: Iterable[Standing]) -> Standing:
    """The sum of sums."""
    by_mesh: dict[str, list[MeshStanding]] = {}
    for part in parts:
        for mesh, each in part.items():
            by_mesh.setdefault(mesh, []).append(each)
    return {
        mesh: MeshStanding(
            sum(each.proxies for each in found),
            min(each.revision for each in found),
            _once_each(complaint for each in found for complaint in each.complaints),
        )
        for mesh, found in by_mesh.items()
    }


def shown(standing: Standing) -> list[dict[str, Any]]:
    """As JSON, by name of the mesh."""
    return [
        {
            "meshName": mesh,
            "proxies": each.proxies,
            "revision": each.revision,
            "complaints": [_complaint_shown(complaint) for complaint in each.complaints],
        }
        for mesh, each in sorted(standing.items())
    ]


def read(shown: Iterable[Mapping[str, Any]]) -> Standing:
    """The inverse of `shown`."""
    return {
        mesh["meshName"]: MeshStanding(
            mesh["proxies"], mesh["revision"], tuple(_complaint_read(each) for each in mesh["complaints"])
        )
        for mesh in shown
    }


def _of_connection(one: Connection) -> Iterator[Complaint]:
    for (_, name), fault in one.faults.items():
        what = What.REFUSED if fault.refused else What.HELD
        message = f"{name}: {fault.message}" if fault.refused else f"{name} needs what the proxy refuses"
        for key in fault.sources:
            yield Complaint(key, what, "", message[:_LONGEST_MESSAGE], str(one.proxy))


def _once_each(complaints: Iterable[Complaint]) -> tuple[Complaint, ...]:
    """In order, and of those that differ in the proxy alone the first: so the sum does not change with each proxy."""
    found: dict[tuple[ObjectKey, What, str, str], Complaint] = {}
    for each in sorted(complaints):
        found.setdefault((each.object, each.what, each.field, each.message), each)
    return tuple(found.values())


def _complaint_shown(complaint: Complaint) -> dict[str, Any]:
    key = complaint.object
    about = {"kind": key.kind, "meshName": key.mesh_name, "name": key.name}
    if key.parent:
        about[f"{PARENTS[key.kind]}Name"] = key.parent
    return {
        "object": about,
        "what": complaint.what.value,
        "field": complaint.field,
        "message": complaint.message,
        "proxy": complaint.proxy,
    }


def _complaint_read(shown: Mapping[str, Any]) -> Complaint:
    about = shown["object"]
    kind, name = about["kind"], about["name"]
    parent = about[f"{PARENTS[kind]}Name"] if kind in PARENTS else ""
    key = ObjectKey(kind, "" if kind == "mesh" else about["meshName"], parent, name)
    return Complaint(key, What(shown["what"]), shown["field"], shown["message"], shown["proxy"])
