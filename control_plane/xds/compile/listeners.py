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
    looks = [filters.tls_inspector()] if any(chain.filter_chain_match.transport_protocol for chain in chains) else []
    listener = Listener(
        name=names.ingress_listener(address, port),
        address=socket_address(address, port),
        additional_addresses=[also_by_ipv6(port)] if ipv6 else [],
        filter_chains=chains,
        listener_filters=[*listener_filters, *looks],
        traffic_direction=TrafficDirection.INBOUND,
    )
    return Resource.of(Kind.LISTENER, listener.name, listener)


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
