"""What a pod says of itself."""

from typing import Any

import pytest

from resources.pods import NodeIdentity, Pod, essence, node_of

CART = NodeIdentity(mesh="shop", name="cart-prod")


def pod(**metadata: Any) -> dict[str, Any]:
    """A pod without containers."""
    given = {"name": "cart-1", "namespace": "prod", "uid": "p1", "resourceVersion": "7"} | metadata
    return {"metadata": given, "spec": {}, "status": {}}


def with_variable(value: str, where: str = "containers", **metadata: Any) -> dict[str, Any]:
    """A pod with a sidecar that carries the variable."""
    sidecar = {"name": "envoy", "env": [{"name": "X"}, {"name": "APPMESH_VIRTUAL_NODE_NAME", "value": value}]}
    return pod(**metadata) | {"spec": {where: [{"name": "app"}, sidecar]}}


ANNOTATED: dict[str, Any] = {
    "annotations": {"appmesh.k8s.aws/mesh": "shop", "appmesh.k8s.aws/virtualNode": "cart-prod"}
}


@pytest.mark.parametrize(
    ("resource", "node"),
    [
        pytest.param(pod(), None, id="outside-any-mesh"),
        pytest.param(with_variable("mesh/shop/virtualNode/cart-prod"), CART, id="sidecar"),
        pytest.param(with_variable("mesh/shop/virtualNode/cart-prod", "initContainers"), CART, id="native-sidecar"),
        pytest.param(pod(**ANNOTATED), CART, id="annotations"),
        pytest.param(
            with_variable("mesh/other/virtualNode/pay-prod", **ANNOTATED),
            NodeIdentity(mesh="other", name="pay-prod"),
            id="sidecar-wins-over-annotations",
        ),
        pytest.param(with_variable("nonsense", **ANNOTATED), CART, id="unreadable-variable"),
        pytest.param(with_variable("mesh/shop/virtualGateway/in"), None, id="gateway"),
        pytest.param(pod(annotations={"appmesh.k8s.aws/mesh": "shop"}), None, id="half-annotated"),
    ],
)
def test_a_pod_names_its_virtual_node(resource: dict[str, Any], node: NodeIdentity | None) -> None:
    """By its sidecar's environment, or else by two annotations."""
    assert node_of(resource) == node


def test_a_pod_is_read_from_its_status() -> None:
    """Address, phase, readiness, and whether it is on its way out."""
    resource = pod(labels={"app": "cart"}, deletionTimestamp="2026-01-01T00:00:00Z")
    resource["status"] = {
        "phase": "Running",
        "podIP": "10.0.0.1",
        "conditions": [{"type": "PodScheduled", "status": "False"}, {"type": "Ready", "status": "True"}],
    }
    found = Pod.of(resource)
    assert (found.ip, found.running, found.ready, found.terminating) == ("10.0.0.1", True, True, True)
    assert (found.version, found.labels) == (7, {"app": "cart"})


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param(pod(**ANNOTATED), id="annotations"),
        pytest.param(with_variable("mesh/shop/virtualNode/cart-prod"), id="sidecar"),
        pytest.param(with_variable("mesh/other/virtualNode/pay", "initContainers", **ANNOTATED), id="both"),
        pytest.param(pod(**ANNOTATED, labels={"app": "cart"}, deletionTimestamp="x", managedFields=[{}]), id="leaving"),
        pytest.param(pod(**ANNOTATED, creationTimestamp="2026-01-01T00:00:00Z", labels=None), id="no-labels"),
    ],
)
@pytest.mark.parametrize("ready", ["True", "False", None])
def test_the_essence_of_a_pod_is_all_that_is_read_of_it(resource: dict[str, Any], ready: str | None) -> None:
    """What is kept of a pod makes no difference to the mesh, and is all that is kept."""
    conditions = [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": ready}]
    running = {"phase": "Running", "podIP": "10.0.0.1", "conditions": conditions, "containerStatuses": [{}]}
    for status in (running, {}, None):
        whole = resource | {"status": status}
        kept = essence(whole)
        assert kept is not None
        assert Pod.of(kept) == Pod.of(whole)
        assert not {"spec", "managedFields", "containerStatuses"} & {*kept, *kept["metadata"], *kept["status"]}


def test_a_pod_outside_any_mesh_has_no_essence() -> None:
    """It is of no concern."""
    assert essence(pod(labels={"app": "cart"})) is None


def test_a_pod_that_was_just_created_has_no_address() -> None:
    """Nothing in its status yet."""
    found = Pod.of(pod())
    assert (found.ip, found.running, found.ready, found.terminating) == (None, False, False, False)
