"""A shop whose services are created, changed and deleted while parts of the stack die; and what it must come to."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.builders import Manifest
from tests.e2e.app_mesh import Specs
from tests.e2e.cluster import Cluster
from tests.e2e.world import World, route

ROUTES = 3
WRITES = ROUTES + 2
"""What it takes to create a service; an edit here and a deletion take as many."""


@dataclass
class Shop:
    """A mesh with nodes, and services in it that things are done to while parts die.

    `calm-new` and `calm-changed` are never disturbed: the others are compared with them.
    """

    cluster: Cluster
    world: World
    states: dict[str, str] = field(default_factory=dict)
    """Each service, and what it is to be in the end: new, changed or absent."""

    def open(self) -> None:
        """Make all that exists before the first kill."""
        self.cluster.converge(self.world.mesh(), self.world.node("cart"), self.world.node("cart-v2"))
        self.cluster.converge(self.new("calm-new"), self.changed("calm-changed"))

    def new(self, name: str) -> Manifest:
        """A service as it is first applied."""
        self.states[name] = "new"
        return self.world.service(name, ROUTES, {"cart": 90, "cart-v2": 10})

    def changed(self, name: str) -> Manifest:
        """The same after an edit that takes five writes: two routes change, one goes, two come."""
        self.states[name] = "changed"
        routes = [route(number, {"cart": 50, "cart-v2": 50}) for number in (1, 2, 4, 5)]
        return self.world.service(name, routes)

    def gone(self, name: str) -> Manifest:
        """The same, to be deleted."""
        self.states[name] = "gone"
        return self.world.service(name, ROUTES)

    def wait_settled(self) -> None:
        """Wait until every service is what it is to be, and nothing else is there."""
        for name, state in self.states.items():
            if state == "gone":
                self.cluster.wait_let_go(self.world.service(name))
            else:
                self.cluster.kubernetes.wait_active(self.world.service(name))
        now = self.specs()
        assert now == self.undisturbed(now)

    def specs(self) -> Specs:
        """What App Mesh holds, each router under its plain name (a swap gives it a suffix)."""
        specs = self.cluster.app_mesh.specs(self.world.name)
        plain: Specs = json.loads(re.sub(rf"(-router-{self.world.name})-[0-9a-f]{{8}}", r"\1", json.dumps(specs)))
        assert len(plain) == len(specs), f"a service has two routers: {sorted(specs)}"
        return plain

    def undisturbed(self, now: Specs) -> Specs:
        """What App Mesh would hold if nothing had been killed: for each service a copy of the calm one."""
        expected = {name: spec for name, spec in now.items() if name.count("/") == 0 or "/virtualNode/" in name}
        for service, state in self.states.items():
            calm = {name: spec for name, spec in now.items() if f"/calm-{state}" in name}
            expected |= json.loads(json.dumps(calm).replace(f"calm-{state}", service))
        return expected


Deed = Callable[[Shop, str], None]


def create(shop: Shop, name: str) -> None:
    """A service is applied for the first time."""
    shop.cluster.kubernetes.apply(shop.new(name))


def change(shop: Shop, name: str) -> None:
    """A service is applied with other routes."""
    shop.cluster.kubernetes.apply(shop.changed(name))


def delete(shop: Shop, name: str) -> None:
    """A service is deleted."""
    shop.cluster.kubernetes.delete(shop.gone(name))
