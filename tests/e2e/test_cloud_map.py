"""Pods of a node with Cloud Map discovery are instances of its service, for as long as traffic may go to them."""

from collections.abc import Iterator

import pytest

from tests.e2e.cloud_map import CloudMap, in_cloud_map, pod_of, report
from tests.e2e.cluster import Cluster
from tests.e2e.world import World
from tests.waiting import until

pytestmark = pytest.mark.e2e


@pytest.fixture
def cloud_map(cluster: Cluster) -> Iterator[CloudMap]:
    """Cloud Map as users reach it."""
    client = CloudMap(cluster.stack.environment)
    yield client
    client.close()


def wait_instances(cloud_map: CloudMap, service: str, *ids: str) -> dict[str, dict[str, str]]:
    """Wait until exactly these are registered; their attributes."""
    return until(
        lambda: cloud_map.instances(service), lambda found: set(found) == set(ids), f"{ids} in service {service}"
    )


def test_a_pod_is_an_instance_from_ready_to_its_end(cluster: Cluster, world: World, cloud_map: CloudMap) -> None:
    """The whole life: service made, pod ready, not ready, ready, terminating; node deleted, service removed."""
    namespace = cloud_map.make_namespace(world.name)
    node = in_cloud_map(world, stage="canary")
    service = f"{world.name}-cart"
    cluster.converge(world.mesh(), node)
    made = until(lambda: cloud_map.service(service), what="the service")
    assert made is not None
    until(
        lambda: cluster.kubernetes.condition(node, "CloudMapServiceReady").get("status"),
        lambda status: status == "True",
        "the condition",
    )
    assert cluster.kubernetes.read(node)["status"]["cloudmapService"] == {
        "serviceId": made["Id"],
        "namespaceId": namespace,
    }

    first, second = pod_of(node, "cart-1", app="cart"), pod_of(node, "cart-2")
    cluster.kubernetes.apply(first, second)
    report(cluster, first, "10.0.0.1")
    report(cluster, second, "10.0.0.2")
    found = wait_instances(cloud_map, service, "10.0.0.1", "10.0.0.2")
    assert found["10.0.0.1"] == {
        "app": "cart",
        "AWS_INSTANCE_IPV4": "10.0.0.1",
        "k8s.io/pod": "cart-1",
        "k8s.io/namespace": world.name,
        "stage": "canary",
        "appmesh.k8s.aws/mesh": world.name,
        "appmesh.k8s.aws/virtualNode": f"cart-{world.name}",
    }

    report(cluster, second, "10.0.0.2", ready=False)
    wait_instances(cloud_map, service, "10.0.0.1")
    report(cluster, second, "10.0.0.2")
    wait_instances(cloud_map, service, "10.0.0.1", "10.0.0.2")

    cluster.kubernetes.delete(first)
    wait_instances(cloud_map, service, "10.0.0.2")
    still_there = cluster.kubernetes.read(first)
    assert "deletionTimestamp" in still_there["metadata"], "it was deregistered while it still ran"
    cluster.kubernetes.delete_now(first)

    cluster.kubernetes.delete(node)
    until(lambda: cloud_map.service(service), lambda found: found is None, "the service to be removed")
    cluster.kubernetes.wait_gone(node)
    cluster.kubernetes.delete_now(second)


def test_a_missing_namespace_is_named_and_used_once_it_is_there(
    cluster: Cluster, world: World, cloud_map: CloudMap
) -> None:
    """The node itself is made in App Mesh; its condition says what is missing."""
    node = in_cloud_map(world)
    cluster.converge(world.mesh(), node)
    condition = until(
        lambda: cluster.kubernetes.condition(node, "CloudMapServiceReady"),
        lambda condition: condition.get("reason") == "CloudMapNamespaceNotFound",
        "the condition",
    )
    assert (condition["status"], world.name in condition["message"]) == ("False", True)

    cloud_map.make_namespace(world.name)
    pod = pod_of(node, "cart-1")
    cluster.kubernetes.apply(pod)
    report(cluster, pod, "10.0.1.1")  # news wakes the workflow, which would otherwise look again within a minute
    wait_instances(cloud_map, f"{world.name}-cart", "10.0.1.1")
    until(
        lambda: cluster.kubernetes.condition(node, "CloudMapServiceReady").get("status"),
        lambda status: status == "True",
        "the condition",
    )
    cluster.kubernetes.delete_now(pod)
    wait_instances(cloud_map, f"{world.name}-cart")
