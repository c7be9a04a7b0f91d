"""What goes out: the backends of a node by port, the listener for the application's calls, and their clusters."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from envoy.config.core.v3.address_pb2 import CidrRange
from envoy.config.core.v3.base_pb2 import TrafficDirection
from envoy.config.listener.v3.listener_components_pb2 import FilterChain, FilterChainMatch
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from google.protobuf.wrappers_pb2 import UInt32Value

from control_plane.store.records import ObjectKey, ObjectRecord
from control_plane.xds.compile import clusters, filters, names
from control_plane.xds.compile.messages import socket_address, uint32
from control_plane.xds.compile.options import Options
from control_plane.xds.compile.place import Place
from control_plane.xds.compile.reading import Reading
from control_plane.xds.compile.services import ServicePort, service_ports
from control_plane.xds.snapshot import Kind, Resource

_EVERYWHERE = "0.0.0.0"
_HERE = "127.0.0.1"
_HTTPS = 443

Sources = dict[tuple[Kind, str], frozenset[ObjectKey]]


@dataclass
class _Backends:
    """What a node calls: what shares a route configuration, by its port; and TCP, by the port it is told apart by."""

    http: dict[int, list[ServicePort]] = field(default_factory=dict)
    tcp: dict[int, ServicePort] = field(default_factory=dict)
    domains: set[tuple[int, str]] = field(default_factory=set)


@dataclass
class Egress:
    """The resources for calls from a proxy, and which objects each comes from."""

    resources: list[Resource] = field(default_factory=list)
    sources: Sources = field(default_factory=dict)

    def add(self, resource: Resource, sources: frozenset[ObjectKey] = frozenset()) -> None:
        """One more."""
        self.resources.append(resource)
        if sources:
            self.sources[resource.kind, resource.name] = sources


def node_egress(reading: Reading, node: ObjectRecord, options: Options, logs: filters.AccessLogs) -> Egress:
    """All resources for calls from a node."""
    egress = Egress()
    backends = _gathered(reading, node, options)
    _add_clusters(egress, reading, backends)
    for port, services in sorted(backends.http.items()):
        egress.add(_routes(names.egress_routes(port), services), _sources(services))
    if options.capture:
        for resource in _captured(reading, node.key.mesh, backends, options.egress_port, logs):
            egress.add(resource, _sources(backends.tcp.values()) if resource.kind is Kind.LISTENER else frozenset())
    else:
        for port, listener in _explicit(backends, options, logs):
            tcp = backends.tcp.get(port)
            egress.add(listener, tcp.sources if tcp else frozenset())
    return egress


def _gathered(reading: Reading, node: ObjectRecord, options: Options) -> _Backends:
    """The backends that can be told apart. Of two that cannot, the one that the node names first is served."""
    backends = _Backends()
    if not options.capture:
        backends.http[options.egress_port] = []  # the proxy answers there even if it knows no one to ask
    for place in Place.spec_of(reading, node).items("backends"):
        name = place.value["virtualService"]["virtualServiceName"]
        if reading.get("virtualService", node.key.mesh, name) is None:
            place["virtualService"]["virtualServiceName"].problem(f"there is no virtual service {name}")
            continue
        for service in service_ports(reading, node.key.mesh, name, merged=not options.capture):
            if options.capture:
                _add_by_port(backends, service, place)
            else:
                _add_by_name(backends, service, place, options)
    return backends


def _add_by_port(backends: _Backends, service: ServicePort, place: Place) -> None:
    """A captured call is told by the port it was going to: HTTP by its host then, TCP by nothing more."""
    port = service.port
    taken = backends.tcp.get(port)
    if taken is not None:
        place.problem(f"{service.service} is left out: {taken.service} takes all connections to port {port}, as TCP")
    elif service.is_http:
        _add_virtual_host(backends, port, service, place)
    elif port in backends.http:
        first = backends.http[port][0].service
        place.problem(f"{service.service} is left out: port {port} speaks HTTP, for {first}; TCP cannot share it")
    else:
        backends.tcp[port] = service


def _add_by_name(backends: _Backends, service: ServicePort, place: Place, options: Options) -> None:
    """Without capture, HTTP is told by its host alone, and TCP has a port of its own."""
    if service.is_http:
        _add_virtual_host(backends, options.egress_port, service, place)
        return
    wanted = f"{service.service}:{service.port}"
    port = options.tcp_ports.get(wanted)
    if port is None:
        place.problem(f"{wanted} speaks TCP: without capture it needs a local port, from the proxy's tcpPorts")
    elif port == options.egress_port or port in backends.tcp:
        place.problem(f"{wanted} is left out: its local port {port} is taken")
    else:
        backends.tcp[port] = service


def _add_virtual_host(backends: _Backends, port: int, service: ServicePort, place: Place) -> None:
    domains = {(port, domain) for domain in service.domains}
    if domains & backends.domains:
        place.problem(f"{service.service} is left out: another backend differs from it in upper and lower case only")
        return
    backends.domains |= domains
    backends.http.setdefault(port, []).append(service)


def _add_clusters(egress: Egress, reading: Reading, backends: _Backends) -> None:
    services = [*(each for group in backends.http.values() for each in group), *backends.tcp.values()]
    targets = {target for service in services for target in service.targets}
    for target in sorted(targets):
        made = clusters.node_cluster(reading, target, b"")
        sources = frozenset({ObjectKey("virtualNode", target.mesh, "", target.node)})
        egress.add(made.cluster, sources)
        if made.endpoints:
            egress.add(made.endpoints, sources)


def _routes(name: str, services: list[ServicePort]) -> Resource:
    """A route configuration of virtual hosts that are serialised already."""
    head = RouteConfiguration(name=name).SerializeToString(deterministic=True)
    hosts = sorted(services, key=lambda service: service.domains)
    return Resource.of_bytes(Kind.ROUTE, name, b"".join([head, *(service.virtual_host for service in hosts)]))


def _captured(
    reading: Reading, mesh: str, backends: _Backends, at: int, logs: filters.AccessLogs
) -> Iterator[Resource]:
    """One listener for all captured calls: chains by port, then AWS's own services, then what the mesh lets out.

    Envoy looks for the port first and does not come back: where a chain names port 443, all others for it must too.
    """
    record = reading.get("mesh", "", mesh)
    chains = [
        _chain(_network(backends, port, logs), FilterChainMatch(destination_port=uint32(port)))
        for port in sorted({*backends.http, *backends.tcp})
    ]
    amazon = FilterChainMatch(destination_port=uint32(_HTTPS), server_names=[names.AMAZON_SNI])
    chains.append(_chain(filters.tcp("egress", [(names.amazon_cluster(mesh), 1)], None, logs), amazon))
    yield clusters.amazon_cluster(mesh)
    if record and record.spec.get("egressFilter", {}).get("type") == "ALLOW_ALL":
        everything = filters.tcp("egress", [(names.allow_all_cluster(mesh), 1)], None, logs)
        if _HTTPS not in {*backends.http, *backends.tcp}:
            chains.append(_chain(everything, FilterChainMatch(destination_port=uint32(_HTTPS))))
        anywhere = CidrRange(address_prefix=_EVERYWHERE, prefix_len=UInt32Value(value=0))
        chains.append(_chain(everything, FilterChainMatch(prefix_ranges=[anywhere])))
        yield clusters.allow_all_cluster(mesh)
    listener = Listener(
        name=names.egress_listener(_EVERYWHERE, at),
        address=socket_address(_EVERYWHERE, at),
        filter_chains=chains,
        listener_filters=[filters.original_destination(), filters.tls_inspector()],
        traffic_direction=TrafficDirection.OUTBOUND,
    )
    yield Resource.of(Kind.LISTENER, listener.name, listener)


def _explicit(backends: _Backends, options: Options, logs: filters.AccessLogs) -> Iterator[tuple[int, Resource]]:
    """One local listener for everything that is HTTP, and one for each TCP service."""
    for port in sorted({*backends.http, *backends.tcp}):
        listener = Listener(
            name=names.egress_listener(_HERE, port),
            address=socket_address(_HERE, port),
            filter_chains=[_chain(_network(backends, port, logs), FilterChainMatch())],
            traffic_direction=TrafficDirection.OUTBOUND,
        )
        yield port, Resource.of(Kind.LISTENER, listener.name, listener)


def _network(backends: _Backends, port: int, logs: filters.AccessLogs) -> object:
    tcp = backends.tcp.get(port)
    if tcp is None:
        return filters.http("egress", names.egress_routes(port), logs)
    shares = [(share.target.cluster, share.weight) for share in tcp.shares]
    return filters.tcp("egress", shares, tcp.idle_timeout, logs)


def _chain(network: object, match: FilterChainMatch) -> FilterChain:
    return FilterChain(filter_chain_match=match, filters=[network])


def _sources(services: Iterable[ServicePort]) -> frozenset[ObjectKey]:
    return frozenset().union(*(service.sources for service in services))
