"""The Cloud Map side, as any boto3 user sees it, and pods as a kubelet would report them."""

from collections.abc import Mapping
from typing import Any

import boto3

from tests.builders import Manifest
from tests.e2e.cluster import Cluster
from tests.e2e.world import World


class CloudMap:
    """The API of a stack by DIR/env."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.api = boto3.client(
            "servicediscovery",
            endpoint_url=environment["AWS_ENDPOINT_URL_SERVICEDISCOVERY"],
            region_name=environment["AWS_REGION"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        )

    def close(self) -> None:
        """Give the connections back."""
        self.api.close()

    def make_namespace(self, name: str) -> str:
        """An HTTP namespace; its id."""
        operation = self.api.create_http_namespace(Name=name)["OperationId"]
        return str(self.api.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"])

    def service(self, name: str) -> dict[str, Any] | None:
        """The service of that name, whatever its namespace; None when there is none."""
        ids = [each["Id"] for each in self.api.list_services()["Services"] if each["Name"] == name]
        assert len(ids) < 2, f"{len(ids)} services are called {name}"
        try:
            return dict(self.api.get_service(Id=ids[0])["Service"]) if ids else None
        except self.api.exceptions.ServiceNotFound:  # it went while we looked
            return None

    def instances(self, name: str) -> dict[str, dict[str, str]]:
        """Attributes of the instances of a service, by id; empty without a service."""
        service = self.service(name)
        if service is None:
            return {}
        try:
            listed = self.api.list_instances(ServiceId=service["Id"])["Instances"]
        except self.api.exceptions.ServiceNotFound:
            return {}
        assert len({each["Id"] for each in listed}) == len(listed), "an instance is registered twice"
        return {each["Id"]: each["Attributes"] for each in listed}


def in_cloud_map(world: World, name: str = "cart", **attributes: str) -> Manifest:
    """A node whose pods are registered in the service `<world>-<name>` of the namespace that is called as the world."""
    discovery = {"namespaceName": world.name, "serviceName": f"{world.name}-{name}", "attributes": attributes}
    return world.node(name, serviceDiscovery={"cloudMap": discovery})


def pod_of(node: Manifest, name: str, **labels: str) -> Manifest:
    """A pod whose sidecar says that it is part of the node."""
    namespace, mesh = node["metadata"]["namespace"], node["spec"]["meshName"]
    identity = f"mesh/{mesh}/virtualNode/{node['metadata']['name']}-{namespace}"
    sidecar = {"name": "envoy", "image": "envoy", "env": [{"name": "APPMESH_VIRTUAL_NODE_NAME", "value": identity}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        # A pod that was never bound to a machine would be gone at once when it is deleted.
        "spec": {"nodeName": "machine", "containers": [{"name": "app", "image": "app"}, sidecar]},
    }


def report(cluster: Cluster, pod: Manifest, ip: str, ready: bool = True, phase: str = "Running") -> None:
    """Write a pod's status, as its machine's kubelet would."""
    condition = {"type": "Ready", "status": "True" if ready else "False"}
    status = {"phase": phase, "podIP": ip, "podIPs": [{"ip": ip}], "conditions": [condition]}
    cluster.kubernetes.patch(pod, {"status": status}, "/status")
