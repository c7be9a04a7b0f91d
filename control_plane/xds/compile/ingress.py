"""What comes in: listeners in front of the application, and the routes and clusters that lead to it."""

from collections.abc import Iterator
from typing import NamedTuple

from envoy.config.core.v3.base_pb2 import TrafficDirection
from envoy.config.listener.v3.listener_components_pb2 import FilterChain, FilterChainMatch
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_components_pb2 import Route, RouteAction, RouteMatch, VirtualHost
from envoy.config.route.v3.route_pb2 import RouteConfiguration

from control_plane.store.records import ObjectRecord
from control_plane.xds.compile import filters, names
from control_plane.xds.compile.clusters import application_cluster
from control_plane.xds.compile.messages import socket_address, uint32
from control_plane.xds.compile.options import CAPTURED_INGRESS_PORT, Options
from control_plane.xds.compile.place import Place
from control_plane.xds.compile.reading import Reading
from control_plane.xds.compile.routes import set_timeouts
from control_plane.xds.snapshot import Kind, Resource

_EVERYWHERE = ("0.0.0.0", "::")


class _Port(NamedTuple):
    """One listener of the node, and the chains for it."""

    number: int
    listener: Place
    chains: list[FilterChain]


def node_ingress(reading: Reading, node: ObjectRecord, options: Options, logs: filters.AccessLogs) -> list[Resource]:
    """All resources for calls to a node; none if it does not listen."""
    resources: list[Resource] = []
    ports: list[_Port] = []
    for listener in Place.spec_of(reading, node).items("listeners"):
        mapping = listener.value["portMapping"]
        cluster = names.ingress_cluster(node.key.mesh, node.key.name, mapping["protocol"], mapping["port"])
        application = options.application_ports.get(mapping["port"], mapping["port"])
        resources.append(application_cluster(cluster, listener, options.application_address, application))
        if mapping["protocol"] != "tcp":
            resources.append(_routes(listener, cluster))
        ports.append(_Port(mapping["port"], listener, _chains(listener, cluster, logs)))
    listeners = _captured(ports) if options.capture else _explicit(ports, options)
    return [*resources, *(Resource.of(Kind.LISTENER, each.name, each) for each in listeners)]


def _captured(ports: list[_Port]) -> Iterator[Listener]:
    chains = []
    for port in ports:
        for chain in port.chains:
            chain.filter_chain_match.destination_port.CopyFrom(uint32(port.number))
            chains.append(chain)
    if chains:
        address = _EVERYWHERE[0]
        yield _listener(address, CAPTURED_INGRESS_PORT, chains, [filters.original_destination()])


def _explicit(ports: list[_Port], options: Options) -> Iterator[Listener]:
    taken: set[int] = set()
    for port in ports:
        place = port.listener["portMapping"]["port"]
        at = options.ingress_ports.get(port.number, port.number)
        application = options.application_ports.get(port.number, port.number)
        shared = options.ingress_address in (*_EVERYWHERE, options.application_address)
        if at in taken:
            place.problem(f"the proxy listens on port {at} for another listener already; there is no ingress")
        elif at == application and shared:
            place.problem(f"proxy and application would both listen on port {at}; there is no ingress")
        elif port.chains:
            taken.add(at)
            yield _listener(options.ingress_address, at, port.chains, [])


def _listener(address: str, port: int, chains: list[FilterChain], listener_filters: list[object]) -> Listener:
    if any(chain.filter_chain_match.transport_protocol for chain in chains):
        listener_filters = [*listener_filters, filters.tls_inspector()]
    return Listener(
        name=names.ingress_listener(address, port),
        address=socket_address(address, port),
        filter_chains=chains,
        listener_filters=listener_filters,
        traffic_direction=TrafficDirection.INBOUND,
    )


def _chains(listener: Place, cluster: str, logs: filters.AccessLogs) -> list[FilterChain]:
    mapping = listener.value["portMapping"]
    if mapping["protocol"] == "tcp":
        idle = listener.get("timeout", "tcp", "idle")
        network = filters.tcp("ingress", [(cluster, 1)], idle.duration() if idle else None, logs)
    else:
        network = filters.http("ingress", names.ingress_routes(mapping["port"]), logs)
    return [FilterChain(filter_chain_match=FilterChainMatch(), filters=[network])]


def _routes(listener: Place, cluster: str) -> Resource:
    """Everything to the application. Its callers retry; its own proxy does not."""
    action = RouteAction(cluster=cluster)
    timeout = listener.get("timeout")
    set_timeouts(action, timeout.only()[1] if timeout else None)
    route = Route(match=RouteMatch(prefix="/"), route=action)
    name = names.ingress_routes(listener.value["portMapping"]["port"])
    host = VirtualHost(name=name, domains=["*"], routes=[route])
    return Resource.of(Kind.ROUTE, name, RouteConfiguration(name=name, virtual_hosts=[host]))
