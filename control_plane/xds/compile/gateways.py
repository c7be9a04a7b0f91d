"""Virtual gateways: calls from outside the mesh, by gateway route to a service.

As App Mesh's, a gateway goes through itself: its ingress matches the gateway route, rewrites host and path, and sends
the call to its own egress, where the service's own routes lead on to nodes, as they do in any proxy.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from envoy.config.core.v3.base_pb2 import HeaderValue, HeaderValueOption
from envoy.config.route.v3.route_components_pb2 import Route, RouteAction, RouteMatch, VirtualHost
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from google.protobuf.duration_pb2 import Duration

from control_plane.store.records import ObjectRecord
from control_plane.xds.compile import filters, names
from control_plane.xds.compile.backends import Backend, Backends, gathered
from control_plane.xds.compile.clusters import local_cluster
from control_plane.xds.compile.egress import Resources, add_services, local_listener
from control_plane.xds.compile.listeners import EVERYWHERE, chains, ingress_listener, takes_port
from control_plane.xds.compile.matches import Unmatchable, grpc_match, http_match
from control_plane.xds.compile.messages import is_header_value
from control_plane.xds.compile.options import Options
from control_plane.xds.compile.place import Place
from control_plane.xds.compile.reading import Reading
from control_plane.xds.compile.routes import HTTP_TYPES, in_order, unavailable
from control_plane.xds.compile.services import ServicePort, kept_host
from control_plane.xds.snapshot import Kind, Resource

_HERE = "127.0.0.1"


@dataclass(frozen=True)
class _GatewayRoute:
    """A gateway route of one of the three types."""

    protocol: str
    content: Place

    @property
    def target(self) -> Place:
        return self.content["action"]["target"]

    @property
    def service(self) -> Place:
        return self.target["virtualService"]["virtualServiceName"]

    @property
    def keeps_host(self) -> bool:
        rewrite = self.content.get("action", "rewrite", "hostname", "defaultTargetHostname")
        return rewrite is not None and rewrite.value == "DISABLED"


def gateway_resources(
    reading: Reading, gateway: ObjectRecord, options: Options, recording: filters.Recording
) -> Resources:
    """All resources of a gateway's proxy. It has its egress to itself, so nothing is captured there."""
    spec = Place.spec_of(reading, gateway)
    routes = [_typed(Place.spec_of(reading, each)) for each in in_order(reading.children("gatewayRoute", gateway.key))]
    backends = gathered(reading, gateway.key.mesh, _wanted(spec, routes), replace(options, capture=False, tcp_ports={}))
    egress = Resources(gateway.key)
    add_services(egress, reading, backends, options)
    address = EVERYWHERE if options.capture else _HERE
    egress.add(
        local_listener(names.egress_listener(address, options.egress_port), backends, options.egress_port, recording)
    )
    mine = frozenset(route.content.key for route in routes)
    for resource in _ingress(spec, routes, backends, options, recording):
        egress.add(resource, mine if resource.kind is Kind.ROUTE else frozenset())
    return egress


def _typed(spec: Place) -> _GatewayRoute:
    kind = next(name for name in HTTP_TYPES if name in spec.value)
    return _GatewayRoute(kind.removesuffix("Route"), spec[kind])


def _wanted(spec: Place, routes: list[_GatewayRoute]) -> Iterator[Backend]:
    """The services that gateway routes lead to, once each."""
    policy = spec.get("backendDefaults", "clientPolicy", "tls")
    keeping = {route.service.value for route in routes if route.keeps_host}
    for name, place in {route.service.value: route.service for route in reversed(routes)}.items():
        yield Backend(name, place, policy, name in keeping)


def _ingress(
    spec: Place, routes: list[_GatewayRoute], backends: Backends, options: Options, recording: filters.Recording
) -> Iterator[Resource]:
    clusters = {
        protocol: names.self_redirect_cluster(spec.key.mesh, spec.key.name, protocol, options.egress_port)
        for protocol in ("http", "http2", "grpc")
    }
    compiled = [(route, _route(route, backends, clusters[route.protocol])) for route in routes]
    pools: dict[str, Place | None] = {route.protocol: None for route in routes}
    taken = {options.egress_port}
    _note_lost(spec, routes)
    for listener in spec.items("listeners"):
        port, protocol = (listener.value["portMapping"][name] for name in ("port", "protocol"))
        name = names.ingress_routes(port)
        found = chains(listener, filters.http("ingress", name, recording, strip_ports=True))
        at = port if options.capture else options.ingress_port(port)
        if not found or not takes_port(listener["portMapping"]["port"], at, taken):
            continue
        yield ingress_listener(EVERYWHERE if options.capture else options.ingress_address, at, found)
        here = [message for route, message in compiled if message is not None and _is_for(route, port)]
        host = VirtualHost(name=name, domains=["*"], routes=here)
        yield Resource.of(Kind.ROUTE, name, RouteConfiguration(name=name, virtual_hosts=[host]))
        _note_pool(pools, protocol, listener.get("connectionPool"))
    for protocol, pool in sorted(pools.items()):
        yield local_cluster(clusters[protocol], protocol, (_HERE, options.egress_port), pool)


def _note_pool(pools: dict[str, Place | None], protocol: str, pool: Place | None) -> None:
    """The limits of a gateway's way through itself; its listeners of one protocol share it."""
    if protocol not in pools or pool is None:
        return
    known = pools[protocol]
    if known is not None and known.value != pool.value:
        pool.problem(f"the gateway's other listener of protocol {protocol} has other limits, which count")
        return
    pools[protocol] = pool


def _note_lost(spec: Place, routes: list[_GatewayRoute]) -> None:
    """Tell of routes for a port that the gateway has no listener at: an update may take it from under them."""
    listening = {listener.value["portMapping"]["port"] for listener in spec.items("listeners")}
    for route in routes:
        port = route.content.get("match", "port")
        if port is not None and port.value not in listening:
            port.problem(f"the gateway does not listen on port {port.value}; the route is left out")


def _is_for(route: _GatewayRoute, port: int) -> bool:
    return route.content["match"].value.get("port") in (None, port)


def _route(route: _GatewayRoute, backends: Backends, cluster: str) -> Route | None:
    """A gateway route; None, and a problem, if Envoy could not match it or send what it rewrites."""
    place = route.content["match"]
    try:
        match = grpc_match(place) if route.protocol == "grpc" else http_match(place)
    except Unmatchable:
        return None
    service = _service(route, backends)
    if service is None:
        return unavailable(match)
    # How long a request may take is up to the service's routes, which come next.
    action = RouteAction(cluster=cluster, timeout=Duration())
    rewritten = _rewritten(match, route.content)
    if rewritten is not None and not is_header_value(rewritten):
        route.content["action"]["rewrite"].problem(
            "has control characters, which cannot be sent; there is no such route"
        )
        return None
    if rewritten is not None:
        action.prefix_rewrite = rewritten
    message = Route(name=place.key.name, match=match, route=action)
    if route.keeps_host:
        message.route.host_rewrite_literal = kept_host(service.service, service.port)
        host = HeaderValue(key=names.HOST_HEADER, value="%REQ(:AUTHORITY)%")
        message.request_headers_to_add.append(
            HeaderValueOption(header=host, append_action=HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD)
        )
    else:
        message.route.host_rewrite_literal = service.domains[0]
    return message


def _service(route: _GatewayRoute, backends: Backends) -> ServicePort | None:
    """The service at the port that a gateway route means, by default its first; None, and a problem, without one."""
    name, port = route.service.value, route.target.value.get("port")
    for service in backends.of_service(name):
        if port in (None, service.port):
            return service
    place = route.service if port is None else route.target["port"]
    place.problem(f"virtual service {name} has no such HTTP port; requests are answered with 503")
    return None


def _rewritten(match: RouteMatch, content: Place) -> str | None:
    """What takes the place of the matched path: by App Mesh's default, `/` that of a prefix; None: it stays."""
    path = content.get("action", "rewrite", "path", "exact")
    if path is not None:
        return str(path.value)
    prefix = content.get("action", "rewrite", "prefix")
    given = prefix.value if prefix else {}
    if "value" in given:
        return str(given["value"])
    has_prefix = "prefix" in content["match"].value and match.prefix != "/"
    return "/" if has_prefix and given.get("defaultPrefix") != "DISABLED" else None
