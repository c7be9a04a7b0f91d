"""Virtual services as callers see them: the ports that each has, and the routes behind a port.

What a service is does not depend on who calls it, so it is compiled once for all its callers.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from envoy.config.route.v3.route_components_pb2 import RouteMatch, VirtualHost
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from google.protobuf.duration_pb2 import Duration

from control_plane.store.records import ObjectKey, ObjectRecord, Spec
from control_plane.xds.compile import names
from control_plane.xds.compile.place import Place
from control_plane.xds.compile.reading import Reading
from control_plane.xds.compile.routes import HTTP_TYPES, CompiledRoute, direct_route, http_route, in_order, unavailable
from control_plane.xds.compile.targets import Target, WeightedTarget, target_at, weighted_targets

# What can be in a Host header and means nothing else to Envoy, as a `*` or a port would.
_HOST_NAME = re.compile(r"[0-9A-Za-z._-]+")


@dataclass(frozen=True)
class ServicePort:
    """A service at one of its ports. Either `virtual_host` is there (HTTP of any sort) or it is TCP."""

    service: str
    port: int
    targets: tuple[Target, ...]
    """All that it can lead to."""
    host: str = ""
    """Of its virtual host: the name."""
    domains: tuple[str, ...] = ()
    virtual_host: bytes = b""
    """A serialised RouteConfiguration with nothing else: such bytes in a row are one with all their virtual hosts."""
    shares: tuple[WeightedTarget, ...] = ()
    """TCP: where connections go; nowhere if empty."""
    idle_timeout: Duration | None = None
    """TCP: when silent connections are closed; never if None."""
    sources: frozenset[ObjectKey] = frozenset()
    """The service and, if it has one, its router with its routes."""

    @property
    def is_http(self) -> bool:
        """Whether it has a virtual host."""
        return bool(self.virtual_host)


def refused(service: ServicePort) -> ServicePort:
    """The same service for a caller that must not reach it: HTTP is answered with 503, TCP is closed."""
    if not service.is_http:
        return replace(service, targets=(), shares=())
    closed = RouteConfiguration.FromString(service.virtual_host)
    del closed.virtual_hosts[0].routes[:]
    closed.virtual_hosts[0].routes.append(unavailable(RouteMatch(prefix="/")))
    return replace(service, targets=(), virtual_host=closed.SerializeToString(deterministic=True))


def keeping_host(service: ServicePort) -> ServicePort:
    """The same service under a name that no service can have, for calls that keep the host they came for.

    Gateways use it: they send such calls there, with their host in a header, and it is put back on the way out.
    """
    told = RouteConfiguration.FromString(service.virtual_host)
    host = told.virtual_hosts[0]
    host.name = kept_host(service.service, service.port)
    host.domains[:] = [host.name]
    for route in host.routes:
        if route.HasField("route"):
            route.route.host_rewrite_header = names.HOST_HEADER
    return replace(
        service, host=host.name, domains=(host.name,), virtual_host=told.SerializeToString(deterministic=True)
    )


def kept_host(service: str, port: int) -> str:
    """The name of a service for calls that keep their host; `~` is in no service's name."""
    return f"{service.lower()}~{port}"


def service_ports(reading: Reading, mesh: str, name: str, *, merged: bool) -> tuple[ServicePort, ...]:
    """A service at all its ports; none if it is not there or leads nowhere.

    `merged`: the virtual hosts of all ports will be in one route configuration, so only the first one can have the
    plain name.
    """

    def compiled(part: Reading) -> tuple[ServicePort, ...]:
        record = part.get("virtualService", mesh, name)
        return tuple(_Service(part, record, merged).ports()) if record else ()

    return reading.part(("service", mesh, name, merged), compiled)


class _Service:
    def __init__(self, reading: Reading, record: ObjectRecord, merged: bool) -> None:
        self._reading = reading
        self._record = record
        self._mesh = record.key.mesh
        self._name = record.key.name
        self._merged = merged
        self._sources = [record.key]

    def ports(self) -> list[ServicePort]:
        spec = Place.spec_of(self._reading, self._record)
        if not _HOST_NAME.fullmatch(self._name):
            Place(self._reading, self._record.key, "virtualServiceName", self._name).problem("cannot be a host name")
            return []
        provider = spec.get("provider")
        if provider is None:
            spec.problem("there is no provider: nothing answers")
            return []
        kind, place = provider.only()
        name = place.value[f"{kind}Name"]
        found = self._reading.get(kind, self._mesh, name)
        if found is None:
            place[f"{kind}Name"].problem(f"there is no {kind} {name}")
            return []
        return self._of_node(found, place) if kind == "virtualNode" else self._of_router(found)

    def _of_node(self, node: ObjectRecord, place: Place) -> list[ServicePort]:
        mappings = [listener["portMapping"] for listener in node.spec.get("listeners", ())]
        if not mappings:
            place.problem(f"virtual node {node.key.name} has no listener that could be called")
        ports: list[ServicePort] = []
        for mapping in mappings:
            target = target_at(node, mapping["port"], place)
            if target is None:
                return []
            if target.protocol == "tcp":
                ports.append(self._tcp_port(target.port, (WeightedTarget(target, 1),), None))
            else:
                ports.append(self._http_port(target.port, [direct_route(target)], first=not ports))
        return ports

    def _of_router(self, router: ObjectRecord) -> list[ServicePort]:
        self._sources.append(router.key)
        routes = in_order(self._reading.children("route", router.key))
        self._sources.extend(route.key for route in routes)
        listeners = [listener["portMapping"] for listener in router.spec.get("listeners", ())]
        if not listeners:
            Place.spec_of(self._reading, router).problem("there is no listener: nothing answers")
        ports: list[ServicePort] = []
        for mapping in listeners:
            places = [Place.spec_of(self._reading, route) for route in routes if _is_for(route, mapping["port"])]
            if mapping["protocol"] == "tcp":
                ports.append(self._of_tcp_routes(mapping["port"], places))
            else:
                fitting = _fitting(places, HTTP_TYPES, mapping["protocol"])
                compiled = [route for place in fitting if (route := http_route(place)) is not None]
                ports.append(self._http_port(mapping["port"], compiled, first=not ports))
        return ports

    def _of_tcp_routes(self, port: int, places: list[Place]) -> ServicePort:
        fitting = _fitting(places, ("tcpRoute",), "tcp")
        for place in fitting[1:]:
            place.problem(f"route {fitting[0].key.name} takes all connections to this port already")
        for place in fitting[:1]:
            route = place["tcpRoute"]
            idle = route.get("timeout", "idle")
            return self._tcp_port(port, weighted_targets(route["action"]), idle.duration() if idle else None)
        return self._tcp_port(port, (), None)

    def _tcp_port(self, port: int, shares: tuple[WeightedTarget, ...], idle: Duration | None) -> ServicePort:
        targets = tuple(share.target for share in shares)
        return ServicePort(
            self._name, port, targets, shares=shares, idle_timeout=idle, sources=frozenset(self._sources)
        )

    def _http_port(self, port: int, routes: Iterable[CompiledRoute], *, first: bool) -> ServicePort:
        plain, exact = self._name, f"{self._name}:{port}"
        named = first or not self._merged
        domains = (plain, exact) if named else (exact,)
        routes = tuple(routes)
        host = VirtualHost(name=plain if named else exact, domains=domains, routes=[route.message for route in routes])
        return ServicePort(
            self._name,
            port,
            tuple(dict.fromkeys(target for route in routes for target in route.targets)),
            host=host.name,
            domains=tuple(domain.lower() for domain in domains),
            virtual_host=RouteConfiguration(virtual_hosts=[host]).SerializeToString(deterministic=True),
            sources=frozenset(self._sources),
        )


def _is_for(route: ObjectRecord, port: int) -> bool:
    """Whether a route is for this port of its router; one that names no port is for any."""
    return all(content.get("match", {}).get("port") in (None, port) for content in _contents(route))


def _contents(route: ObjectRecord) -> list[Spec]:
    return [route.spec[name] for name in (*HTTP_TYPES, "tcpRoute") if name in route.spec]


def _fitting(places: list[Place], types: tuple[str, ...], protocol: str) -> list[Place]:
    """The routes of these types; the others cannot be for a listener of this protocol."""
    for place in places:
        if not any(name in place.value for name in types):
            place.problem(f"the route does not fit its router's listener, which is of protocol {protocol}")
    return [place for place in places if any(name in place.value for name in types)]
