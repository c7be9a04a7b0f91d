"""A mesh and a namespace for one test alone, and manifests that live in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests import builders
from tests.builders import Manifest, http_route, listener


@dataclass(frozen=True)
class World:
    """Mesh and namespace are both called `name`, which no other test uses."""

    name: str

    def mesh(self, **spec: Any) -> Manifest:
        """The mesh."""
        return builders.mesh(self.name, **spec)

    def node(self, name: str = "cart", **spec: Any) -> Manifest:
        """A node of the mesh."""
        return builders.virtual_node(name, self.name, **{"meshName": self.name} | spec)

    def service(
        self,
        name: str = "cart",
        routes: int | list[dict[str, Any]] = 1,
        targets: Mapping[str, int] | None = None,
        **spec: Any,
    ) -> Manifest:
        """A service with these routes, or this many to the targets; its router has a listener of its own."""
        defaults = {
            "meshName": self.name,
            "virtualRouter": {"name": f"{name}-router", "listeners": [listener()]},
            "routes": [route(number, targets) for number in range(1, routes + 1)]
            if isinstance(routes, int)
            else routes,
        }
        return builders.virtual_service(self.host(name), self.name, **defaults | spec)

    def host(self, service: str) -> str:
        """The full name of a service."""
        return f"{service}.{self.name}.svc.cluster.local"

    def shop(self, routes: int = 3) -> list[Manifest]:
        """A whole: the mesh, two nodes, and a service with this many routes that shares traffic between them."""
        return [
            self.mesh(),
            self.node("cart"),
            self.node("cart-v2"),
            self.service("cart", routes, {"cart": 90, "cart-v2": 10}),
        ]


def route(number: int, targets: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Route `r<number>` for the prefix `/<number>`."""
    return http_route(f"r{number}", targets, prefix=f"/{number}")
