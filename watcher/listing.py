"""Listing App Mesh for the sweep: names and versions, a hundred to a page, and never a Describe."""

import asyncio
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Protocol

from activities.objects import ApiKind, ApiObject

PAGE = 100

_IN_MESH = (ApiKind.VIRTUAL_NODE, ApiKind.VIRTUAL_ROUTER, ApiKind.VIRTUAL_SERVICE)
_OPERATIONS = {
    ApiKind.MESH: ("list_meshes", "meshes"),
    ApiKind.VIRTUAL_NODE: ("list_virtual_nodes", "virtualNodes"),
    ApiKind.VIRTUAL_ROUTER: ("list_virtual_routers", "virtualRouters"),
    ApiKind.VIRTUAL_SERVICE: ("list_virtual_services", "virtualServices"),
    ApiKind.ROUTE: ("list_routes", "routes"),
}


class AppMeshClient(Protocol):
    """As much of boto3's `appmesh` client as we use: the List operations, found by name."""

    exceptions: Any

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        """The method of an operation, in snake case."""


class Listing:
    """Lists, one call after the other, so that a sweep is never a burst."""

    def __init__(self, connect: Callable[[], AppMeshClient], per_second: float | None = None) -> None:
        """`per_second` limits the calls. `connect` makes the client, when it is first needed: it takes memory."""
        self._connect = connect
        self._pause = 1 / per_second if per_second else 0.0

    @cached_property
    def _client(self) -> AppMeshClient:
        return self._connect()

    async def meshes(self) -> dict[ApiObject, int]:
        """All meshes with their versions."""
        return await self._list(ApiKind.MESH)

    async def members(self, mesh: str, routers: Sequence[str]) -> dict[ApiObject, int]:
        """The nodes, routers and services of a mesh, and the routes of these routers; what does not exist has none."""
        found: dict[ApiObject, int] = {}
        for kind in _IN_MESH:
            found |= await self._list(kind, meshName=mesh)
        for router in routers:
            found |= await self._list(ApiKind.ROUTE, meshName=mesh, virtualRouterName=router)
        return found

    async def _list(self, kind: ApiKind, **place: str) -> dict[ApiObject, int]:
        operation, member = _OPERATIONS[kind]
        call = getattr(self._client, operation)
        found: dict[ApiObject, int] = {}
        token: dict[str, str] = {}
        while True:
            await asyncio.sleep(self._pause)
            try:
                page = await asyncio.to_thread(call, limit=PAGE, **place, **token)
            except self._client.exceptions.NotFoundException:
                return found
            for item in page[member]:
                name = item[kind.name_member]
                router = place.get("virtualRouterName")
                found[ApiObject(kind=kind, mesh=item["meshName"], name=name, router=router)] = item["version"]
            if not (following := page.get("nextToken")):
                return found
            token = {"nextToken": following}
