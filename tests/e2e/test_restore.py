"""Stories: a database is lost, or put back as it was some time ago. What docs/how-to/back-up-and-restore.md says."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from deploy.local.stack import LocalStack, StackSettings
from tests.builders import Manifest
from tests.e2e.app_mesh import writes
from tests.e2e.cluster import Cluster, clients_of, meshwright
from tests.e2e.kubernetes_api import describe
from tests.e2e.world import World, route
from tests.waiting import until


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack whose databases may be taken away."""
    with LocalStack(tmp_path_factory.mktemp("restored"), StackSettings(fast=True)) as stack:
        yield stack


def database(stack: LocalStack, name: str) -> Path:
    """The one database file of this name."""
    (found,) = stack.layout.data.glob(f"{name}*.db")
    return found


def put_back(stack: LocalStack, name: str, backup: Path | None) -> None:
    """Have the database of this name be what the backup is, or nothing; everything stops for that, and starts anew."""
    stack.stop()
    file = database(stack, name)
    for each in file.parent.glob(f"{file.name}*"):
        each.unlink()
    if backup is not None:
        file.write_bytes(backup.read_bytes())
    stack.start()


def back_up(file: Path, to: Path) -> None:
    """As `sqlite3 FILE ".backup TO"` does, with everything running."""
    with closing(sqlite3.connect(file)) as live, closing(sqlite3.connect(to)) as copy:
        live.backup(copy)


def live_with(cluster: Cluster, world: World, shop: list[Manifest]) -> None:
    """An edit is one update, and a deletion takes all of it along: there is nothing that a workflow does not know."""
    with cluster.counted() as made:
        cluster.converge(world.node("cart", logging={"accessLog": {"file": {"path": "/dev/stdout"}}}))
    assert writes(made) == {"UpdateVirtualNode": 1}
    cluster.remove(*reversed(shop))


def test_temporal_loses_its_database(stack: LocalStack) -> None:
    """Every workflow begins anew by itself, and finds that there is nothing to write."""
    with clients_of(stack) as cluster:
        world = cluster.world("temporal-lost")
        shop = world.shop(1)
        cluster.converge(*shop)
        before = cluster.app_mesh.objects(world.name)
    put_back(stack, "temporal", None)
    with clients_of(stack) as cluster:
        for manifest in shop:
            until(partial(cluster.workflows.is_running, manifest), what=f"a workflow of {describe(manifest)}")
        cluster.pass_fence()
        assert cluster.app_mesh.objects(world.name) == before
        live_with(cluster, world, shop)


def test_the_control_plane_loses_its_database(stack: LocalStack) -> None:
    """All is made again, without anybody asking for it."""
    with clients_of(stack) as cluster:
        world = cluster.world("control-plane-lost")
        shop = world.shop(1)
        cluster.converge(*shop)
        before = cluster.app_mesh.specs(world.name)
    put_back(stack, "control-plane", None)
    with clients_of(stack) as cluster:
        until(partial(cluster.app_mesh.specs, world.name), lambda specs: specs == before, "all to be made again")
        cluster.kubernetes.wait_active(*shop)
        live_with(cluster, world, shop)


def test_the_control_plane_is_put_back_to_what_it_was(stack: LocalStack, tmp_path: Path) -> None:
    """`reconcile --all` makes what came since, puts back what was edited; what was deleted since is there again."""
    backup = tmp_path / "control-plane.db"
    with clients_of(stack) as cluster:
        world = cluster.world("put-back")
        shop = world.shop(1)
        cluster.converge(*shop, world.node("old"))
        back_up(database(stack, "control-plane"), backup)
        shop[-1] = world.service("cart", [route(1, {"cart": 10, "cart-v2": 90}), route(2, {"cart": 1})])
        cluster.converge(*shop, world.node("new"))
        wanted = cluster.app_mesh.specs(world.name)
        old = {key: spec for key, spec in wanted.items() if f"old-{world.name}" in str(key)}
        assert old
        cluster.kubernetes.delete(world.node("old"))
        cluster.wait_let_go(world.node("old"))
    put_back(stack, "control-plane", backup)
    with clients_of(stack) as cluster:
        done = meshwright(cluster, "reconcile", "--all", "--wait")
        assert done.returncode == 0, done.stderr
        assert cluster.app_mesh.specs(world.name) == wanted
        cluster.app_mesh.api.delete_virtual_node(meshName=world.name, virtualNodeName=f"old-{world.name}")
        live_with(cluster, world, [*shop, world.node("new")])
