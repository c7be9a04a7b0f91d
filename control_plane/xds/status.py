"""How connected proxies stand, as JSON: `GET /v1/proxies`, an extension beside App Mesh's operations. Pure.

Each replica of the control plane tells of those that are connected to it.
"""

from collections.abc import Callable, Iterable
from typing import Any

from control_plane.store.records import ObjectKey
from control_plane.xds.ads.connections import Connection, KindStatus, Refusal
from control_plane.xds.meshes import PARENTS
from control_plane.xds.proxies import ProxyId
from control_plane.xds.snapshot import Kind, Problem

PATH = "/v1/proxies"


def document(connections: Iterable[Connection], problems: Callable[[ProxyId], Iterable[Problem]]) -> dict[str, Any]:
    """All connections, the oldest first."""
    return {"proxies": [_shown(each, problems(each.proxy)) for each in connections]}


def _shown(connection: Connection, problems: Iterable[Problem]) -> dict[str, Any]:
    return {
        "proxy": str(connection.proxy),
        "nodeId": connection.node_id,
        "address": connection.address,
        "protocol": connection.form,
        "since": connection.since.isoformat(timespec="seconds"),
        "state": state(connection),
        "revision": connection.revision,
        "acceptedRevision": connection.synced,
        "resources": {short(kind): _kind(status) for kind, status in connection.kinds.items()},
        "problems": [
            {"object": path(problem.key), "field": problem.field, "message": problem.message} for problem in problems
        ],
    }


def state(connection: Connection) -> str:
    """In one word: unknown (there is no such node), refused, pending or synced."""
    if not connection.known:
        return "unknown"
    if any(status.refused for status in connection.kinds.values()):
        return "refused"
    return "pending" if connection.pending else "synced"


def short(kind: Kind) -> str:
    """The last part of a type URL: Cluster."""
    return kind.rpartition(".")[2]


def path(key: ObjectKey) -> str:
    """An object as in ARNs: mesh/M/virtualRouter/R/route/N."""
    if not key.mesh:
        return f"mesh/{key.name}"
    between = f"{PARENTS[key.kind]}/{key.parent}/" if key.parent else ""
    return f"mesh/{key.mesh}/{between}{key.kind}/{key.name}"


def _kind(status: KindStatus) -> dict[str, Any]:
    shown: dict[str, Any] = {"sent": status.sent, "accepted": status.accepted, "quarantined": list(status.quarantined)}
    if status.refusal is not None:
        shown["refusal"] = _refusal(status.refusal)
    return shown


def _refusal(refusal: Refusal) -> dict[str, Any]:
    return {
        "message": refusal.message,
        "version": refusal.version,
        "at": refusal.at.isoformat(timespec="seconds"),
        "resources": list(refusal.names),
        "objects": sorted(path(key) for key in refusal.sources),
    }
