"""Sighted resources and what they refer to, for tests of planners and of the entity loop."""

from typing import Any

from activities.messages import MeshReference, NodeReference, References
from activities.objects import ApiKind, ApiObject
from resources.kinds import Kind
from tests.builders import MESH, Manifest, stored
from workflows.messages import Snapshot
from workflows.planning.desired import Desired
from workflows.planning.kinds import desired_of

READY_MESH = MeshReference(found=True, ready=True)
READY_NODE = NodeReference(found=True, ready=True, mesh=MESH, listener={"port": 8080, "protocol": "http"})


def snapshot(manifest: Manifest, *, status: dict[str, Any] | None = None, **metadata: Any) -> Snapshot:
    """The resource as the watcher saw it; keywords are members of its metadata."""
    return Snapshot.of(Kind(manifest["kind"]), stored(manifest, **metadata) | {"status": status or {}})


def desired(manifest: Manifest, **metadata: Any) -> Desired:
    """What the planner makes of a resource."""
    return desired_of(snapshot(manifest, **metadata))


def references(*nodes: str, **given: NodeReference) -> References:
    """A ready mesh, ready nodes of these names, and nodes as given."""
    return References(mesh=READY_MESH, nodes={**dict.fromkeys(nodes, READY_NODE), **given})


def router(name: str = "cart-router-prod", mesh: str = MESH) -> ApiObject:
    """A virtual router."""
    return ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh=mesh, name=name)


def service(name: str = "cart.prod.svc.cluster.local", mesh: str = MESH) -> ApiObject:
    """A virtual service."""
    return ApiObject(kind=ApiKind.VIRTUAL_SERVICE, mesh=mesh, name=name)


def node(name: str = "cart-prod", mesh: str = MESH) -> ApiObject:
    """A virtual node."""
    return ApiObject(kind=ApiKind.VIRTUAL_NODE, mesh=mesh, name=name)


def route(name: str, router: str = "cart-router-prod", mesh: str = MESH) -> ApiObject:
    """A route."""
    return ApiObject(kind=ApiKind.ROUTE, mesh=mesh, name=name, router=router)
