"""What people do in a walk: they apply, edit and delete meshes, nodes and services, and move them about."""

import random
from dataclasses import dataclass
from typing import Any

from resources.annotations import DELETION_POLICY
from resources.kinds import Kind
from tests.builders import Manifest, http_route, listener, mesh, tcp_route, virtual_node, virtual_service
from tests.workflows.walks.cluster import Place

MESHES = ("shop", "mall")
NODES = ("cart", "cart-v2")
SERVICES = ("one", "two", "three")


@dataclass(frozen=True)
class Habits:
    """What the people of a walk do; each walk has some habits, so that no two do the same."""

    services: int = 1
    """How many services there are."""
    shared: bool = False
    """Services name common routers."""
    routers: bool = False
    """Services change their router's name."""
    moves: bool = False
    """Services move to another mesh."""
    providers: bool = False
    """A node may answer for a service."""
    protocols: bool = False
    """Listeners change, of routers and of nodes."""
    nodes: bool = False
    """Nodes come and go."""
    meshes: bool = False
    """Meshes come and go."""
    modes: bool = False
    """The routing is updated in place, or always by a swap, where an annotation says so."""
    retain: bool = False
    """What is deleted may stay in App Mesh."""
    force: bool = False
    """Finalizers are taken off by force."""

    @classmethod
    def of(cls, chance: random.Random) -> "Habits":
        """Some of them."""
        some = {name: chance.randrange(3) == 0 for name in cls.__dataclass_fields__ if name != "services"}
        if some["shared"]:  # a sharer that moves to another mesh is more than we promise (see the limits)
            some["moves"] = False
        if some["retain"]:  # what stays would hold its nodes, they their mesh; and a shared router is others' to change
            some |= {"nodes": False, "meshes": False, "shared": False}
        return cls(services=3 if some["shared"] else chance.randint(1, 2), **some)


def place(manifest: Manifest) -> Place:
    """Where a manifest goes."""
    return Kind(manifest["kind"]), manifest["metadata"].get("namespace"), manifest["metadata"]["name"]


def everything(habits: Habits) -> list[Manifest]:
    """The meshes and nodes that services need."""
    meshes = MESHES if habits.moves else MESHES[:1]
    return [*(mesh(name) for name in meshes), *(virtual_node(name) for name in NODES), *_abroad(habits)]


def service(chance: random.Random, habits: Habits) -> Manifest:
    """One of the services in one of its forms."""
    name = chance.choice(SERVICES[: habits.services])
    abroad = habits.moves and chance.randrange(3) == 0
    targets = [f"{node}-abroad" for node in NODES] if abroad else list(NODES)
    spec: dict[str, Any] = {"meshName": MESHES[1] if abroad else MESHES[0]}
    if habits.providers and chance.randrange(4) == 0:
        spec |= {
            "virtualRouter": None,
            "routes": [],
            "provider": {"virtualNode": {"virtualNodeName": chance.choice(targets)}},
        }
    else:
        router = chance.choice("rq") if habits.routers else "r"
        tcp = habits.protocols and not habits.shared and chance.randrange(4) == 0
        listeners = [
            listener(9090 if habits.protocols and chance.randrange(4) == 0 else 8080, "tcp" if tcp else "http")
        ]
        make = tcp_route if tcp else http_route
        routes = [
            make(f"{name}-{each}", _weights(chance, targets)) for each in chance.sample("abc", chance.randint(1, 3))
        ]
        if tcp:
            routes = routes[:1]
        named = router if habits.shared else f"{router}-{name}"
        spec |= {"virtualRouter": {"name": named, "listeners": listeners}, "routes": routes}
    made = virtual_service(name, **spec)
    annotations = {}
    if habits.modes and chance.randrange(2):
        annotations["meshwright.dev/routing-update"] = "swap" if habits.shared else chance.choice(("in-place", "swap"))
    if habits.retain and chance.randrange(4) == 0:
        annotations[DELETION_POLICY] = chance.choice(("Retain", "Delete"))
    if annotations:
        made["metadata"]["annotations"] = annotations
    return made


def node(chance: random.Random, habits: Habits) -> Manifest:
    """One of the nodes in one of its forms."""
    port = 9090 if habits.protocols and chance.randrange(2) else 8080
    known = [virtual_node(name, listeners=[listener(port)]) for name in NODES]
    return chance.choice([*known, *_abroad(habits)])


def _abroad(habits: Habits) -> list[Manifest]:
    return [virtual_node(f"{name}-abroad", meshName=MESHES[1]) for name in NODES] if habits.moves else []


def _weights(chance: random.Random, targets: list[str]) -> dict[str, int]:
    return {name: chance.randint(1, 2) for name in chance.sample(targets, chance.randint(1, len(targets)))}
