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

    cluster.kubernetes.patch(first, {"metadata": {"labels": {"app": "cart", "stage": "ignored", "track": "slow"}}})
    relabelled = until(lambda: cloud_map.instances(service)["10.0.0.1"], lambda found: "track" in found, "the label")
    assert relabelled == found["10.0.0.1"] | {"track": "slow"}

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


def test_a_node_that_moves_to_another_service_is_found_all_the_while(
    cluster: Cluster, world: World, cloud_map: CloudMap
) -> None:
    """Its pods are registered in the new service before they leave the old one, which is then removed."""
    cloud_map.make_namespace(world.name)
    node = in_cloud_map(world)
    cluster.converge(world.mesh(), node)
    pod = pod_of(node, "cart-1")
    cluster.kubernetes.apply(pod)
    report(cluster, pod, "10.0.2.1")
    old, new = f"{world.name}-cart", f"{world.name}-basket"
    wait_instances(cloud_map, old, "10.0.2.1")

    moved = node["spec"]["serviceDiscovery"]["cloudMap"] | {"serviceName": new}
    cluster.kubernetes.apply(world.node(serviceDiscovery={"cloudMap": moved}))
    until(
        lambda: (bool(cloud_map.instances(old)), bool(cloud_map.instances(new)), cloud_map.service(old) is None),
        # The old one is read first: an instance that changes over in between is seen in both, never in none.
        lambda found: _is_somewhere(found) and found[2],
        "the old service to be removed",
    )
    wait_instances(cloud_map, new, "10.0.2.1")
    cluster.kubernetes.delete_now(pod)


def _is_somewhere(found: tuple[bool, bool, bool]) -> bool:
    assert found[0] or found[1], "the pod was in neither service"
    return True


def test_the_stand_in_for_cloud_map_keeps_to_its_rules(cloud_map: CloudMap, world: World) -> None:
    """Moto alone would keep both instances, make a second service, and delete one that is in use."""
    api, namespace = cloud_map.api, cloud_map.make_namespace(world.name)
    wanted = {"Name": f"{world.name}-x", "NamespaceId": namespace, "CreatorRequestId": "first"}
    service = api.create_service(**wanted)["Service"]["Id"]
    assert api.create_service(**wanted)["Service"]["Id"] == service
    with pytest.raises(api.exceptions.ServiceAlreadyExists):
        api.create_service(**wanted | {"CreatorRequestId": "second"})

    for stage in ("old", "new"):
        api.register_instance(ServiceId=service, InstanceId="10.0.0.1", Attributes={"stage": stage})
    assert cloud_map.instances(f"{world.name}-x") == {"10.0.0.1": {"stage": "new"}}
    with pytest.raises(api.exceptions.ResourceInUse):
        api.delete_service(Id=service)
    api.deregister_instance(ServiceId=service, InstanceId="10.0.0.1")
    api.delete_service(Id=service)
    with pytest.raises(api.exceptions.ServiceNotFound):
        api.delete_service(Id=service)
