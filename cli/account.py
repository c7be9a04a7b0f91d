"""Everything that an App Mesh API holds, read through any boto3 client of it: what is exported, and what was imported.

Names and members are the service model's own, so a kind is one row of `KINDS`. Objects come in an order in which they
can be created: what is referred to before what refers to it.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Sort:
    """A kind of App Mesh object, by the words of the service model."""

    noun: str
    """As in operations and answers: `virtualNode`."""
    plural: str
    parent: str | None = "mesh"

    @property
    def name_member(self) -> str:
        """The member that carries its name."""
        return f"{self.noun}Name"

    @property
    def operation(self) -> str:
        """The noun as in operations of the API: `VirtualNode`."""
        return self.noun[0].upper() + self.noun[1:]


MESH = Sort("mesh", "meshes", None)
VIRTUAL_NODE = Sort("virtualNode", "virtualNodes")
VIRTUAL_ROUTER = Sort("virtualRouter", "virtualRouters")
ROUTE = Sort("route", "routes", "virtualRouter")
VIRTUAL_SERVICE = Sort("virtualService", "virtualServices")
VIRTUAL_GATEWAY = Sort("virtualGateway", "virtualGateways")
GATEWAY_ROUTE = Sort("gatewayRoute", "gatewayRoutes", "virtualGateway")
SORTS = (MESH, VIRTUAL_NODE, VIRTUAL_ROUTER, ROUTE, VIRTUAL_SERVICE, VIRTUAL_GATEWAY, GATEWAY_ROUTE)


@dataclass(frozen=True)
class Held:
    """One object: its kind, the names that lead to it (outermost first), what was asked for it, and its tags."""

    sort: Sort
    path: tuple[str, ...]
    spec: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def mesh(self) -> str:
        """The mesh that it is or is in."""
        return self.path[0]

    @property
    def name(self) -> str:
        """Its own name."""
        return self.path[-1]

    @property
    def identity(self) -> dict[str, str]:
        """The members of a request that name it."""
        return identity(self.sort, self.path)

    def __str__(self) -> str:
        """As in an ARN: `mesh/shop/virtualRouter/cart/route/all`."""
        return f"mesh/{self.mesh}" + "".join(
            f"/{member.removesuffix('Name')}/{name}" for member, name in list(self.identity.items())[1:]
        )


def identity(sort: Sort, path: tuple[str, ...]) -> dict[str, str]:
    """The members that name an object, outermost first."""
    between = () if sort.parent in (None, "mesh") else (f"{sort.parent}Name",)
    members = ("meshName",) if sort.parent is None else ("meshName", *between, sort.name_member)
    return dict(zip(members, path, strict=True))


def read(api: Any, meshes: Collection[str] = (), tags: bool = True) -> Iterator[Held]:
    """All objects of these meshes, or of all. What is deleted while they are read is left out.

    Raises:
        botocore.exceptions.ClientError: the API refuses.
    """
    found = [item["meshName"] for item in _listed(api, MESH)]
    for mesh in [each for each in found if not meshes or each in meshes]:
        inside: dict[Sort, list[tuple[str, ...]]] = {MESH: [(mesh,)]}
        for sort in SORTS[1:]:
            parents = inside[next(each for each in SORTS if each.noun == sort.parent)]
            inside[sort] = [path for parent in parents for path in _children(api, sort, parent)]
        for sort, paths in inside.items():
            for path in paths:
                try:
                    one, _ = described(api, sort, path, tags)
                except api.exceptions.NotFoundException:
                    continue
                yield one


def _children(api: Any, sort: Sort, parent: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The paths of what is in a parent; none when it has gone."""
    try:
        return [(*parent, item[sort.name_member]) for item in _listed(api, sort, **_of_parent(sort, parent))]
    except api.exceptions.NotFoundException:
        return []


def _of_parent(sort: Sort, parent: tuple[str, ...]) -> dict[str, str]:
    return dict(list(identity(sort, (*parent, "")).items())[:-1])


def _listed(api: Any, sort: Sort, **within: str) -> Iterator[Mapping[str, Any]]:
    operation = "list_" + _snake(sort.plural)
    for page in api.get_paginator(operation).paginate(**within):
        yield from page[sort.plural]


def described(api: Any, sort: Sort, path: tuple[str, ...], tags: bool = True) -> tuple[Held, str]:
    """One object, and its ARN.

    Raises:
        botocore.exceptions.ClientError: the API refuses, or there is none.
    """
    found = getattr(api, "describe_" + _snake(sort.noun))(**identity(sort, path))[sort.noun]
    arn = found["metadata"]["arn"]
    told: dict[str, str] = {}
    if tags:
        pages = api.get_paginator("list_tags_for_resource").paginate(resourceArn=arn)
        told = {tag["key"]: tag["value"] for page in pages for tag in page["tags"]}
    return Held(sort, path, found["spec"], told), arn


def _snake(camel: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in camel)
