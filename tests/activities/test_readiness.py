"""Whether a resource can be referred to."""

from typing import Any

import pytest

from activities.messages import MeshReference, NodeReference
from activities.readiness import exists_in_app_mesh, mesh_reference, node_reference
from resources.kinds import Kind
from tests import builders

MESH_ARN = "arn:aws:appmesh:us-west-2:000000000000:mesh/shop"
NODE_ARN = f"{MESH_ARN}/virtualNode/cart-prod"


def condition(type: str, status: str) -> dict[str, Any]:
    """One condition."""
    return {"type": type, "status": status}


@pytest.mark.parametrize(
    ("status", "ready"),
    [
        pytest.param({}, False, id="new"),
        pytest.param({"meshCondition": [condition("MeshActive", "False")]}, False, id="not-active"),
        pytest.param({"meshCondition": [condition("MeshActive", "True")]}, True, id="made-by-another-controller"),
        pytest.param({"conditions": [condition("MeshActive", "True")]}, True, id="mirror-alone"),
        pytest.param({"meshArn": MESH_ARN}, True, id="arn-alone"),
        pytest.param(
            {"meshArn": MESH_ARN, "meshCondition": [condition("MeshActive", "False")]}, True, id="later-edit-refused"
        ),
        pytest.param({"meshArn": "arn:aws:iam::0:role/x"}, False, id="arn-of-something-else"),
        pytest.param({"meshCondition": [condition("Other", "True")]}, False, id="another-condition"),
    ],
)
def test_mesh_is_ready_once_it_exists(status: dict[str, Any], ready: bool) -> None:
    """By condition or by ARN; a refused edit of what exists does not take it away from others."""
    mesh = builders.stored(builders.mesh()) | {"status": status}
    assert mesh_reference(mesh) == MeshReference(found=True, ready=ready)


@pytest.mark.parametrize(
    ("status", "ready"),
    [
        pytest.param({}, False, id="new"),
        pytest.param({"conditions": [condition("VirtualNodeActive", "True")]}, True, id="active"),
        pytest.param({"conditions": [condition("VirtualNodeActive", "False")]}, False, id="not-active"),
        pytest.param({"virtualNodeArn": NODE_ARN}, True, id="arn-alone"),
        pytest.param({"virtualNodeArn": NODE_ARN.replace("shop", "old")}, False, id="arn-in-the-mesh-that-it-left"),
    ],
)
def test_node_is_ready_once_it_exists_in_its_mesh(status: dict[str, Any], ready: bool) -> None:
    """An ARN counts only for the mesh that the spec names now."""
    node = builders.stored(builders.virtual_node()) | {"status": status}
    assert node_reference(node) == NodeReference(
        found=True, ready=ready, mesh="shop", listener={"port": 8080, "protocol": "http"}
    )


def test_mesh_that_is_being_deleted_says_so() -> None:
    """Members leave with it."""
    mesh = builders.stored(builders.mesh(), deletionTimestamp="2026-01-02T00:00:00Z")
    assert mesh_reference(mesh).deleting


@pytest.mark.parametrize("listeners", [None, []], ids=["absent", "empty"])
def test_node_without_listeners_has_none_to_offer(listeners: list[Any] | None) -> None:
    """A node that only calls others has no listener that a router could take over."""
    node = builders.stored(builders.virtual_node(listeners=listeners))
    assert node_reference(node).listener is None


@pytest.mark.parametrize("kind", [Kind.MESH, Kind.VIRTUAL_NODE])
def test_resource_without_spec_and_status_is_not_ready(kind: Kind) -> None:
    """Kubernetes leaves both out where nothing was written."""
    assert not exists_in_app_mesh({"metadata": {"name": "n"}}, kind)
