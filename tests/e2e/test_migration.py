"""Story: a cluster comes over from the controller of v1beta1 (0.5.0). All is taken up as it is, and then lived with."""

from typing import Any

from tests.builders import Manifest, listener
from tests.e2e.app_mesh import writes
from tests.e2e.cluster import Cluster
from tests.e2e.world import World, route

FINALIZERS = {
    "Mesh": "meshDeletion.finalizers.appmesh.k8s.aws",
    "VirtualNode": "virtualNodeDeletion.finalizers.appmesh.k8s.aws",
    "VirtualService": "virtualServiceDeletion.finalizers.appmesh.k8s.aws",
}
"""As the old controller spelt them."""

LISTENER = {"portMapping": {"port": 8080, "protocol": "http"}}
PROBE = {"protocol": "http", "path": "/ping"}
PROBE_SENT = {
    "healthyThreshold": 10,
    "intervalMillis": 30000,
    "path": "/ping",
    "port": 8080,
    "protocol": "http",
    "timeoutMillis": 5000,
    "unhealthyThreshold": 2,
}
"""The probe with what the old controller filled in on its way to App Mesh, and not in the resource."""


def resources_of(world: World) -> list[Manifest]:
    """Resources as the old controller left their specs: it wrote the router that it had inferred into the service's."""
    host = world.host("cart")
    shop = [
        world.mesh(),
        world.node(
            "cart", listeners=[listener(healthCheck=PROBE)], logging={"accessLog": {"file": {"path": "/dev/l"}}}
        ),
        world.node("cart-v2"),
        world.service(
            "cart", [route(1, {"cart": 90, "cart-v2": 10})], virtualRouter={"name": host, "listeners": [LISTENER]}
        ),
    ]
    return [
        manifest | {"metadata": manifest["metadata"] | {"finalizers": [FINALIZERS[manifest["kind"]]]}}
        for manifest in shop
    ]


def make_as_the_old_controller(cluster: Cluster, world: World) -> dict[str, str]:
    """The objects of these resources in App Mesh, under its names, without tags; the ARNs of the nodes by name."""
    api, of, host = cluster.app_mesh.api, {"meshName": world.name}, world.host("cart")
    router = host.replace(".", "-")
    api.create_mesh(**of, spec={})
    arns = {}
    for node, more in (("cart", {"healthCheck": PROBE_SENT}), ("cart-v2", {})):
        spec: dict[str, Any] = {
            "listeners": [LISTENER | more],
            "serviceDiscovery": {"dns": {"hostname": f"{node}.{world.name}.svc.cluster.local"}},
        }
        if node == "cart":
            spec["logging"] = {"accessLog": {"file": {"path": "/dev/l"}}}
        made = api.create_virtual_node(**of, virtualNodeName=f"{node}-{world.name}", spec=spec)
        arns[node] = made["virtualNode"]["metadata"]["arn"]
    api.create_virtual_router(**of, virtualRouterName=router, spec={"listeners": [LISTENER]})
    targets = [
        {"virtualNode": f"cart-{world.name}", "weight": 90},
        {"virtualNode": f"cart-v2-{world.name}", "weight": 10},
    ]
    one = {"httpRoute": {"match": {"prefix": "/1"}, "action": {"weightedTargets": targets}}}
    api.create_route(**of, virtualRouterName=router, routeName="r1", spec=one)
    provider = {"virtualRouter": {"virtualRouterName": router}}
    api.create_virtual_service(**of, virtualServiceName=host, spec={"provider": provider})
    return arns


def status_of(manifest: Manifest, arns: dict[str, str]) -> dict[str, Any]:
    """What the old controller wrote: no generation, no ARN of anything but a node, and a Mesh's own list's name."""

    def conditions(**statuses: str) -> list[dict[str, str]]:
        when = "2020-06-01T12:00:00Z"
        return [
            {"type": type, "status": status, "lastTransitionTime": when, "reason": "", "message": ""}
            for type, status in statuses.items()
        ]

    match manifest["kind"]:
        case "Mesh":
            return {"meshCondition": conditions(MeshActive="True")}
        case "VirtualNode":
            arn = arns[manifest["metadata"]["name"]]
            return {"virtualNodeArn": arn, "conditions": conditions(VirtualNodeActive="True")}
        case _:
            return {
                "conditions": conditions(VirtualServiceActive="True", VirtualRouterActive="True", RoutesActive="True")
            }


def test_what_the_old_controller_left_is_taken_up_and_lived_with(
    fragile_cluster: Cluster, fragile_world: World
) -> None:
    """Nothing is created, updated or deleted; then an edit is one update, and a deletion takes all of it along."""
    cluster, world = fragile_cluster, fragile_world
    shop = resources_of(world)
    with cluster.frozen("watcher"):  # as before our controller is installed
        arns = make_as_the_old_controller(cluster, world)
        cluster.kubernetes.apply(*shop)
        for manifest in shop:
            cluster.kubernetes.patch(manifest, {"status": status_of(manifest, arns)}, "/status")
        before = cluster.app_mesh.objects(world.name)
        resources = [cluster.kubernetes.read(manifest) for manifest in shop]
        with cluster.app_mesh.counted() as made:
            cluster.kill("watcher")  # its successor finds the cluster as a new installation does
            cluster.kubernetes.wait_active(*shop)
    assert not writes(made)
    assert cluster.app_mesh.objects(world.name) == before  # uids, versions and times of the last write included
    for had in resources:
        has = cluster.kubernetes.read(had)
        assert has["spec"] == had["spec"]
        for field in ("uid", "generation", "finalizers"):
            assert has["metadata"][field] == had["metadata"][field]

    versions = cluster.app_mesh.versions(world.name)
    shop[-1] = shop[-1] | {"spec": shop[-1]["spec"] | {"routes": [route(1, {"cart": 50, "cart-v2": 50})]}}
    cluster.converge(shop[-1])
    after = cluster.app_mesh.versions(world.name)
    router = world.host("cart").replace(".", "-")
    changed = {name for name in after.keys() | versions.keys() if after.get(name) != versions.get(name)}
    assert changed == {f"{world.name}/virtualRouter/{router}/route/r1"}

    cluster.remove(*reversed(shop))
