"""App Mesh objects by identity: the words in which planners, workflows and activities speak of what the API holds.

Pure, and free of client libraries, because workflow code imports it. Names of operations and of request members are
App Mesh's own (API reference, 2019-01-25), so an activity named `CreateRoute` is the call `CreateRoute`.
"""

import re
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class ApiKind(StrEnum):
    """Kinds of App Mesh object that Meshwright writes, in the order in which they can be created."""

    MESH = "Mesh"
    VIRTUAL_NODE = "VirtualNode"
    VIRTUAL_ROUTER = "VirtualRouter"
    ROUTE = "Route"
    VIRTUAL_SERVICE = "VirtualService"

    @property
    def name_member(self) -> str:
        """Request member that carries the object's own name (`meshName`, `virtualNodeName` ...)."""
        return self.value[0].lower() + self.value[1:] + "Name"

    @property
    def noun(self) -> str:
        """The kind as people say it: `virtual node`, `router`, `route` ..."""
        return _NOUNS[self]


_NOUNS = {
    ApiKind.MESH: "mesh",
    ApiKind.VIRTUAL_NODE: "virtual node",
    ApiKind.VIRTUAL_ROUTER: "router",
    ApiKind.ROUTE: "route",
    ApiKind.VIRTUAL_SERVICE: "virtual service",
}

_ARN = re.compile(
    r"^arn:[^:]+:appmesh:[^:]*:[^:]*:mesh/(?P<mesh>[^/]+)"
    r"(?:/(?P<segment>virtualNode|virtualService|virtualRouter)/(?P<name>[^/]+)(?:/route/(?P<route>[^/]+))?)?$"
)
_SEGMENTS = {
    "virtualNode": ApiKind.VIRTUAL_NODE,
    "virtualService": ApiKind.VIRTUAL_SERVICE,
    "virtualRouter": ApiKind.VIRTUAL_ROUTER,
}


class ApiObject(BaseModel):
    """Which object: kind, mesh, name, and for a route its router."""

    model_config = ConfigDict(frozen=True)

    kind: ApiKind
    mesh: str
    name: str
    router: str | None = None

    def __str__(self) -> str:
        """As a person would say it: `route blue of router color-router-prod`."""
        own = f"{self.kind.noun} {self.name}"
        return f"{own} of router {self.router}" if self.router else own

    @property
    def identity(self) -> dict[str, str]:
        """The request members that name the object."""
        members = {"meshName": self.mesh, self.kind.name_member: self.name}
        if self.router is not None:
            members["virtualRouterName"] = self.router
        return members

    @property
    def on_router(self) -> "ApiObject | None":
        """The router that a route is on; None for what is no route."""
        if self.router is None:
            return None
        return ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh=self.mesh, name=self.router)

    @classmethod
    def mesh_object(cls, mesh: str) -> "ApiObject":
        """The mesh itself."""
        return cls(kind=ApiKind.MESH, mesh=mesh, name=mesh)

    @classmethod
    def from_arn(cls, arn: str) -> "ApiObject | None":
        """The object that an ARN names; None when it is not the ARN of a kind that we write."""
        found = _ARN.match(arn)
        if found is None:
            return None
        mesh, segment, name, route = found["mesh"], found["segment"], found["name"], found["route"]
        if segment is None:
            return cls.mesh_object(mesh)
        if route is not None:
            return cls(kind=ApiKind.ROUTE, mesh=mesh, name=route, router=name)
        return cls(kind=_SEGMENTS[segment], mesh=mesh, name=name)
