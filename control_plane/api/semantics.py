"""App Mesh's semantics, in one table: `KINDS`.

For each kind of object: what contains it, what its spec refers to, whether that must exist, what keeps the other
from being deleted, its quota, and its rules by name. The verbs in `operations.py` are the same for all kinds and read
all that differs from here. A delete is also refused while the object contains others; that needs no column.

What App Mesh never had, a feed of changes, is no operation and has a URL of its own (`change_feed.py`).

Where AWS's documents leave a question open, and the service can no longer be asked, we chose:

| question | here |
|---|---|
| the name is taken | ConflictException |
| an update with the same spec | is applied: version +1, lastUpdatedAt now |
| a token again after its object was deleted | the request is carried out anew |
| a missing provider, target or parent | NotFoundException that names it |
| a backend that does not exist | accepted: backends are names, linked when the service appears |
| DeleteVirtualService while a backend names it | allowed, for the same reason |
| total weight | at most 100, as the model's documentation says; all zero only for a single target |
| spec.egressFilter absent | means DROP_ALL and is not written back |
| UpdateMesh without a spec | replaces it by an empty one, as every update replaces the whole spec |
| a router without listeners | allowed, and takes routes of any type |
| two listeners with one port | refused |
| a listener timeout of another protocol | accepted; it has no effect, which is a problem of the proxy |
| a route of another type than its listener's protocol | refused, from either side: CreateRoute, UpdateVirtualRouter |
| meshOwner of another account | ForbiddenException: no meshes are shared with us |
| empty members of a spec | not echoed, unless required where they are |
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from control_plane.api.quotas import Quotas
from control_plane.api.rules import MeshRule, SpecRule, backends, gateway_routes, listeners, matches, names, routes
from control_plane.api.validation import Violation
from control_plane.store.records import Spec


@dataclass(frozen=True)
class Reference:
    """That a spec names objects of another kind in its mesh."""

    relation: str
    to: str
    names: Callable[[Spec], Iterator[str]]
    must_exist: bool = True
    blocks: str | None = None  # why the other cannot be deleted; None: it can


@dataclass(frozen=True)
class ContentQuota:
    """A limit on what one spec may hold."""

    member: str
    limit: Callable[[Quotas], int]


@dataclass(frozen=True)
class Kind:
    """One kind of object."""

    noun: str  # as in the operations: CreateVirtualNode
    plural: str  # as in ListVirtualNodes and the member of its answer
    parent: str | None  # the kind that contains it
    quota: Callable[[Quotas], int]
    content_quotas: tuple[ContentQuota, ...] = ()
    references: tuple[Reference, ...] = ()
    name_rule: Callable[[str, str], Iterator[Violation]] = names.resource_name
    completed: Callable[[Spec], Spec] = lambda spec: spec  # what the server writes into the spec
    rules: tuple[SpecRule, ...] = ()  # all are asked, before the state is looked at
    mesh_rules: tuple[MeshRule, ...] = ()  # all are asked, once what the spec refers to is known to exist

    @property
    def name(self) -> str:
        """As in ARNs, in the store and in the members of answers: virtualNode."""
        return self.noun[0].lower() + self.noun[1:]

    @property
    def name_member(self) -> str:
        """The member that holds the object's name: virtualNodeName."""
        return f"{self.name}Name"

    @property
    def list_member(self) -> str:
        """The member that holds the items of a list: virtualNodes."""
        return self.plural[0].lower() + self.plural[1:]


def _provider(kind: str) -> Callable[[Spec], Iterator[str]]:
    def names_of(spec: Spec) -> Iterator[str]:
        provider = spec.get("provider", {}).get(kind)
        if provider is not None:
            yield provider[f"{kind}Name"]

    return names_of


_IS_PROVIDER = "it is a VirtualService provider"

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            noun="Mesh",
            plural="Meshes",
            parent=None,
            quota=lambda quotas: quotas.meshes,
        ),
        Kind(
            noun="VirtualNode",
            plural="VirtualNodes",
            parent="mesh",
            quota=lambda quotas: quotas.virtual_nodes_per_mesh,
            content_quotas=(ContentQuota("backends", lambda quotas: quotas.backends_per_virtual_node),),
            references=(Reference("backend", "virtualService", backends.names, must_exist=False),),
            completed=listeners.with_health_check_ports,
            rules=(
                listeners.listeners_need_discovery,
                listeners.ports_differ,
                listeners.health_checks_use_the_listener,
                listeners.pools_suit_the_protocol,
                backends.backends_differ,
            ),
        ),
        Kind(
            noun="VirtualService",
            plural="VirtualServices",
            parent="mesh",
            quota=lambda quotas: quotas.virtual_services_per_mesh,
            name_rule=names.service_name,
            references=(
                Reference("provider", "virtualNode", _provider("virtualNode"), blocks=_IS_PROVIDER),
                Reference("provider", "virtualRouter", _provider("virtualRouter"), blocks=_IS_PROVIDER),
            ),
        ),
        Kind(
            noun="VirtualRouter",
            plural="VirtualRouters",
            parent="mesh",
            quota=lambda quotas: quotas.virtual_routers_per_mesh,
            rules=(listeners.ports_differ,),
            mesh_rules=(routes.routes_still_fit,),
        ),
        Kind(
            noun="Route",
            plural="Routes",
            parent="virtualRouter",
            quota=lambda quotas: quotas.routes_per_virtual_router,
            references=(
                Reference("target", "virtualNode", routes.targets, blocks="it is the target of one or more routes"),
            ),
            rules=(
                matches.has_one_type,
                matches.paths_are_clear,
                routes.http_matches_a_path,
                routes.grpc_method_has_a_service,
                routes.retries_have_a_cause,
                routes.weights_add_up,
            ),
            mesh_rules=(routes.fits_its_router, routes.targets_have_the_port),
        ),
        Kind(
            noun="VirtualGateway",
            plural="VirtualGateways",
            parent="mesh",
            quota=lambda quotas: quotas.virtual_gateways_per_mesh,
            completed=listeners.with_health_check_ports,
            rules=(
                listeners.there_is_a_listener,
                listeners.ports_differ,
                listeners.health_checks_use_the_listener,
                listeners.pools_suit_the_protocol,
            ),
        ),
        Kind(
            noun="GatewayRoute",
            plural="GatewayRoutes",
            parent="virtualGateway",
            quota=lambda quotas: quotas.gateway_routes_per_virtual_gateway,
            references=(
                Reference(
                    "gatewayTarget",
                    "virtualService",
                    gateway_routes.target,
                    blocks="it is the target of gateway routes",
                ),
            ),
            rules=(
                matches.has_one_type,
                matches.paths_are_clear,
                gateway_routes.http_matches_something,
                gateway_routes.hostnames_are_clear,
                gateway_routes.rewrites_are_clear,
            ),
            mesh_rules=(gateway_routes.fits_its_gateway, gateway_routes.target_has_the_port),
        ),
    )
}


def contained(kind: str) -> list[Kind]:
    """The kinds that objects of this kind contain directly."""
    return [other for other in KINDS.values() if other.parent == kind]


def blocking(kind: str) -> dict[str, str]:
    """Why an object of this kind cannot be deleted, by the relation of whoever refers to it."""
    return {
        reference.relation: reference.blocks
        for other in KINDS.values()
        for reference in other.references
        if reference.to == kind and reference.blocks is not None
    }
