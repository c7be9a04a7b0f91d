"""From a change to the workflows that have to hear of it. Pure: old sighting, new sighting, index in; changes out.

Two kinds of news. A resource's own workflow hears of each new uid, generation or deletion. The workflows of those that
depend on it are poked when what they wait for turns, and only those that can have been waiting.
"""

from collections.abc import Iterator

from activities.messages import MeshReference, NodeReference
from activities.readiness import mesh_reference, node_reference
from resources.conditions import Reason, active_condition, condition_is_true
from resources.kinds import Kind
from watcher.index import Index, Name, infers_listener, mesh_of, nodes_of
from workflows.messages import Change, Snapshot

WAITING = frozenset({Reason.WAITING_FOR_MESH, Reason.WAITING_FOR_NODES})
"""Why somebody waits for a mesh or nodes, and for nothing else that would bring it back."""

STATUS_MEMBERS_OF_RELATIVES = (
    "observedGeneration",
    "virtualRouterArn",
    "retiredRouters",
    "routeArns",
    "routerLeader",
    "routerSharers",
)


def news(old: Snapshot | None, new: Snapshot | None, index: Index) -> Iterator[Change]:
    """Everyone who has to hear of a change.

    Args:
        old: the sighting before; None when there was none.
        new: the sighting now; None when the resource is gone.
        index: what is known, `new` included.
    """
    if new is not None and is_new(old, new):
        yield Change(snapshot=new, because="seen" if old is None else "changed")
    if old is not None and new is not None and _waits_unexpectedly(old, new):
        yield Change(snapshot=new, because="what it waits for may have turned meanwhile", poke=True)
    yield from pokes(old, new, index)


def is_new(old: Snapshot | None, new: Snapshot) -> bool:
    """Whether the resource's own workflow has to hear of a sighting.

    Without an older sighting to compare with (the watcher has just started), the resource's status tells whether its
    workflow has already dealt with this generation.
    """
    if old is None:
        return not is_settled(new)
    return old.identity != new.identity


def is_settled(snapshot: Snapshot) -> bool:
    """Whether the status says that App Mesh holds what this generation asks for."""
    return (
        not snapshot.deleting
        and snapshot.status.get("observedGeneration") == snapshot.generation
        and snapshot.key.kind.finalizer in snapshot.finalizers
        and condition_is_true(snapshot.as_resource(), active_condition(snapshot.key.kind))
    )


def _waits_unexpectedly(old: Snapshot, new: Snapshot) -> bool:
    """Whether a resource that was settled, and did not change, has to wait now.

    Those that look settled are passed over when a mesh or a node turns; this one was looking at it in that moment.
    """
    if not is_settled(old) or old.identity != new.identity:
        return False
    wanted = active_condition(new.key.kind)
    reasons = [each.get("reason") for each in new.status.get("conditions", ()) if each.get("type") == wanted]
    return bool(WAITING.intersection(reasons))


def at_start(index: Index) -> Iterator[Change]:
    """Who has to hear of what happened while nobody watched, once every kind has been listed."""
    for snapshot in index.all():
        if not is_settled(snapshot):
            # Also a poke: what it waits for may have turned meanwhile.
            yield Change(snapshot=snapshot, because="found unsettled at start", poke=True)
        elif (mesh := _leaving_mesh(snapshot, index)) is not None:
            # It may have been marked unseen, and waits for its members to go.
            yield Change(snapshot=snapshot, because=f"Mesh {mesh.key.name} is being deleted", poke=True)
        elif _listener_is_outdated(snapshot, index):
            yield Change(snapshot=snapshot, because="its first target's listener changed", poke=True)
        elif _shares(snapshot, index):
            # Each may be settled by itself, and not have heard what another one said: it has turned, it is gone.
            yield Change(snapshot=snapshot, because="it shares a router", poke=True)


def pokes(old: Snapshot | None, new: Snapshot | None, index: Index) -> Iterator[Change]:
    """Those that depend on the resource and may have waited for this."""
    some = new or old
    if some is None:
        return
    match some.key.kind:
        case Kind.MESH:
            yield from _pokes_of_mesh(old, new, index)
        case Kind.VIRTUAL_NODE:
            yield from _pokes_of_node(old, new, index)
        case Kind.VIRTUAL_SERVICE:
            yield from _pokes_of_service(old, new, index)
    yield from _pokes_of_relative(old, new, index)
    if old is not None and (new is None or mesh_of(new) != mesh_of(old)):
        yield from _poke_leaving_mesh(old, index)


def _pokes_of_mesh(old: Snapshot | None, new: Snapshot | None, index: Index) -> Iterator[Change]:
    if new is None:
        return
    before, after = _mesh(old), _mesh(new)
    if (before, _has_verdict(old)) == (after, _has_verdict(new)) or not (after.deleting or _has_verdict(new)):
        return
    for member in index.members(new.key.name):
        if after.deleting or not is_settled(member):
            turned = "is being deleted" if after.deleting else "turned"
            yield Change(snapshot=member, because=f"Mesh {new.key.name} {turned}", poke=True)


def _pokes_of_node(old: Snapshot | None, new: Snapshot | None, index: Index) -> Iterator[Change]:
    some = new or old
    if some is None:
        return
    before, after = _node(old), _node(new)
    if (before, _has_verdict(old)) == (after, _has_verdict(new)) or not (new is None or _has_verdict(new)):
        return
    for service in index.services_of(Name.of(some)):
        listener_moved = infers_listener(service) and before.listener != after.listener and new is not None
        if listener_moved or not is_settled(service):
            # One workflow sees to a shared router for all its services: so their routes are its matter too.
            for each in (service, *index.relatives(service)):
                yield Change(snapshot=each, because=f"VirtualNode {some.key.name} turned", poke=True)


def _pokes_of_service(old: Snapshot | None, new: Snapshot | None, index: Index) -> Iterator[Change]:
    """Nodes that are being deleted and were a target: App Mesh may let them go now."""
    targets = (nodes_of(old) if old is not None else frozenset()) | (nodes_of(new) if new is not None else frozenset())
    for name in sorted(targets, key=str):
        node = index.get(name)
        if node is not None and node.deleting:
            yield Change(snapshot=node, because="a service that targets it changed", poke=True)


def _pokes_of_relative(old: Snapshot | None, new: Snapshot | None, index: Index) -> Iterator[Change]:
    """Those who claim the same App Mesh object, when anything turns that they go by."""
    if _as_relatives_see(old) == _as_relatives_see(new):
        return
    seen = [snapshot for snapshot in (old, new) if snapshot is not None]
    relatives = {Name.of(each): each for snapshot in seen for each in index.relatives(snapshot)}
    for name in sorted(relatives, key=str):
        because = f"{seen[0].key.kind} {seen[0].key.name}, which claims the same in App Mesh, changed"
        yield Change(snapshot=relatives[name], because=because, poke=True)


def _as_relatives_see(snapshot: Snapshot | None) -> object:
    if snapshot is None or snapshot.key.kind is Kind.MESH:
        return None
    status = snapshot.status
    return snapshot.identity, snapshot.annotations, [status.get(member) for member in STATUS_MEMBERS_OF_RELATIVES]


def _poke_leaving_mesh(member: Snapshot, index: Index) -> Iterator[Change]:
    if (mesh := _leaving_mesh(member, index)) is not None:
        yield Change(snapshot=mesh, because=f"member {member.key.name} has left", poke=True)


def _leaving_mesh(member: Snapshot, index: Index) -> Snapshot | None:
    """The mesh of a member, if it is being deleted."""
    name = mesh_of(member)
    mesh = index.get(Name(Kind.MESH, None, name)) if name is not None else None
    return mesh if mesh is not None and mesh.deleting else None


def _listener_is_outdated(service: Snapshot, index: Index) -> bool:
    """Whether a service's inferred listener is no longer its first target's (the node changed while nobody watched)."""
    inferred = service.status.get("inferredListeners")
    if not infers_listener(service) or not inferred:
        return False
    listeners = [_node(node).listener for name in nodes_of(service) if (node := index.get(name)) is not None]
    return bool(listeners) and inferred[0].get("portMapping") not in listeners


def _shares(service: Snapshot, index: Index) -> bool:
    """Whether a service shares a router, or did by what its status says."""
    if service.key.kind is not Kind.VIRTUAL_SERVICE:
        return False
    said = (service.status.get(member) for member in ("routerLeader", "routerSharers", "retiredRouters"))
    return any(said) or any(True for _ in index.relatives(service))


def _mesh(snapshot: Snapshot | None) -> MeshReference:
    return mesh_reference(snapshot.as_resource()) if snapshot is not None else MeshReference()


def _node(snapshot: Snapshot | None) -> NodeReference:
    return node_reference(snapshot.as_resource()) if snapshot is not None else NodeReference()


def _has_verdict(snapshot: Snapshot | None) -> bool:
    """Whether the resource's own workflow has said anything about it yet.

    A resource that was only just created cannot be what anybody waits for: those who wait are poked when its workflow
    has created it in App Mesh, or has failed to.
    """
    return snapshot is not None and bool(snapshot.status)
