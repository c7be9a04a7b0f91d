"""What the parts of a resource are called that stand for one service each: virtual hosts and filter chains. Pure.

Envoy takes or refuses a resource as a whole; a part is what can be left as it was so that the rest is taken.
"""

from envoy.config.listener.v3.listener_components_pb2 import FilterChain, FilterChainMatch

from control_plane.xds.snapshot import Kind

Part = tuple[Kind, str, str]
"""A part: the kind and name of its resource, and its own name."""


def chain_name(chain: FilterChain) -> str:
    """A name for a filter chain, made from what it matches, as no two of a listener match the same."""
    match: FilterChainMatch = chain.filter_chain_match
    said = [
        f"port {match.destination_port.value}" if match.HasField("destination_port") else "",
        *match.server_names,
        match.transport_protocol,
        *(f"{each.address_prefix}/{each.prefix_len.value}" for each in match.prefix_ranges),
    ]
    return ", ".join(each for each in said if each) or "any connection"
