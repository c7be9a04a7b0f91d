"""Which App Mesh objects a resource lays claim to: how resources that have to reckon with one another are found. Pure.

Two VirtualServices that name one router share it; two resources whose names come to the same in App Mesh are rivals.
Both show as a common claim. Read from the raw spec and status, since whatever the API server let through has to be
reckoned with.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from resources.kinds import Kind
from resources.names import namespaced_name

_ROUTER_ARN = re.compile(r":mesh/(?P<mesh>[^/]+)/virtualRouter/(?P<router>[^/]+)")
_MADE_BESIDE = re.compile(r"(?P<base>.+)-[0-9a-f]{8}")


@dataclass(frozen=True, order=True)
class Claim:
    """An App Mesh object by what it is, its mesh and its name."""

    kind: str
    mesh: str
    name: str


def claims(
    kind: Kind, namespace: str, name: str, spec: Mapping[str, Any], status: Mapping[str, Any]
) -> frozenset[Claim]:
    """Everything that the resource claims.

    A VirtualService claims the router that it names and the routers that its status says it is on or has still to
    leave. A router made beside another one by a swap counts as that one too. It also keeps an eye on the service that
    it follows, and on those that follow it: they may have left the router, or come, without having said so. A Mesh
    claims nothing: meshes are told apart by name alone.
    """
    mesh = str(spec.get("meshName") or "")
    match kind:
        case Kind.VIRTUAL_NODE:
            return frozenset({Claim("virtualNode", mesh, namespaced_name(name, namespace))})
        case Kind.VIRTUAL_SERVICE:
            named = named_router(namespace, name, spec)
            leader = (status.get("routerLeader") or {}).get("name")
            sharers = (entry.get("name") for entry in status.get("routerSharers") or ())
            own = {Claim("virtualService", mesh, each) for each in (name, leader, *sharers) if each}
            return frozenset(own | ({named} if named is not None else set()) | set(held_routers(status)))
        case _:
            return frozenset()


def named_router(namespace: str, name: str, spec: Mapping[str, Any]) -> Claim | None:
    """The router that a VirtualService names, by itself or by its own name; None when a node answers for it."""
    if spec.get("provider"):
        return None
    given = str((spec.get("virtualRouter") or {}).get("name") or "").strip()
    return Claim("virtualRouter", str(spec.get("meshName") or ""), namespaced_name(given or name, namespace))


def held_routers(status: Mapping[str, Any]) -> Iterator[Claim]:
    """The routers that a VirtualService's status records, each also under the name beside which it may be made."""
    retired = (entry.get("arn") for entry in status.get("retiredRouters") or ())
    for arn in (status.get("virtualRouterArn"), *retired):
        if arn and (found := _ROUTER_ARN.search(arn)):
            for router in names_of_router(found["router"]):
                yield Claim("virtualRouter", found["mesh"], router)


def names_of_router(name: str) -> tuple[str, ...]:
    """A router's name, and the name beside which it was made if it looks as if it was."""
    made = _MADE_BESIDE.fullmatch(name)
    return (name, made["base"]) if made is not None else (name,)
