"""What people do while a fault strikes: one row per kind of edit. A new row here is a new row of the whole matrix."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.builders import Manifest, listener
from tests.e2e.world import World, route

State = Callable[[World, str], list[Manifest]]
"""The resources of a service of this name; empty when there is none."""

_CANARY = {"cart": 90, "cart-v2": 10}
_HALVES = {"cart": 50, "cart-v2": 50}
_ROUTES = 3


@dataclass(frozen=True)
class Edit:
    """From one desired state to another, and what App Mesh calls that takes without faults."""

    name: str
    before: State
    after: State
    minimal: int
    """Writes that it takes."""
    strike_at: int
    """The write, counted from 0, at which the fault strikes."""

    def hosts(self, world: World) -> list[str]:
        """The full names of the services that it is about."""
        manifests = (*self.before(world, slug(self)), *self.after(world, slug(self)))
        return list(dict.fromkeys(manifest["metadata"]["name"] for manifest in manifests))


def absent(world: World, name: str) -> list[Manifest]:
    """No service."""
    return []


def first(world: World, name: str) -> list[Manifest]:
    """A service with three routes that share traffic between two nodes."""
    return [world.service(name, _ROUTES, _CANARY)]


def one_weight_changed(world: World, name: str) -> list[Manifest]:
    """The same with another weight in one route: one call in place."""
    routes = [route(number, _HALVES if number == 2 else _CANARY) for number in range(1, _ROUTES + 1)]
    return [world.service(name, routes)]


def rerouted(world: World, name: str) -> list[Manifest]:
    """Two routes change, one goes, one comes: a new router beside the old one, and a swap."""
    return [world.service(name, [route(number, _HALVES) for number in (1, 2, 4)])]


def _shared(world: World, name: str, targets: dict[str, int]) -> list[Manifest]:
    router = {"name": f"{name}-router", "listeners": [listener()]}
    own = [route(number, targets) for number in (1, 2)]
    return [
        world.service(name, own, virtualRouter=router),
        world.service(sharer_of(name), [route(3)], virtualRouter=router),
    ]


def sharing(world: World, name: str) -> list[Manifest]:
    """Two services on one router, with two routes and with one."""
    return _shared(world, name, _CANARY)


def sharing_rerouted(world: World, name: str) -> list[Manifest]:
    """Both routes of the first one change: a new router for both services."""
    return _shared(world, name, _HALVES)


EDITS = (
    Edit("create", absent, first, minimal=_ROUTES + 2, strike_at=2),
    Edit("in-place update", first, one_weight_changed, minimal=1, strike_at=0),
    # A router and three routes, the turn of the service, three routes and a router: struck just after the turn.
    Edit("swap update", first, rerouted, minimal=4 + 1 + 4, strike_at=4),
    # A router and three routes, the turns of two services, three routes and a router: struck between the turns.
    Edit("shared-router update", sharing, sharing_rerouted, minimal=4 + 2 + 4, strike_at=4),
    Edit("delete", first, absent, minimal=_ROUTES + 2, strike_at=2),
)


def slug(edit: Edit) -> str:
    """The name of the service that the edit is made to."""
    return edit.name.replace(" ", "-")


def sharer_of(service: str) -> str:
    """The name of the service that shares its router with this one, where there is one."""
    return f"{service}-too"


def marks(world: World, service: str) -> tuple[str, ...]:
    """What an App Mesh call about this service, or about one that shares its router, mentions."""
    return world.host(service), world.host(sharer_of(service)), f"{service}-router-{world.name}"
