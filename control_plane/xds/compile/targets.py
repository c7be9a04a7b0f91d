"""Where traffic goes: a port of a virtual node, as seen from a route or a service's provider."""

from typing import NamedTuple

from control_plane.store.records import ObjectRecord
from control_plane.xds.compile import names
from control_plane.xds.compile.place import Place


class Target(NamedTuple):
    """A port of a virtual node. Callers of one port share the cluster's name."""

    mesh: str
    node: str
    protocol: str
    port: int

    @property
    def cluster(self) -> str:
        """The name of its cluster at callers."""
        return names.egress_cluster(self.mesh, self.node, self.protocol, self.port)


class WeightedTarget(NamedTuple):
    """A target and its share."""

    target: Target
    weight: int


def target_at(node: ObjectRecord, port: int | None, place: Place) -> Target | None:
    """The listener of a node at a port, or its only one; None, and a problem at the place, if that means nothing."""
    mappings = [listener["portMapping"] for listener in node.spec.get("listeners", ())]
    name = node.key.name
    if not mappings or "serviceDiscovery" not in node.spec:
        place.problem(f"virtual node {name} has no listener that could be called")
        return None
    if port is None and len(mappings) > 1:
        place.problem(f"virtual node {name} has several listeners; the port is not said")
        return None
    for mapping in mappings:
        if port in (None, mapping["port"]):
            return Target(node.key.mesh, name, mapping["protocol"], mapping["port"])
    place.problem(f"virtual node {name} does not listen on port {port}")
    return None


def weighted_targets(action: Place) -> tuple[WeightedTarget, ...]:
    """The targets of a route that exist; what is missing is a problem. None if no traffic could go to any of them."""
    found = []
    for place in action.items("weightedTargets"):
        name = place.value["virtualNode"]
        node = place.reading.get("virtualNode", place.key.mesh, name)
        if node is None:
            place["virtualNode"].problem(f"there is no virtual node {name}")
            continue
        target = target_at(node, place.value.get("port"), place)
        if target is not None:
            found.append(WeightedTarget(target, place.value["weight"]))
    if not any(weight for _, weight in found):
        action["weightedTargets"].problem("no target has any weight; requests are answered with 503")
        return ()
    return tuple(found)
