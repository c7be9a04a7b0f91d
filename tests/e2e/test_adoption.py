"""Story: App Mesh holds it already. What is equal is adopted without a write, what differs is brought in line."""

import yaml

from resources.annotations import DELETION_POLICY
from tests.builders import Manifest
from tests.e2e.cluster import Cluster, meshwright
from tests.e2e.world import World


def make_by_hand(cluster: Cluster, world: World, service: Manifest, weight: int) -> None:
    """Somebody made the objects of `World.shop` with one route through the API."""
    api, mesh, name = cluster.app_mesh.api, world.name, world.name
    listeners = [{"portMapping": {"port": 8080, "protocol": "http"}}]
    api.create_mesh(meshName=mesh)
    for node in ("cart", "cart-v2"):
        discovery = {"dns": {"hostname": f"{node}.{name}.svc.cluster.local"}}
        spec = {"listeners": listeners, "serviceDiscovery": discovery}
        api.create_virtual_node(meshName=mesh, virtualNodeName=f"{node}-{name}", spec=spec)
    router = f"cart-router-{name}"
    api.create_virtual_router(meshName=mesh, virtualRouterName=router, spec={"listeners": listeners})
    targets = [
        {"virtualNode": f"cart-{name}", "weight": weight},
        {"virtualNode": f"cart-v2-{name}", "weight": 10},
    ]
    route = {"httpRoute": {"match": {"prefix": "/1"}, "action": {"weightedTargets": targets}}}
    api.create_route(meshName=mesh, virtualRouterName=router, routeName="r1", spec=route)
    provider = {"virtualRouter": {"virtualRouterName": router}}
    api.create_virtual_service(
        meshName=mesh, virtualServiceName=service["metadata"]["name"], spec={"provider": provider}
    )


def takes_over(manifest: Manifest) -> Manifest:
    """The manifest of somebody who wants adopted objects to go with their resources."""
    return manifest | {"metadata": manifest["metadata"] | {"annotations": {DELETION_POLICY: "Delete"}}}


def test_equal_objects_are_adopted_without_a_write(cluster: Cluster, world: World) -> None:
    """A team that moves over keeps everything: same objects, same versions."""
    shop = [takes_over(manifest) for manifest in world.shop(routes=1)]
    make_by_hand(cluster, world, shop[-1], weight=90)
    before = cluster.app_mesh.versions(world.name)
    cluster.converge(*shop)
    assert cluster.app_mesh.versions(world.name) == before


def test_an_export_adopts_everything_without_a_write(cluster: Cluster, world: World) -> None:
    """What was made by hand is exported, applied, and none of it is written again."""
    make_by_hand(cluster, world, world.shop(routes=1)[-1], weight=90)
    before = cluster.app_mesh.versions(world.name)
    told = meshwright(cluster, "export", "--mesh", world.name)
    assert told.returncode == 0, told.stderr
    manifests = [takes_over(manifest) for manifest in yaml.safe_load_all(told.stdout)]
    assert [each["kind"] for each in manifests] == ["Mesh", "VirtualNode", "VirtualNode", "VirtualService"]
    assert {each["metadata"].get("namespace", world.name) for each in manifests} == {world.name}
    cluster.converge(*manifests)
    assert cluster.app_mesh.versions(world.name) == before


def test_an_object_that_differs_is_updated_once(cluster: Cluster, world: World) -> None:
    """The route's weight was another: one update of that route, and of nothing else."""
    shop = [takes_over(manifest) for manifest in world.shop(routes=1)]
    make_by_hand(cluster, world, shop[-1], weight=50)
    before = cluster.app_mesh.versions(world.name)
    cluster.converge(*shop)
    after = cluster.app_mesh.versions(world.name)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {f"{world.name}/virtualRouter/cart-router-{world.name}/route/r1"}


def test_adopted_objects_outlive_their_resources_unless_told_otherwise(cluster: Cluster, world: World) -> None:
    """What a team had before it came, it has after it leaves; the annotation hands it over."""
    shop = world.shop(routes=1)
    make_by_hand(cluster, world, shop[-1], weight=90)
    before = cluster.app_mesh.versions(world.name)
    cluster.converge(*shop)
    cluster.kubernetes.delete(*reversed(shop))
    cluster.wait_let_go(*shop)
    assert cluster.app_mesh.versions(world.name) == before

    taken_over = [takes_over(manifest) for manifest in shop]
    cluster.converge(*taken_over)
    cluster.remove(*reversed(taken_over))
    assert cluster.app_mesh.specs(world.name) == {}
