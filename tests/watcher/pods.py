"""Pods for tests, as the API server hands them out."""

from typing import Any

from tests.builders import NAMESPACE, Manifest


def pod(
    name: str = "cart-1",
    ip: str | None = "10.0.0.1",
    node: str = "cart-prod",
    mesh: str = "shop",
    version: int = 10,
    ready: bool = True,
    terminating: bool = False,
    namespace: str = NAMESPACE,
    **labels: str,
) -> Manifest:
    """A pod of the node `cart` that runs and is ready; its uid is its name."""
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": namespace,
        "uid": name,
        "resourceVersion": str(version),
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": labels,
        "annotations": {"appmesh.k8s.aws/mesh": mesh, "appmesh.k8s.aws/virtualNode": node},
    }
    if terminating:
        metadata["deletionTimestamp"] = "2026-01-02T00:00:00Z"
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    status = {"phase": "Running" if ip else "Pending", "conditions": conditions} | ({"podIP": ip} if ip else {})
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {}, "status": status}


def in_cloud_map(service: str = "cart", **attributes: str) -> dict[str, Any]:
    """The spec of a node whose pods belong in a service of the namespace shop.local."""
    cloud_map = {"namespaceName": "shop.local", "serviceName": service, "attributes": attributes}
    return {"serviceDiscovery": {"cloudMap": cloud_map}}
