"""Story: several clusters and people share one App Mesh. Nobody touches what is not theirs, and nobody is stuck."""

from collections.abc import Iterator

import pytest

from resources.annotations import DELETION_POLICY, MESH_DELETION
from resources.ownership import CLUSTER, NAME, NAMESPACE, Owner, tags_of
from tests.builders import Manifest
from tests.e2e.cluster import Cluster
from tests.e2e.world import World

WEST = Owner(cluster="west", namespace="theirs", name="thing", uid="1")
TAGS = [{"key": key, "value": value} for key, value in tags_of(WEST).items()]
DNS = {"serviceDiscovery": {"dns": {"hostname": "theirs.example"}}}


def annotated(manifest: Manifest, name: str, value: str) -> Manifest:
    """The manifest with an annotation."""
    return manifest | {"metadata": manifest["metadata"] | {"annotations": {name: value}}}


def tags(cluster: Cluster, arn: str) -> dict[str, str]:
    """The tags of an object in App Mesh."""
    return {tag["key"]: tag["value"] for tag in cluster.app_mesh.api.list_tags_for_resource(resourceArn=arn)["tags"]}


def arns(cluster: Cluster, world: World) -> list[str]:
    """All that App Mesh holds in the world's mesh."""
    return [found["metadata"]["arn"] for found in cluster.app_mesh.objects(world.name)]


@pytest.fixture
def west_mesh(cluster: Cluster, world: World) -> Iterator[str]:
    """The world's mesh, made by the cluster `west`, which deletes it in the end."""
    api = cluster.app_mesh.api
    api.create_mesh(meshName=world.name, spec={"egressFilter": {"type": "ALLOW_ALL"}}, tags=TAGS)
    yield world.name
    left = [found for found in cluster.kubernetes.all() if found["spec"].get("meshName") == world.name]
    cluster.kubernetes.delete(*left, world.mesh())
    cluster.wait_let_go(*left, world.mesh())
    api.delete_mesh(meshName=world.name)


def test_everything_created_is_tagged_with_its_resource(cluster: Cluster, world: World) -> None:
    """Mesh, nodes, router, routes and service, by the calls that create them (the counts are in test_counts)."""
    shop = world.shop(routes=2)
    cluster.converge(*shop)
    found = {arn: tags(cluster, arn) for arn in arns(cluster, world)}
    assert len(found) == 7
    assert len({made[CLUSTER] for made in found.values()}) == 1
    names = {manifest["metadata"]["name"] for manifest in shop}
    assert {made[NAME] for made in found.values()} == names
    assert sum(made.get(NAMESPACE) == world.name for made in found.values()) == 6  # a Mesh has no namespace


def test_a_node_of_another_cluster_is_left_alone_and_taken_over_when_it_has_gone(
    cluster: Cluster, world: World
) -> None:
    """The condition names whose it is; not one write reaches it, not even when the resource goes.

    When it has gone, the change feed tells, and the resource that waited for the name gets it.
    """
    api = cluster.app_mesh.api
    at = {"meshName": world.name, "virtualNodeName": f"cart-{world.name}"}
    cluster.converge(world.mesh())
    api.create_virtual_node(**at, spec=DNS, tags=TAGS)
    cluster.kubernetes.apply(world.node())
    condition = cluster.kubernetes.wait_reason(world.node(), "NameConflict")
    assert condition["message"] == f"virtual node cart-{world.name} belongs to theirs/thing of cluster west"
    cluster.kubernetes.delete(world.node())
    cluster.wait_let_go(world.node())
    theirs = api.describe_virtual_node(**at)["virtualNode"]
    assert (theirs["metadata"]["version"], theirs["spec"]) == (1, DNS)

    cluster.kubernetes.apply(world.node())
    cluster.kubernetes.wait_reason(world.node(), "NameConflict")
    api.delete_virtual_node(**at)
    cluster.kubernetes.wait_active(world.node())


def test_an_equal_mesh_of_another_cluster_is_shared(cluster: Cluster, world: World, west_mesh: str) -> None:
    """Its members of ours come and go; the mesh itself is neither written nor deleted."""
    shop = [world.mesh(egressFilter={"type": "ALLOW_ALL"}), *world.shop(routes=1)[1:]]
    cluster.converge(*shop)
    adopted = cluster.kubernetes.condition(shop[0], "Adopted")
    assert adopted["message"] == f"mesh {west_mesh} belongs to theirs/thing of cluster west and is used as it is"
    cluster.kubernetes.delete(*reversed(shop))
    cluster.wait_let_go(*shop)
    assert cluster.app_mesh.versions(world.name) == {west_mesh: 1}


def test_a_mesh_of_another_cluster_that_differs_is_a_conflict_that_names_the_fields(
    cluster: Cluster, world: World, west_mesh: str
) -> None:
    """Who is to give way is for people to say; an edit on this side settles it."""
    cluster.kubernetes.apply(world.mesh())
    message = cluster.kubernetes.wait_reason(world.mesh(), "NameConflict")["message"]
    assert message.endswith('of cluster west, and differs: egressFilter: {"type": "ALLOW_ALL"} -> none')
    cluster.converge(world.mesh(egressFilter={"type": "ALLOW_ALL"}))
    assert cluster.app_mesh.versions(world.name) == {west_mesh: 1}


def test_retain_leaves_everything_and_asks_nothing(cluster: Cluster, world: World) -> None:
    """Resources go without a single call; applied again, they find what they left and make no write."""
    shop = [annotated(manifest, DELETION_POLICY, "Retain") for manifest in world.shop(routes=2)]
    cluster.converge(*shop)
    before = cluster.app_mesh.versions(world.name)
    with cluster.counted() as calls:
        cluster.kubernetes.delete(*shop)
        cluster.wait_let_go(*shop)
    assert calls == {}
    assert cluster.app_mesh.versions(world.name) == before
    told = [event for event in cluster.kubernetes.events(shop[-1]) if event["reason"] == "Retained"]
    assert len(told) == 1
    assert told[0]["message"].endswith("; the deletion policy is Retain")

    again = world.shop(routes=2)
    cluster.converge(*again)
    assert cluster.app_mesh.versions(world.name) == before


def test_retain_lets_a_resource_go_while_app_mesh_does_not_answer(
    fragile_cluster: Cluster, fragile_world: World
) -> None:
    """Nothing of the deletion waits for it."""
    cluster, world = fragile_cluster, fragile_world
    node = annotated(world.node(), DELETION_POLICY, "Retain")
    cluster.converge(world.mesh(), node)
    with cluster.frozen("control-plane"):
        cluster.kubernetes.delete(node)
        cluster.wait_let_go(node)
    cluster.app_mesh.api.delete_virtual_node(meshName=world.name, virtualNodeName=f"cart-{world.name}")


def test_a_mesh_that_blocks_waits_for_its_members(cluster: Cluster, world: World) -> None:
    """It names them, they stay, and it goes when they have gone."""
    mesh, node = annotated(world.mesh(), MESH_DELETION, "Block"), world.node()
    cluster.converge(mesh, node)
    cluster.kubernetes.delete(mesh)
    message = cluster.kubernetes.wait_reason(mesh, "WaitingForMembers")["message"]
    assert message == f"1 members are left: virtualnode/{world.name}/cart ({MESH_DELETION}: Block)"
    with cluster.counted() as calls:
        pass
    assert calls == {}
    assert "deletionTimestamp" not in cluster.kubernetes.read(node)["metadata"]
    cluster.remove(node, mesh)


def test_a_mesh_in_use_says_so_and_goes_when_it_no_longer_is(cluster: Cluster, world: World) -> None:
    """Somebody's own node keeps it; nobody else's object is ever deleted for it."""
    api, at = cluster.app_mesh.api, {"meshName": world.name, "virtualNodeName": "by-hand"}
    cluster.converge(world.mesh())
    api.create_virtual_node(**at, spec=DNS)
    cluster.kubernetes.delete(world.mesh())
    message = cluster.kubernetes.wait_reason(world.mesh(), "WaitingForUsers")["message"]
    assert "by-hand" in message
    api.delete_virtual_node(**at)
    cluster.wait_nothing_left(world.mesh())


def test_what_is_gone_from_app_mesh_keeps_no_finalizer(cluster: Cluster, world: World) -> None:
    """Somebody deleted everything by hand, the mesh too: NotFound is as good as deleted."""
    shop = world.shop(routes=1)
    cluster.converge(*shop)
    api, mesh, router = cluster.app_mesh.api, world.name, f"cart-router-{world.name}"
    with cluster.frozen("watcher"):  # which would have all of it made again, in the middle
        api.delete_virtual_service(meshName=mesh, virtualServiceName=world.host("cart"))
        api.delete_route(meshName=mesh, virtualRouterName=router, routeName="r1")
        api.delete_virtual_router(meshName=mesh, virtualRouterName=router)
        for node in ("cart", "cart-v2"):
            api.delete_virtual_node(meshName=mesh, virtualNodeName=f"{node}-{mesh}")
        api.delete_mesh(meshName=mesh)
        cluster.kubernetes.delete(*shop)
    cluster.wait_nothing_left(*shop)


def test_a_resource_that_was_never_created_goes_at_once(cluster: Cluster, world: World) -> None:
    """It waited for its mesh in vain."""
    waits = world.node("waits", meshName=f"{world.name}-not-there")
    cluster.kubernetes.apply(waits)
    cluster.kubernetes.wait_reason(waits, "WaitingForMesh")
    cluster.kubernetes.delete(waits)
    cluster.wait_let_go(waits)
