"""What a proxy may still be using though nothing leads there any more: the clusters of all nodes of its mesh.

A proxy that connects again in state-of-the-world form does not say what it holds, and each response tells it all the
clusters that there are: what is left out goes at once, also from under routes that are still to be replaced. So a
proxy whose clusters are not those that it is to have is offered these beside them, until its routes are known again.

Left out are nodes for which the policies of the proxy do not agree on how they are called, as an offer would change
how a proxy calls them, to TLS or from it, for as long as its old routes last.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from control_plane.store.records import ObjectRecord
from control_plane.xds.compile.backends import backends_of
from control_plane.xds.compile.clusters import node_cluster
from control_plane.xds.compile.options import Options
from control_plane.xds.compile.place import Place
from control_plane.xds.compile.reading import Reading
from control_plane.xds.compile.targets import Target
from control_plane.xds.compile.tls import Unavailable, backend_socket
from control_plane.xds.proxies import ProxyId
from control_plane.xds.snapshot import Kind, Resource
from control_plane.xds.state import MeshState

Spare = Mapping[Kind, Mapping[str, Resource]]
"""Clusters, and endpoints of those whose endpoints are known."""

NOTHING: Spare = MappingProxyType({})


def spare_resources(reading: Reading, state: MeshState, proxy: ProxyId, options: Options) -> Spare:
    """The clusters of all nodes that the proxy could be calling, and their endpoints."""
    record = reading.get(proxy.kind, proxy.mesh, proxy.name)
    if record is None or options.proxyless:
        return NOTHING  # a client without a proxy asks for each cluster when it needs it
    policies = _policies(Place.spec_of(reading, record))
    found: dict[Kind, dict[str, Resource]] = {Kind.CLUSTER: {}, Kind.ENDPOINT: {}}
    for target, node in _targets(state):
        socket = _agreed_socket(policies, node, target)
        if socket is None:
            continue
        made = node_cluster(reading, target, socket)
        found[Kind.CLUSTER][target.cluster] = made.cluster
        if made.endpoints is not None and _is_heard_of(state, node):
            found[Kind.ENDPOINT][target.cluster] = made.endpoints
    return found


def _policies(spec: Place) -> list[Place | None]:
    """The client policies by which a proxy calls one node or another, the default among them."""
    return [spec.get("backendDefaults", "clientPolicy", "tls"), *(each.policy for each in backends_of(spec))]


def _targets(state: MeshState) -> Iterator[tuple[Target, ObjectRecord]]:
    for key in sorted(key for key in state.objects if key.kind == "virtualNode"):
        node = state.objects[key]
        for listener in node.spec.get("listeners", ()) if "serviceDiscovery" in node.spec else ():
            mapping = listener["portMapping"]
            yield Target(key.mesh, key.name, mapping["protocol"], mapping["port"]), node


def _agreed_socket(policies: list[Place | None], node: ObjectRecord, target: Target) -> bytes | None:
    """How all policies have the target called (serialised, empty for in the clear); None if they do not agree."""
    sockets = set()
    for policy in policies:
        try:
            socket = backend_socket(policy, node, target)
        except Unavailable:
            return None
        sockets.add(socket.SerializeToString(deterministic=True) if socket else b"")
    return sockets.pop() if len(sockets) == 1 else None


def _is_heard_of(state: MeshState, node: ObjectRecord) -> bool:
    """Whether its instances are known: none is not the same as none heard of yet."""
    discovery = node.spec["serviceDiscovery"].get("awsCloudMap")
    return discovery is None or (discovery["namespaceName"], discovery["serviceName"]) in state.instances
