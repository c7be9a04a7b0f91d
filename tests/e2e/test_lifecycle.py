"""Story: resources come, go and come back in ways that nobody planned. Nothing is stuck, nothing left behind."""

import pytest

from resources.conditions import ConditionType, Reason, condition_is_true
from tests.builders import Manifest, http_route
from tests.e2e.app_mesh import writes
from tests.e2e.cluster import Cluster
from tests.e2e.world import World
from tests.waiting import until

HOLD = "example.com/hold"


def test_deleting_what_waits_for_its_mesh_is_not_stuck(cluster: Cluster, world: World) -> None:
    """There is nothing to remove, so it just goes."""
    node, service = world.node(), world.service()
    cluster.kubernetes.apply(node, service)
    cluster.kubernetes.wait_reason(node, Reason.WAITING_FOR_MESH)
    cluster.kubernetes.wait_reason(service, Reason.WAITING_FOR_MESH)
    cluster.remove(node, service)


def test_deleting_what_app_mesh_refused_is_not_stuck(cluster: Cluster, world: World) -> None:
    """A router was made, its route was refused: what there is goes with the resource."""
    service = world.service(targets={"cart": 60, "cart-v2": 60})
    cluster.converge(world.mesh(), world.node(), world.node("cart-v2"))
    cluster.kubernetes.apply(service)
    cluster.kubernetes.wait_reason(service, Reason.BAD_REQUEST)
    assert any("virtualRouter" in name for name in cluster.app_mesh.specs(world.name))
    cluster.kubernetes.delete(service)
    cluster.wait_let_go(service)
    assert not any("virtualRouter" in name for name in cluster.app_mesh.specs(world.name))


def test_deleting_what_somebody_removed_from_app_mesh_is_not_stuck(cluster: Cluster, world: World) -> None:
    """All API objects are gone already, by another hand."""
    shop = world.shop(routes=2)
    cluster.converge(*shop)
    api, of, router = cluster.app_mesh.api, {"meshName": world.name}, f"cart-router-{world.name}"
    with cluster.frozen("worker"):  # which would put back what is missing
        api.delete_virtual_service(**of, virtualServiceName=world.host("cart"))
        for name in ("r1", "r2"):
            api.delete_route(**of, virtualRouterName=router, routeName=name)
        api.delete_virtual_router(**of, virtualRouterName=router)
        for node in ("cart", "cart-v2"):
            api.delete_virtual_node(**of, virtualNodeName=f"{node}-{world.name}")
        api.delete_mesh(**of)
    cluster.remove(*shop)


def test_a_name_that_goes_and_comes_back_at_once_is_the_new_one(cluster: Cluster, world: World) -> None:
    """Twelve lives of one name, each with another spec, each born as soon as the last is gone: the last one counts."""
    cluster.converge(world.mesh(), world.node(), world.node("cart-v2"))
    for life in range(1, 13):
        service = world.service(routes=1 + life % 3, targets={"cart": life, "cart-v2": 1})
        cluster.kubernetes.apply(service)
        if life < 12:
            cluster.kubernetes.delete(service)
            cluster.kubernetes.wait_gone(service)
    cluster.kubernetes.wait_active(service)
    specs = cluster.app_mesh.specs(world.name)
    router = f"{world.name}/virtualRouter/cart-router-{world.name}"
    assert [name for name in specs if "/virtualRouter/" in name] == [router, f"{router}/route/r1"]
    targets = specs[f"{router}/route/r1"]["httpRoute"]["action"]["weightedTargets"]
    assert {target["weight"] for target in targets} == {12, 1}


def test_a_node_and_its_mesh_come_back_at_once(cluster: Cluster, world: World) -> None:
    """The whole world is deleted, and applied again while its deletion is still under way, several times."""
    for _ in range(4):
        shop = world.shop(routes=2)
        cluster.converge(*shop)
        cluster.kubernetes.delete(*shop)
        for manifest in shop:
            cluster.kubernetes.wait_gone(manifest)
            cluster.kubernetes.apply(manifest)
    cluster.kubernetes.wait_active(*shop)
    assert len(cluster.app_mesh.specs(world.name)) == 1 + 2 + 1 + 1 + 2


def test_a_mesh_takes_its_members_with_it(cluster: Cluster, world: World) -> None:
    """Members are told, deleted, and the mesh goes last: here it waits for a member that somebody else holds."""
    shop = world.shop(routes=1)
    held = world.node("held")
    held["metadata"]["finalizers"] = [HOLD]
    cluster.converge(*shop, held)
    cluster.kubernetes.delete(shop[0])
    until(
        # Its own deletion follows at once and is a new generation, so of which one this was said does not matter.
        lambda: condition_is_true(cluster.kubernetes.read(held), ConditionType.MESH_MARKED_FOR_DELETION),
        what="the member to be told",
    )
    waiting = cluster.kubernetes.wait_reason(shop[0], Reason.WAITING_FOR_MEMBERS)
    cluster.kubernetes.wait_gone(*shop[1:])
    waiting = until(
        lambda: cluster.kubernetes.condition(shop[0]), lambda found: "1 members" in found["message"], "one to be left"
    )
    assert f"virtualnode/{world.name}/held" in waiting["message"]
    cluster.kubernetes.patch(held, {"metadata": {"finalizers": None}})
    cluster.wait_nothing_left(*shop, held)


def test_a_mesh_that_takes_its_members_with_it_makes_no_call_in_vain(cluster: Cluster, world: World) -> None:
    """Nodes wait for the services that target them: one delete for each object, and none is refused."""
    shop = world.shop(routes=3)
    cluster.converge(*shop)
    with cluster.counted() as calls:
        cluster.kubernetes.delete(shop[0])
        cluster.wait_nothing_left(*shop)
    expected = {"DeleteVirtualService": 1, "DeleteRoute": 3, "DeleteVirtualRouter": 1}
    assert writes(calls) == expected | {"DeleteVirtualNode": 2, "DeleteMesh": 1}


@pytest.mark.parametrize("kind", [0, 1, 3], ids=["mesh", "node", "service"])
def test_a_resource_that_is_torn_out_is_cleaned_up(cluster: Cluster, world: World, kind: int) -> None:
    """Its finalizer is taken off by force and it is deleted: App Mesh is cleaned up and its workflow ends."""
    shop = [world.mesh(), world.node(), world.node("other"), world.service("other", targets={"other": 1})]
    if kind == 0:
        shop = shop[:1]
    cluster.converge(*shop)
    torn_out = shop[kind]
    before = cluster.app_mesh.specs(world.name)
    cluster.kubernetes.patch(torn_out, {"metadata": {"finalizers": None}})
    cluster.kubernetes.delete(torn_out)
    cluster.wait_let_go(torn_out)
    gone = {name for name in before if belongs(name, torn_out)}
    assert gone
    assert cluster.app_mesh.specs(world.name).keys() == before.keys() - gone


def test_a_status_wiped_by_hand_is_written_again(cluster: Cluster, world: World) -> None:
    """The status is ours: when somebody empties it, the next edit brings all of it back, and costs one write."""
    shop = world.shop(routes=1)
    cluster.converge(*shop)
    service = shop[-1]
    told = cluster.kubernetes.read(service)["status"]
    cluster.kubernetes.patch(service, {"status": dict.fromkeys(told)}, "/status")
    with cluster.counted() as calls:
        cluster.converge(world.service(routes=1, targets={"cart": 50, "cart-v2": 50}))
    assert calls == {"UpdateRoute": 1}
    assert cluster.kubernetes.read(service)["status"].keys() == told.keys()


def test_a_status_edited_by_hand_does_no_harm(cluster: Cluster, world: World) -> None:
    """Somebody writes that it failed, and other ARNs: no call is made, and nothing is deleted or made anew."""
    shop = world.shop(routes=1)
    cluster.converge(*shop)
    versions = cluster.app_mesh.versions(world.name)
    arn = cluster.kubernetes.read(shop[1])["status"]["virtualNodeArn"]
    lies = [{"type": "VirtualNodeActive", "status": "False", "reason": "Lie", "message": "no", "observedGeneration": 1}]
    with cluster.counted() as calls:
        for node in shop[1:3]:
            cluster.kubernetes.patch(node, {"status": {"conditions": lies, "virtualNodeArn": f"{arn}-lie"}}, "/status")
    assert calls == {}
    assert cluster.app_mesh.versions(world.name) == versions


def test_quick_edits_coalesce_and_the_last_one_wins(cluster: Cluster, world: World) -> None:
    """Fifty edits in a row are not fifty updates."""
    shop = world.shop(routes=1)
    cluster.converge(*shop)
    with cluster.counted() as calls:
        for weight in range(1, 51):
            cluster.kubernetes.apply(world.service(targets={"cart": weight, "cart-v2": 50}))
        cluster.kubernetes.wait_active(shop[-1])
    route = cluster.app_mesh.specs(world.name)[f"{world.name}/virtualRouter/cart-router-{world.name}/route/r1"]
    targets = route["httpRoute"]["action"]["weightedTargets"]
    assert [target["weight"] for target in targets] == [50, 50]
    assert set(calls) == {"UpdateRoute"}
    assert 1 <= calls["UpdateRoute"] <= 50


def test_a_resource_that_moves_to_another_mesh_leaves_nothing_in_the_old_one(cluster: Cluster, world: World) -> None:
    """`spec.meshName` may change: everything is made in the new mesh and removed from the old."""
    other = World(f"{world.name}-new")
    cluster.converge(*world.shop(routes=1), other.mesh())
    moved: list[Manifest] = [
        world.node("cart", meshName=other.name),
        world.node("cart-v2", meshName=other.name),
        world.service(routes=[http_route("r1", {"cart": 1, "cart-v2": 1})], meshName=other.name),
    ]
    cluster.converge(*moved)
    until(lambda: list(cluster.app_mesh.specs(world.name)), lambda left: left == [world.name], "the old mesh to empty")
    assert len(cluster.app_mesh.specs(other.name)) == 1 + 2 + 1 + 1 + 1
    cluster.remove_world(other)


def belongs(name: str, manifest: Manifest) -> bool:
    """Whether an App Mesh object was made for the resource (of this module's worlds)."""
    first = manifest["metadata"]["name"].partition(".")[0]
    tail = name.partition("/")[2]
    kind = {"Mesh": "", "VirtualNode": "virtualNode/", "VirtualService": "virtual"}[manifest["kind"]]
    if manifest["kind"] == "VirtualService":
        return tail.startswith((f"virtualService/{first}.", f"virtualRouter/{first}-router"))
    return tail == "" if not kind else tail.startswith(f"{kind}{first}-")
