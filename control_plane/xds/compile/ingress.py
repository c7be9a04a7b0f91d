"""What comes in to a virtual node: listeners in front of the application, and what leads to it."""

from collections.abc import Iterator

from envoy.config.listener.v3.listener_components_pb2 import Filter, FilterChain
from envoy.config.route.v3.route_components_pb2 import Route, RouteAction, RouteMatch, VirtualHost
from envoy.config.route.v3.route_pb2 import RouteConfiguration

from control_plane.store.records import ObjectRecord
from control_plane.xds.compile import filters, names
from control_plane.xds.compile.clusters import local_cluster
from control_plane.xds.compile.listeners import EVERYWHERE, chains, ingress_listener, takes_port
from control_plane.xds.compile.messages import uint32
from control_plane.xds.compile.options import CAPTURED_INGRESS_PORT, Options
from control_plane.xds.compile.place import Place
from control_plane.xds.compile.reading import Reading
from control_plane.xds.compile.routes import set_timeouts
from control_plane.xds.snapshot import Kind, Resource


def node_ingress(
    reading: Reading, node: ObjectRecord, options: Options, recording: filters.Recording
) -> Iterator[Resource]:
    """All resources for calls to a node; none if it does not listen."""
    captured: list[FilterChain] = []
    taken = {options.egress_port, *options.tcp_ports.values()}
    for listener in Place.spec_of(reading, node).items("listeners"):
        mapping = listener.value["portMapping"]
        cluster = names.ingress_cluster(node.key.mesh, node.key.name, mapping["protocol"], mapping["port"])
        found = chains(listener, _network(listener, cluster, recording))
        if not found or not (options.capture or _can_listen(listener, options, taken)):
            continue
        if options.capture:
            for chain in found:
                chain.filter_chain_match.destination_port.CopyFrom(uint32(mapping["port"]))
            captured += found
        else:
            yield ingress_listener(options.ingress_address, options.ingress_port(mapping["port"]), found)
        if mapping["protocol"] != "tcp":
            yield _routes(listener, cluster)
        at = (options.application_address, options.application_port(mapping["port"]))
        yield local_cluster(cluster, mapping["protocol"], at, listener.get("connectionPool"))
    if captured:
        redirected = [filters.original_destination()]
        yield ingress_listener(EVERYWHERE, CAPTURED_INGRESS_PORT, captured, redirected, ipv6=options.ipv6)


def _can_listen(listener: Place, options: Options, taken: set[int]) -> bool:
    """Whether the proxy can listen for a listener of the node, on a port of its own."""
    place = listener["portMapping"]["port"]
    at = options.ingress_port(place.value)
    shared = options.ingress_address in (EVERYWHERE, "::", options.application_address)
    if shared and at == options.application_port(place.value):
        place.problem(f"proxy and application would both listen on port {at}; there is no ingress")
        return False
    return takes_port(place, at, taken)


def _network(listener: Place, cluster: str, recording: filters.Recording) -> Filter:
    mapping = listener.value["portMapping"]
    if mapping["protocol"] != "tcp":
        return filters.http("ingress", names.ingress_routes(mapping["port"]), recording)
    timeout = _timeout(listener)
    idle = timeout.get("idle") if timeout else None
    return filters.tcp("ingress", [(cluster, 1)], idle.duration() if idle else None, recording)


def _timeout(listener: Place) -> Place | None:
    """The timeouts of the listener's protocol; a problem, and nothing else, for those of another."""
    protocol, timeout = listener.value["portMapping"]["protocol"], listener.get("timeout")
    if timeout is None:
        return None
    for name in timeout.value:
        if name != protocol:
            timeout[name].problem(f"the listener's protocol is {protocol}; timeouts of another have no effect")
    return timeout.get(protocol)


def _routes(listener: Place, cluster: str) -> Resource:
    """Everything to the application. Its callers retry; its own proxy does not."""
    action = RouteAction(cluster=cluster)
    set_timeouts(action, _timeout(listener))
    route = Route(match=RouteMatch(prefix="/"), route=action)
    name = names.ingress_routes(listener.value["portMapping"]["port"])
    host = VirtualHost(name=name, domains=["*"], routes=[route])
    return Resource.of(Kind.ROUTE, name, RouteConfiguration(name=name, virtual_hosts=[host]))
