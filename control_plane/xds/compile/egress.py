"""What goes out: the backends of a node by port, the listener for the application's calls, and their clusters."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from envoy.config.core.v3.address_pb2 import CidrRange
from envoy.config.core.v3.base_pb2 import TrafficDirection
from envoy.config.listener.v3.listener_components_pb2 import FilterChain, FilterChainMatch
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from google.protobuf.wrappers_pb2 import UInt32Value

from control_plane.store.records import ObjectKey
from control_plane.xds.compile import clusters, filters, names, proxyless
from control_plane.xds.compile.backends import Backends
from control_plane.xds.compile.messages import also_by_ipv6, socket_address, uint32
from control_plane.xds.compile.options import Options
from control_plane.xds.compile.reading import Reading
from control_plane.xds.compile.services import ServicePort
from control_plane.xds.parts import Part, chain_name
from control_plane.xds.snapshot import Kind, Resource

_EVERYWHERE = "0.0.0.0"
_EVERYWHERE_BY_IPV6 = "::"
_HERE = "127.0.0.1"
_HTTPS = 443

Sources = dict[tuple[Kind, str], frozenset[ObjectKey]]


@dataclass
class Resources:
    """The resources for calls from a proxy, and which objects each comes from."""

    own: ObjectKey
    """The node or gateway that the proxy stands for."""
    resources: list[Resource] = field(default_factory=list)
    sources: Sources = field(default_factory=dict)
    part_sources: dict[Part, frozenset[ObjectKey]] = field(default_factory=dict)
    """The same of virtual hosts and filter chains that are for one service each."""

    def add(self, resource: Resource, sources: frozenset[ObjectKey] = frozenset()) -> None:
        """One more."""
        self.resources.append(resource)
        if sources:
            self.sources[resource.kind, resource.name] = sources


def egress_of(
    reading: Reading, own: ObjectKey, backends: Backends, options: Options, recording: filters.Recording
) -> Resources:
    """All resources for calls from a node to these backends."""
    egress = Resources(own)
    add_services(egress, reading, backends, options)
    if options.proxyless:
        for listener in proxyless.listeners(backends, recording):
            egress.add(listener, frozenset({own}))
    elif options.capture:
        sources = _sources(backends.tcp.values()) | {own}
        for resource in _captured(reading, own.mesh, backends, options, recording):
            egress.add(resource, sources if resource.kind is Kind.LISTENER else frozenset())
        captured = names.egress_listener(_EVERYWHERE, options.egress_port)
        for port, service in backends.tcp.items():
            egress.part_sources[Kind.LISTENER, captured, chain_name(_chain_of(port))] = service.sources
    else:
        for port in backends.ports:
            listener = local_listener(names.egress_listener(_HERE, port), backends, port, recording)
            egress.add(listener, _sources([backends.tcp[port]] if port in backends.tcp else []) | {own})
    return egress


def add_services(egress: Resources, reading: Reading, backends: Backends, options: Options) -> None:
    """The routes and clusters of what is called, whatever the listeners."""
    for port, services in sorted(backends.http.items()):
        routes = names.egress_routes(port)
        egress.add(_routes(routes, services), _sources(services))
        egress.part_sources |= {(Kind.ROUTE, routes, service.host): service.sources for service in services}
    services = [*(each for group in backends.http.values() for each in group), *backends.tcp.values()]
    targets = {target for service in services for target in service.targets}
    for target in sorted(targets):
        made = clusters.node_cluster(reading, target, backends.sockets[target])
        sources = frozenset({ObjectKey("virtualNode", target.mesh, "", target.node)})
        policy = frozenset({egress.own}) if backends.sockets[target] else frozenset()
        egress.add(proxyless.cluster(made.cluster) if options.proxyless else made.cluster, sources | policy)
        if made.endpoints:
            egress.add(made.endpoints, sources)


def _routes(name: str, services: list[ServicePort]) -> Resource:
    """A route configuration of virtual hosts that are serialised already."""
    head = RouteConfiguration(name=name).SerializeToString(deterministic=True)
    hosts = sorted(services, key=lambda service: service.domains)
    return Resource.of_bytes(Kind.ROUTE, name, b"".join([head, *(service.virtual_host for service in hosts)]))


def _captured(
    reading: Reading, mesh: str, backends: Backends, options: Options, recording: filters.Recording
) -> Iterator[Resource]:
    """One listener for all captured calls: chains by port, then AWS's own services, then what the mesh lets out.

    Envoy looks for the port first and does not come back: where a chain names port 443, all others for it must too.
    """
    record = reading.get("mesh", "", mesh)
    chains = [_chain_of(port, _network(backends, port, recording)) for port in backends.ports]
    amazon = FilterChainMatch(destination_port=uint32(_HTTPS), server_names=[names.AMAZON_SNI])
    chains.append(_chain(filters.tcp("egress", [(names.amazon_cluster(mesh), 1)], None, recording), amazon))
    yield clusters.amazon_cluster(mesh)
    if record and record.spec.get("egressFilter", {}).get("type") == "ALLOW_ALL":
        everything = filters.tcp("egress", [(names.allow_all_cluster(mesh), 1)], None, recording)
        if _HTTPS not in backends.ports:
            chains.append(_chain(everything, FilterChainMatch(destination_port=uint32(_HTTPS))))
        prefixes = [_EVERYWHERE, _EVERYWHERE_BY_IPV6] if options.ipv6 else [_EVERYWHERE]
        anywhere = [CidrRange(address_prefix=each, prefix_len=UInt32Value(value=0)) for each in prefixes]
        chains.append(_chain(everything, FilterChainMatch(prefix_ranges=anywhere)))
        yield clusters.allow_all_cluster(mesh)
    at = options.egress_port
    listener = Listener(
        name=names.egress_listener(_EVERYWHERE, at),
        address=socket_address(_EVERYWHERE, at),
        additional_addresses=[also_by_ipv6(at)] if options.ipv6 else [],
        filter_chains=chains,
        listener_filters=[filters.original_destination(), filters.tls_inspector([_HTTPS])],
        traffic_direction=TrafficDirection.OUTBOUND,
    )
    yield Resource.of(Kind.LISTENER, listener.name, listener)


def local_listener(name: str, backends: Backends, port: int, recording: filters.Recording) -> Resource:
    """A listener that only this machine can reach, for everything that is HTTP or for one TCP service."""
    listener = Listener(
        name=name,
        address=socket_address(_HERE, port),
        filter_chains=[_chain(_network(backends, port, recording), FilterChainMatch())],
        traffic_direction=TrafficDirection.OUTBOUND,
    )
    return Resource.of(Kind.LISTENER, name, listener)


def _network(backends: Backends, port: int, recording: filters.Recording) -> object:
    tcp = backends.tcp.get(port)
    if tcp is None:
        return filters.http("egress", names.egress_routes(port), recording)
    shares = [(share.target.cluster, share.weight) for share in tcp.shares]
    return filters.tcp("egress", shares, tcp.idle_timeout, recording)


def _chain_of(port: int, network: object | None = None) -> FilterChain:
    """The chain for calls to a port."""
    match = FilterChainMatch(destination_port=uint32(port))
    return FilterChain(filter_chain_match=match, filters=[network] if network else [])


def _chain(network: object, match: FilterChainMatch) -> FilterChain:
    return FilterChain(filter_chain_match=match, filters=[network])


def _sources(services: Iterable[ServicePort]) -> frozenset[ObjectKey]:
    return frozenset().union(*(service.sources for service in services))
