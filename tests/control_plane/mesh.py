"""Short words for boto3 calls in one mesh: `mesh.create("route", "r", spec, router="web")`."""

from dataclasses import dataclass
from typing import Any

from tests.control_plane import specs

SNAKE = {
    "virtualNode": "virtual_node",
    "virtualService": "virtual_service",
    "virtualRouter": "virtual_router",
    "virtualGateway": "virtual_gateway",
    "route": "route",
    "gatewayRoute": "gateway_route",
}


@dataclass(frozen=True)
class MeshUnderTest:
    """One mesh, through a boto3 client."""

    client: Any
    name: str

    def create(self, kind: str, name: str, spec: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Create an object and return it."""
        return self._call("create", kind, name, spec=spec, **more)

    def update(self, kind: str, name: str, spec: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Update an object and return it."""
        return self._call("update", kind, name, spec=spec, **more)

    def describe(self, kind: str, name: str, **more: Any) -> dict[str, Any]:
        """Describe an object."""
        return self._call("describe", kind, name, **more)

    def delete(self, kind: str, name: str, **more: Any) -> dict[str, Any]:
        """Delete an object and return it."""
        return self._call("delete", kind, name, **more)

    def list(self, kind: str, **more: Any) -> list[str]:
        """The names of a collection, over all pages."""
        paginator = self.client.get_paginator(f"list_{SNAKE[kind]}s")
        pages = paginator.paginate(meshName=self.name, **_parent(more))
        return [item[f"{kind}Name"] for page in pages for item in page[f"{kind}s"]]

    def node(self, name: str = "node", *listeners: dict[str, Any], **members: Any) -> dict[str, Any]:
        """Create a node."""
        return self.create("virtualNode", name, specs.node(*listeners, **members))

    def router(self, name: str = "router", *listeners: dict[str, Any]) -> dict[str, Any]:
        """Create a router."""
        return self.create("virtualRouter", name, specs.router(*listeners))

    def service(self, name: str = "service.local", **provider: str) -> dict[str, Any]:
        """Create a service."""
        return self.create("virtualService", name, specs.service(**provider))

    def gateway(self, name: str = "gateway", *listeners: dict[str, Any]) -> dict[str, Any]:
        """Create a gateway."""
        return self.create("virtualGateway", name, specs.gateway(*listeners))

    def route(self, name: str = "route", router: str = "router", **spec: Any) -> dict[str, Any]:
        """Create a route; keywords as of `specs.route`."""
        return self.create("route", name, specs.route(**spec), router=router)

    def gateway_route(self, name: str = "route", gateway: str = "gateway", **spec: Any) -> dict[str, Any]:
        """Create a gateway route; keywords as of `specs.gateway_route`."""
        return self.create("gatewayRoute", name, specs.gateway_route(**spec), gateway=gateway)

    def _call(self, verb: str, kind: str, name: str, **more: Any) -> dict[str, Any]:
        method = getattr(self.client, f"{verb}_{SNAKE[kind]}")
        answer: dict[str, Any] = method(meshName=self.name, **{f"{kind}Name": name}, **_parent(more))[kind]
        return answer


def _parent(more: dict[str, Any]) -> dict[str, Any]:
    names = {"router": "virtualRouterName", "gateway": "virtualGatewayName"}
    return {names.get(key, key): value for key, value in more.items()}
