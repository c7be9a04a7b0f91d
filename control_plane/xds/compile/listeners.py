"""Listeners for calls from others: their filter chains, with and without TLS, and where they listen."""

from collections.abc import Sequence

from envoy.config.core.v3.base_pb2 import TrafficDirection
from envoy.config.listener.v3.listener_components_pb2 import Filter, FilterChain, FilterChainMatch, ListenerFilter
from envoy.config.listener.v3.listener_pb2 import Listener

from control_plane.xds.compile import filters, names
from control_plane.xds.compile.messages import also_by_ipv6, socket_address
from control_plane.xds.compile.place import Place
from control_plane.xds.compile.tls import Unavailable, listener_socket
from control_plane.xds.snapshot import Kind, Resource

EVERYWHERE = "0.0.0.0"


def ingress_listener(
    address: str,
    port: int,
    chains: Sequence[FilterChain],
    listener_filters: Sequence[ListenerFilter] = (),
    *,
    ipv6: bool = False,
) -> Resource:
    """A listener with these chains, by `ipv6` too. Which of them is for TLS can only be told by looking."""
    listener = Listener(
        name=names.ingress_listener(address, port),
        address=socket_address(address, port),
        additional_addresses=[also_by_ipv6(port)] if ipv6 else [],
        filter_chains=chains,
        listener_filters=[*listener_filters, *_looks(chains)],
        traffic_direction=TrafficDirection.INBOUND,
    )
    return Resource.of(Kind.LISTENER, listener.name, listener)


def _looks(chains: Sequence[FilterChain]) -> list[ListenerFilter]:
    """What tells TLS from what is in the clear, for the ports where one or the other is taken."""
    matches = [chain.filter_chain_match for chain in chains if chain.filter_chain_match.transport_protocol]
    if not matches:
        return []
    captured = all(match.HasField("destination_port") for match in matches)
    return [filters.tls_inspector([match.destination_port.value for match in matches] if captured else None)]


def chains(listener: Place, network: Filter) -> list[FilterChain]:
    """One chain in the clear, or one with TLS, or, where a listener takes both, one of each.

    What must be encrypted and cannot be has none.
    """
    tls = listener.get("tls")
    mode = tls.value["mode"] if tls else "DISABLED"
    clear = FilterChain(filter_chain_match=FilterChainMatch(), filters=[network])
    if tls is None or mode == "DISABLED":
        return [clear]
    found = []
    try:
        socket = listener_socket(tls, listener.value["portMapping"]["protocol"])
        match = FilterChainMatch(transport_protocol="tls")
        found.append(FilterChain(filter_chain_match=match, filters=[network], transport_socket=socket))
    except Unavailable:
        pass  # the user is told already
    if mode == "PERMISSIVE":
        clear.filter_chain_match.transport_protocol = "raw_buffer"
        found.append(clear)
    return found


def takes_port(place: Place, port: int, taken: set[int]) -> bool:
    """Take a port of the proxy for the listener whose port is at `place`; False, and a problem, if it is taken."""
    if port in taken:
        place.problem(f"the proxy listens on port {port} for something else already; there is no ingress")
        return False
    taken.add(port)
    return True
