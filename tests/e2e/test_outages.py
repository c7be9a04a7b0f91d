"""Story: while a part is away, people go on editing. When it is back, what they wanted is done."""

import json
import ssl
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from deploy.local.credentials import Credentials
from tests.builders import Manifest
from tests.e2e.cluster import Cluster
from tests.e2e.shop import Shop, change, create, delete
from tests.e2e.world import World
from tests.waiting import until


@pytest.fixture
def shop(fragile_cluster: Cluster, fragile_world: World) -> Shop:
    """A shop with a service to change and one to delete."""
    shop = Shop(fragile_cluster, fragile_world)
    shop.open()
    shop.cluster.converge(shop.new("to-change"), shop.new("to-delete"))
    return shop


def edit_everything(shop: Shop) -> None:
    """What people do while a part is away."""
    create(shop, "created")
    change(shop, "to-change")
    delete(shop, "to-delete")


@pytest.mark.parametrize("part", ["temporal", "control-plane", "worker", "watcher"])
def test_edits_made_while_a_part_hangs_and_then_dies_are_done(shop: Shop, part: str) -> None:
    """A part that does not answer, and then is gone, holds things up but loses none of them."""
    with shop.cluster.frozen(part):
        edit_everything(shop)
        shop.cluster.kill(part)
    shop.wait_settled()


def test_edits_made_while_a_part_hangs_for_a_moment_are_done(shop: Shop) -> None:
    """The same when the part goes on as if nothing had been."""
    with shop.cluster.frozen("temporal"), shop.cluster.frozen("control-plane"), shop.cluster.frozen("worker"):
        edit_everything(shop)
    shop.wait_settled()


def test_a_watcher_whose_place_in_history_was_compacted_lists_again(shop: Shop) -> None:
    """410 Gone: what was created, changed, deleted and torn out meanwhile is noticed all the same."""
    torn_out = shop.gone("torn-out")
    shop.cluster.converge(torn_out)
    log = shop.cluster.stack.log("watcher")
    read = log.stat().st_size
    with shop.cluster.frozen("watcher"):
        edit_everything(shop)
        tear_out(shop.cluster, torn_out)
        compact(shop.cluster)
        shop.cluster.kill("kube-apiserver")  # its memory of recent events would still answer the watch
    until(lambda: said_since(log, read), lambda text: "watch expired" in text, "the watcher to be told 410")
    shop.wait_settled()


def test_a_resource_torn_out_while_nobody_watched_is_cleaned_up(shop: Shop) -> None:
    """A finalizer taken off by force leaves App Mesh objects and a workflow; the next watcher finds both."""
    torn_out = shop.gone("torn-out")
    shop.cluster.converge(torn_out)
    with shop.cluster.frozen("watcher"):
        tear_out(shop.cluster, torn_out)
        shop.cluster.kill("watcher")
    shop.wait_settled()


def tear_out(cluster: Cluster, manifest: Manifest) -> None:
    """Delete a resource without leaving anybody the time to clean up."""
    cluster.kubernetes.patch(manifest, {"metadata": {"finalizers": None}})
    cluster.kubernetes.delete(manifest)
    cluster.kubernetes.wait_gone(manifest)


def compact(cluster: Cluster) -> None:
    """Make etcd forget all history up to now."""
    layout = cluster.stack.layout
    keys = Credentials(layout.credentials)
    context = ssl.create_default_context(cafile=str(keys.authority))
    context.load_cert_chain(keys.certificate("admin"), keys.key("admin"))
    etcd = f"https://127.0.0.1:{json.loads(layout.ports.read_text())['etcd']}/v3/kv"

    def call(method: str, body: dict[str, object]) -> dict[str, dict[str, str]]:
        request = Request(f"{etcd}/{method}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urlopen(request, timeout=10, context=context) as answer:
            decoded: dict[str, dict[str, str]] = json.load(answer)
        return decoded

    revision = call("range", {"key": "AA=="})["header"]["revision"]
    call("compaction", {"revision": revision, "physical": True})


def said_since(log: Path, offset: int) -> str:
    """What was logged after a place."""
    with log.open() as lines:
        lines.seek(offset)
        return lines.read()
