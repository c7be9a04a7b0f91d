"""VirtualService: a name that is called in the mesh, the router behind it, and the router's routes."""

from typing import Annotated, ClassVar

from pydantic import Field

from resources.base import Model, Rule
from resources.conditions import Condition
from resources.fields import BY_NAME, BY_TYPE, UNIQUE_NAMES, Arn, Flag, Generation, MeshName, Name, Versions
from resources.kinds import Kind
from resources.metadata import ObjectMeta
from resources.ports import RouterListener
from resources.routes import Route


class VirtualRouter(Model):
    """The router behind the service."""

    name: Annotated[str, Field(max_length=255)] = ""
    """Name of the router; the service's own name when empty.

    Services of one namespace and mesh that give the same name share the router.
    """
    listeners: Annotated[tuple[RouterListener, ...], Field(max_length=10)] = ()
    """Where the router takes traffic; the first listener of the first route's first target when none is given."""


class VirtualNodeProvider(Model):
    """A virtual node that answers for the service by itself."""

    virtual_node_name: Name
    """Name of the VirtualNode, in the service's own namespace."""


class Provider(Model):
    """Who answers for the service in place of a router."""

    virtual_node: VirtualNodeProvider
    """The virtual node that takes all requests."""


def _answered_once(spec: "VirtualServiceSpec") -> bool:
    return spec.provider is None or (spec.virtual_router is None and not spec.routes)


class VirtualServiceSpec(Model):
    """What the virtual service is to be."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=("!has(self.provider) || (!has(self.virtualRouter) && (!has(self.routes) || self.routes.size() == 0))"),
            message="a service with a provider of its own has no virtualRouter and no routes",
            holds=_answered_once,
        ),
    )

    mesh_name: MeshName
    """The Mesh that the service belongs to."""
    virtual_router: VirtualRouter | None = None
    """The router behind the service; one that is named after the service when not given."""
    provider: Provider | None = None
    """Who answers for the service in place of a router; a router when not given."""
    routes: Annotated[tuple[Route, ...], Field(max_length=200), UNIQUE_NAMES, BY_NAME] = ()
    """The router's routes. App Mesh's quota may be lower than this schema's bound."""


class RouterLeader(Model):
    """The service that sees to a shared router, as this one saw it."""

    name: Name
    """The VirtualService."""
    uid: Annotated[str, Field(max_length=64)]
    """Which life of it."""
    generation: Generation
    """Which generation of it."""


class RouterSharer(Model):
    """Another service that shares the router, and what its leader makes of it."""

    name: Name
    """The VirtualService."""
    uid: Annotated[str, Field(max_length=64)]
    """Which life of it."""
    generation: Generation
    """Which generation of it."""
    accepted: Flag
    """Whether its routes are on the router."""
    routes: Annotated[tuple[Name, ...], Field(max_length=200)] = ()
    """Which they are."""
    reason: Annotated[str, Field(max_length=64)] = ""
    """Why they are not, as in its conditions."""
    message: Annotated[str, Field(max_length=1024)] = ""
    """The same in words."""


class RetiredRouter(Model):
    """A router that the service has left while others are on it or want it."""

    arn: Arn
    """Amazon Resource Name of the router."""
    heir: RouterLeader | None = None
    """Who is to take it over."""


class VirtualServiceStatus(Model):
    """What became of the virtual service."""

    virtual_service_arn: Arn | None = None
    """Amazon Resource Name of the virtual service in App Mesh."""
    virtual_router_arn: Arn | None = None
    """Amazon Resource Name of its router."""
    route_arns: Annotated[tuple[Arn, ...], Field(max_length=400)] = ()
    """Amazon Resource Names of the router's routes."""
    conditions: Annotated[tuple[Condition, ...], BY_TYPE] = ()
    """Where the service, its router and its routes stand."""
    router_leader: RouterLeader | None = None
    """The VirtualService that sees to a router that is shared; absent where that is this one."""
    router_sharers: Annotated[tuple[RouterSharer, ...], Field(max_length=200)] = ()
    """The services that share the router with this one, when this one sees to it."""
    retired_routers: Annotated[tuple[RetiredRouter, ...], Field(max_length=20)] = ()
    """Routers that the service has left and that are still its to delete, unless somebody takes them over."""
    inferred_listeners: Annotated[tuple[RouterListener, ...], Field(max_length=10)] = ()
    """The router's listeners, where they were taken from the first target because none is given."""
    versions: Versions = Field(default_factory=dict)
    """Versions of the App Mesh objects as this controller left them, by ARN; a later one tells of drift."""
    data_plane_revision: Generation | None = None
    """Where the last write is in the order of all of App Mesh's, if it tells; proxies that are as far have it."""
    observed_generation: Generation | None = None
    """The metadata.generation that this status is about."""


class VirtualService(Model):
    """A name that is called in the mesh, with the routing behind it."""

    kind: ClassVar[Kind] = Kind.VIRTUAL_SERVICE

    metadata: ObjectMeta
    """Kubernetes metadata; the name is what callers call, usually a DNS name."""
    spec: VirtualServiceSpec
    """What the virtual service is to be."""
    status: VirtualServiceStatus = VirtualServiceStatus()
    """What became of it."""
