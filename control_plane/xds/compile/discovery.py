"""How the endpoints of a virtual node are found: by DNS, or by the control plane, which asks Cloud Map."""

import ipaddress
from collections.abc import Callable, Mapping

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.core.v3.base_pb2 import Locality
from envoy.config.endpoint.v3.endpoint_components_pb2 import Endpoint, LbEndpoint, LocalityLbEndpoints
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment

from control_plane.store.records import Spec
from control_plane.xds.compile.messages import from_ads, socket_address, uint32
from control_plane.xds.compile.place import Place
from control_plane.xds.state import Instance

_LOOKUP_FAMILIES = {
    "IPv4_ONLY": Cluster.V4_ONLY,
    "IPv6_ONLY": Cluster.V6_ONLY,
    "IPv4_PREFERRED": Cluster.V4_PREFERRED,
    # Envoy's AUTO asks for IPv6 first and takes IPv4 if there is none.
    "IPv6_PREFERRED": Cluster.AUTO,
}
# For each instance by itself: unlike a name, one that is only reached by the other family is not hidden by its peers.
_ADDRESSES: Mapping[str, Callable[[Instance], str]] = {
    "IPv4_ONLY": lambda instance: instance.ipv4,
    "IPv6_ONLY": lambda instance: instance.ipv6,
    "IPv4_PREFERRED": lambda instance: instance.ipv4 or instance.ipv6,
    "IPv6_PREFERRED": lambda instance: instance.ipv6 or instance.ipv4,
}
_DEFAULT_PREFERENCE = "IPv4_PREFERRED"
_NOBODY_ASKS = (
    "there are no endpoints: the control plane does not know where Cloud Map is (AWS_ENDPOINT_URL_SERVICEDISCOVERY)"
)


def set_discovery(cluster: Cluster, discovery: Place, mesh: Spec, port: int) -> ClusterLoadAssignment | None:
    """Let the cluster find its endpoints as a node's service discovery says. What Cloud Map knows is returned."""
    kind, place = discovery.only()
    in_mesh = mesh.get("serviceDiscovery", {}).get("ipPreference", _DEFAULT_PREFERENCE)
    preference = place.value.get("ipPreference", in_mesh)
    if kind == "dns":
        _by_dns(cluster, place, preference, port)
        return None
    cluster.type = Cluster.EDS
    cluster.eds_cluster_config.eds_config.CopyFrom(from_ads())
    return _assignment(cluster.name, place, preference, port)


def single_endpoint(cluster: str, address: str, port: int) -> ClusterLoadAssignment:
    """One endpoint for a cluster."""
    return _endpoints(cluster, [(address, port)])


def _by_dns(cluster: Cluster, dns: Place, preference: str, port: int) -> None:
    one_at_a_time = dns.value.get("responseType", "LOADBALANCER") == "LOADBALANCER"
    cluster.type = Cluster.LOGICAL_DNS if one_at_a_time else Cluster.STRICT_DNS
    cluster.dns_lookup_family = _LOOKUP_FAMILIES[preference]
    cluster.load_assignment.CopyFrom(single_endpoint(cluster.name, _absolute(dns.value["hostname"]), port))


def _absolute(hostname: str) -> str:
    """With a dot at its end, so that no search domain is tried; addresses and `localhost` have none."""
    host = hostname.rstrip(".")
    return host if host == "localhost" or is_address(host) else f"{host}."


def _assignment(cluster: str, cloud_map: Place, preference: str, port: int) -> ClusterLoadAssignment:
    """The healthy instances with the node's attributes, at the node's port as they would be by DNS.

    One without an address of the only family that is asked for is no endpoint, as a name would have none by DNS.
    """
    wanted = {each["key"]: each["value"] for each in cloud_map.value.get("attributes", ())}
    instances = cloud_map.reading.instances_of(cloud_map.value["namespaceName"], cloud_map.value["serviceName"])
    if instances is None:  # where it will be asked nothing is sent before: so here it is not
        cloud_map.problem(_NOBODY_ASKS)
    fitting = [each for each in instances or () if each.healthy and wanted.items() <= each.attributes.items()]
    addresses = sorted({_ADDRESSES[preference](each) for each in fitting} - {""})
    if fitting and not addresses:
        cloud_map.problem(f"no instance has an address for {preference}; there are no endpoints")
    for address in addresses:
        if not is_address(address):
            cloud_map.problem(f"an instance has the address {address!r}, which is none; it is left out")
    return _endpoints(cluster, [(address, port) for address in addresses if is_address(address)])


def is_address(text: str) -> bool:
    """Whether it is an IP address, and not a name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _endpoints(cluster: str, addresses: list[tuple[str, int]]) -> ClusterLoadAssignment:
    endpoints = [LbEndpoint(endpoint=Endpoint(address=socket_address(*address))) for address in addresses]
    # gRPC's own clients want a locality with a weight; to Envoy it is all the same.
    locality = LocalityLbEndpoints(
        locality=Locality(zone="default"), load_balancing_weight=uint32(1), lb_endpoints=endpoints
    )
    return ClusterLoadAssignment(cluster_name=cluster, endpoints=[locality] if endpoints else [])
