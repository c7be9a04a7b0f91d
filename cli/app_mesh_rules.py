"""What App Mesh would refuse of a manifest, by the bounds and rules of our own control plane. Pure.

Only what one object shows by itself: whether a quota is used up, or what another object of the mesh makes of this one,
is known to App Mesh alone.
"""

from collections.abc import Collection, Iterator

from activities.messages import MeshReference, NodeReference, References
from activities.names import Verb, operation
from activities.objects import ApiKind
from control_plane.api.semantics import KINDS
from control_plane.api.service_model import service_model
from control_plane.api.validation import Violation, check
from workflows.messages import Snapshot
from workflows.planning.desired import Desired
from workflows.planning.plan import Observed, Wanted

_SEMANTICS = {kind.noun: kind for kind in KINDS.values()}


def refusals(desired: Desired, snapshot: Snapshot, nodes: Collection[str]) -> Iterator[tuple[str, str]]:
    """The field of the resource that an object is made from, and why App Mesh would not take the object.

    Args:
        desired: what the resource asks for.
        snapshot: the resource.
        nodes: names of the VirtualNodes in its namespace.
    """
    there = NodeReference(found=True, ready=True, mesh=snapshot.spec.get("meshName"))
    references = References(mesh=MeshReference(found=True, ready=True), nodes=dict.fromkeys(nodes, there))
    for wanted in desired.wanted(references, Observed()):
        for violation in _violations(wanted):
            yield _field(wanted, snapshot), f"App Mesh refuses the {wanted.object.kind.noun}: {violation}"


def _violations(wanted: Wanted) -> Iterator[Violation]:
    shape = service_model().operation_model(operation(Verb.CREATE, wanted.object.kind)).input_shape
    found: list[Violation] = []
    clean = check(shape, wanted.object.identity | {"spec": wanted.spec}, "", found)
    yield from found
    if not found:  # the rules may rely on the shape
        semantics = _SEMANTICS[wanted.object.kind]
        yield from semantics.name_rule(wanted.object.name, semantics.name_member)
        for rule in semantics.rules:
            yield from rule(clean["spec"])


def _field(wanted: Wanted, snapshot: Snapshot) -> str:
    if wanted.object.kind is ApiKind.VIRTUAL_ROUTER:
        return "spec.virtualRouter"
    if wanted.object.kind is ApiKind.ROUTE:
        routes = [route.get("name") for route in snapshot.spec.get("routes") or ()]
        return f"spec.routes[{routes.index(wanted.object.name)}]"
    return "spec"
