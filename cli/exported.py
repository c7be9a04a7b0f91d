"""What an App Mesh API holds as manifests that come to the same, and what no manifest of ours can say. Pure.

Each manifest is parsed and translated again, as a worker would, and the requests are compared with what App Mesh holds:
whatever differs is told as a loss. So a field that this version does not know cannot be dropped in silence.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from cli import inversion
from cli.account import MESH, ROUTE, VIRTUAL_NODE, VIRTUAL_ROUTER, VIRTUAL_SERVICE, Held
from resources.errors import InvalidResource
from resources.kinds import API_VERSION, Kind
from resources.names import namespaced_name, provider_node_name, router_name, virtual_node_api_name
from resources.normal import differences
from resources.ownership import NAME, NAMESPACE, owner_in
from resources.parsing import parse_mesh, parse_virtual_node, parse_virtual_service
from resources.translate.mesh import mesh_spec
from resources.translate.virtual_node import virtual_node_spec
from resources.translate.virtual_service import route_spec, router_spec, virtual_service_spec

Json = dict[str, Any]


@dataclass(frozen=True)
class Loss:
    """Something of an App Mesh object that no manifest of ours can say."""

    object: str
    what: str

    def __str__(self) -> str:
        """As a line for people."""
        return f"{self.object}: {self.what}"


@dataclass(frozen=True)
class Exported:
    """A manifest (None: there is none for this object), and what applying it would take from App Mesh."""

    manifest: Json | None
    losses: tuple[Loss, ...] = ()


def exported(held: Sequence[Held], namespace: str | None = None) -> Iterator[Exported]:
    """Manifests for everything of one mesh: the mesh, nodes, services; then what has none.

    Args:
        held: All that App Mesh holds of the mesh.
        namespace: Where resources go that App Mesh's tags name no resource for. Without one: where the names of virtual
            services point (`cart.shop.svc.cluster.local`), and else `default`.
    """
    yield from _Export(held, namespace).all()


@dataclass
class _Export:
    held: Sequence[Held]
    namespace: str | None
    nodes: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Namespace and name of the resources of nodes, by App Mesh name."""

    def all(self) -> Iterator[Exported]:
        for each in self._of(MESH):
            yield self._mesh(each)
        for each in self._of(VIRTUAL_NODE):
            yield self._node(each)
        used: set[str] = set()
        taken: dict[str, str] = {}
        for each in self._of(VIRTUAL_SERVICE):
            router = each.spec.get("provider", {}).get("virtualRouter", {}).get("virtualRouterName")
            used |= {router} if router else set()
            yield self._service(each, router, taken)
        for each in self.held:
            if each.sort is VIRTUAL_ROUTER and each.name not in used:
                yield _without_manifest(each, "a virtual router that no virtual service points at")
            elif each.sort is ROUTE and each.path[1] not in used:
                yield _without_manifest(each, "a route of such a virtual router")
            elif each.sort.noun in ("virtualGateway", "gatewayRoute"):
                yield _without_manifest(each, "there is no resource of this kind")

    def _of(self, sort: Any) -> list[Held]:
        return [each for each in self.held if each.sort is sort]

    def _mesh(self, held: Held) -> Exported:
        if not inversion.is_object_name(held.name):
            return _without_manifest(held, "its name is no name of a Kubernetes resource")
        manifest = _manifest(Kind.MESH, held.name, None, inversion.mesh_spec(held.spec))
        return _compared(held, manifest, lambda: _differ(held, mesh_spec(parse_mesh(manifest))))

    def _node(self, held: Held) -> Exported:
        found = self._place(held)
        if found is None:
            return _without_manifest(held, "no name of a Kubernetes resource comes to its name; try --namespace")
        self.nodes[held.name] = found
        namespace, name = found
        manifest = _manifest(Kind.VIRTUAL_NODE, name, namespace, inversion.virtual_node_spec(held.mesh, held.spec))

        def losses() -> Iterator[Loss]:
            node = parse_virtual_node(manifest)
            assert virtual_node_api_name(node) == held.name
            yield from _differ(held, virtual_node_spec(node))

        return _compared(held, manifest, losses)

    def _place(self, held: Held) -> tuple[str, str] | None:
        """Namespace and name of the resource that comes to an object's App Mesh name."""
        owner = owner_in(held.tags)
        if owner is not None and owner.namespace and namespaced_name(owner.name, owner.namespace) == held.name:
            return owner.namespace, owner.name
        fallback = self.namespace or "default"
        spoken = [] if self.namespace else inversion.owner_namespaces([each.name for each in self._of(VIRTUAL_SERVICE)])
        fitting = [each for each in spoken if held.name.endswith(f"-{each}")]
        for namespace in (*fitting, fallback):
            if (name := inversion.resource_name(held.name, namespace)) is not None:
                return namespace, name
        return None

    def _namespace_of(self, held: Held, nodes: Collection[str]) -> str:
        """Where a service goes: where its tags say, or its nodes are (it finds them nowhere else), or its name says."""
        if NAMESPACE in held.tags and owner_in(held.tags) is not None:
            return held.tags[NAMESPACE]
        places = {self.nodes[each][0] for each in nodes if each in self.nodes}
        if len(places) == 1:
            return places.pop()
        return self.namespace or next(iter(inversion.owner_namespaces([held.name])), "default")

    def _service(self, held: Held, router: str | None, taken: dict[str, str]) -> Exported:
        if not inversion.is_object_name(held.name):
            return _without_manifest(held, "its name is no name of a Kubernetes resource")
        routes = [each for each in self._of(ROUTE) if each.path[1] == router]
        node = held.spec.get("provider", {}).get("virtualNode", {}).get("virtualNodeName")
        namespace = self._namespace_of(held, [node] if node else _targets(routes))
        if node is not None:
            return self._direct(held, node, namespace)
        if router is None:
            return _without_manifest(held, "it has no provider, and every VirtualService has one")
        mine = [each for each in routes if self._leads(each, held, router)]
        return self._routed(held, router, mine, namespace, taken)

    def _direct(self, held: Held, node: str, namespace: str) -> Exported:
        written = self._target(node, namespace, False)
        provider = {"virtualNode": {"virtualNodeName": written}}
        manifest = _manifest(Kind.VIRTUAL_SERVICE, held.name, namespace, {"meshName": held.mesh, "provider": provider})

        def losses() -> Iterator[Loss]:
            yield from self._unreachable(held, [node], namespace)
            yield from _differ(held, virtual_service_spec(node=provider_node_name(parse_virtual_service(manifest))))

        return _compared(held, manifest, losses)

    def _leads(self, route: Held, service: Held, router: str) -> bool:
        """Whether, of the services that share the router, this one gets the route: by its tag, or as the first."""
        sharers = [
            each.name
            for each in self._of(VIRTUAL_SERVICE)
            if each.spec.get("provider", {}).get("virtualRouter", {}).get("virtualRouterName") == router
        ]
        tagged = route.tags.get(NAME)
        return service.name == (tagged if tagged in sharers else sharers[0])

    def _routed(
        self, held: Held, router: str, routes: Sequence[Held], namespace: str, taken: dict[str, str]
    ) -> Exported:
        name = None if namespaced_name(held.name, namespace) == router else inversion.resource_name(router, namespace)
        found = next((each for each in self._of(VIRTUAL_ROUTER) if each.name == router), None)
        if found is None:  # it was made, and the service turned to it, while all this was read
            return _without_manifest(held, f"its router {router} was not there yet when routers were read; run again")
        listeners = inversion.router_listeners(found.spec)
        written = {"name": name} if name is not None else {}
        spec: Json = {"meshName": held.mesh, "virtualRouter": written | {"listeners": listeners}}
        if routes:
            spec["routes"] = [
                inversion.route(each.name, each.spec, lambda node, full: self._target(node, namespace, full))
                for each in routes
            ]
        manifest = _manifest(Kind.VIRTUAL_SERVICE, held.name, namespace, spec)

        def losses() -> Iterator[Loss]:
            service = parse_virtual_service(manifest)
            if (first := taken.setdefault(router, namespace)) != namespace:
                yield Loss(str(held), f"shares its router with a service of namespace {first}; only neighbours can")
            if router_name(service) != router:
                yield Loss(str(found), "no name of a Kubernetes resource comes to its name; another would be made")
            if not listeners:
                yield Loss(str(found), "it has no listener, and every router of a VirtualService has one")
            siblings = {name for place, name in self.nodes.values() if place == namespace}
            written_router = service.spec.virtual_router
            ports = [each.port_mapping for each in written_router.listeners] if written_router else []
            yield from _differ(found, router_spec(ports))
            for each, ours in zip(routes, service.spec.routes, strict=True):
                full = ours.takes_full_names
                yield from self._unreachable(each, () if full else _targets([each]), namespace)
                yield from _differ(each, route_spec(ours, namespace, siblings))
            yield from _differ(held, virtual_service_spec(router=router))

        return _compared(held, manifest, losses)

    def _target(self, node: str, namespace: str, full: bool) -> str:
        """A node's App Mesh name as a target is written."""
        place = self.nodes.get(node)
        if place is not None and place[0] == namespace:
            return place[1]
        return node if full else inversion.resource_name(node, namespace) or node

    def _unreachable(self, held: Held, nodes: Collection[str], namespace: str) -> Iterator[Loss]:
        for node in nodes:
            place = self.nodes.get(node)
            if place is None or place[0] != namespace:
                where = f"is in namespace {place[0]}" if place else "has no manifest"
                yield Loss(str(held), f"virtual node {node} {where}, and services find theirs in {namespace} alone")


def _targets(routes: Sequence[Held]) -> list[str]:
    typed = [each.spec[member] for each in routes for member in inversion.ROUTE_TYPES if member in each.spec]
    return [target["virtualNode"] for each in typed for target in each.get("action", {}).get("weightedTargets", ())]


def _manifest(kind: Kind, name: str, namespace: str | None, spec: Json) -> Json:
    metadata = {"name": name} if namespace is None else {"name": name, "namespace": namespace}
    return {"apiVersion": API_VERSION, "kind": kind.value, "metadata": metadata, **({"spec": spec} if spec else {})}


def _without_manifest(held: Held, why: str) -> Exported:
    return Exported(None, (Loss(str(held), why),))


def _differ(held: Held, request: Json) -> Iterator[Loss]:
    """What would be otherwise after the request; `differences` writes it as `what is -> what would be`."""
    return (Loss(str(held), each) for each in differences(request, held.spec))


def _compared(held: Held, manifest: Json, losses: Any) -> Exported:
    try:
        return Exported(manifest, tuple(losses()))
    except InvalidResource as error:
        # Nobody could apply it, so it is none.
        return _without_manifest(held, f"{error.field}: {error.message}")


def by_mesh(held: Sequence[Held]) -> Iterator[Sequence[Held]]:
    """What is held, mesh by mesh."""
    found: defaultdict[str, list[Held]] = defaultdict(list)
    for each in held:
        found[each.mesh].append(each)
    yield from found.values()
