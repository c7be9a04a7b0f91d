"""Story: a person asks how things stand, from the command line."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from tests.builders import http_route
from tests.e2e.cluster import Cluster, meshwright
from tests.e2e.world import World


def standings(cluster: Cluster, world: World) -> tuple[int, dict[str, Any]]:
    """Exit code, and what is said of the namespace's resources, by name."""
    done = meshwright(cluster, "status", "-n", world.name, "-o", "json")
    return done.returncode, {each["name"]: each for each in json.loads(done.stdout) if each["mesh"] == world.name}


def test_status_and_graph_tell_what_the_cluster_has(cluster: Cluster, world: World) -> None:
    """What waits, and for what; then that all is well, and how it hangs together."""
    service = world.service("one", [http_route("a", {"cart": 3, "late": 1})])
    cluster.converge(world.mesh(), world.node("cart"))
    cluster.kubernetes.apply(service)
    cluster.kubernetes.wait_reason(service, "WaitingForVirtualNodes")
    code, said = standings(cluster, world)
    assert code == 1
    waiting = said[world.host("one")]
    assert (waiting["phase"], waiting["reason"]) == ("Waiting", "WaitingForVirtualNodes")
    assert "VirtualNode late does not exist" in waiting["message"]
    assert said["cart"]["phase"] == "Active"

    cluster.converge(world.node("late"), service)
    _, said = standings(cluster, world)
    assert {each["phase"] for each in said.values()} == {"Active"}
    drawn = meshwright(cluster, "graph", "-n", world.name, "-o", "dot")
    assert drawn.returncode == 0
    route = f"route/{world.name}/"
    [line] = [each for each in drawn.stdout.splitlines() if route in each and f"node/{world.name}/cart-" in each]
    assert line.endswith('[label="3"];')


def test_reconcile_puts_right_what_is_asked_for_and_waits_for_it(cluster: Cluster, world: World) -> None:
    """One that drifted unseen is as it should be when the command ends; one that is refused fails with the words."""
    unseen = world.node("cart") | {}
    unseen["metadata"] = unseen["metadata"] | {"annotations": {"meshwright.dev/drift": "ignore"}}
    cluster.converge(world.mesh(), unseen)
    of = {"meshName": world.name, "virtualNodeName": f"cart-{world.name}"}
    cluster.app_mesh.api.update_virtual_node(**of, spec={})
    done = meshwright(cluster, "reconcile", "virtualnode/cart", "-n", world.name, "--wait")
    assert (done.returncode, done.stdout) == (0, f"virtualnode/{world.name}/cart: Active\n"), done.stderr
    assert cluster.app_mesh.api.describe_virtual_node(**of)["virtualNode"]["spec"]["listeners"]

    unreadable = world.node("odd")
    unreadable["metadata"] = unreadable["metadata"] | {"annotations": {"meshwright.dev/drift": "perhaps"}}
    cluster.kubernetes.apply(unreadable)
    done = meshwright(cluster, "reconcile", "virtualnode/odd", "-n", world.name, "--wait")
    assert done.returncode == 1
    assert "InvalidSpec: metadata.annotations" in done.stderr

    waits = world.service("one", [http_route("a", {"late": 1})])
    cluster.kubernetes.apply(waits)
    name = f"virtualservice/{world.host('one')}"
    done = meshwright(cluster, "reconcile", name, "-n", world.name, "--wait", "--timeout", "0.5")
    assert done.returncode == 1
    assert "WaitingForVirtualNodes: VirtualNode late does not exist" in done.stderr
    missing = meshwright(cluster, "reconcile", "virtualnode/nobody", "-n", world.name)
    assert (missing.returncode, missing.stderr) == (2, f"meshwright: there is no virtualnode/{world.name}/nobody\n")


def test_history_tells_of_each_reconcile(cluster: Cluster, world: World) -> None:
    """What it waited for, what was called, how it ended, and where to see it; also when the resource is gone."""
    node = world.node("cart")
    cluster.kubernetes.apply(node)
    cluster.kubernetes.wait_reason(node, "WaitingForMesh")
    cluster.converge(world.mesh(), node)
    told = meshwright(cluster, "history", "virtualnode/cart", "-n", world.name, "-o", "json")
    assert told.returncode == 0, told.stderr
    first, *_, last = json.loads(told.stdout)
    assert (first["generation"], first["because"], first["calls"]) == (1, ["seen"], [])
    assert first["outcome"] == f"WaitingForMesh: Mesh {world.name} does not exist"
    assert last["because"][-1] == f"Mesh {world.name} turned"
    assert [call["name"] for call in last["calls"]] == ["CreateVirtualNode"]
    assert last["outcome"] == "Active"
    ui = cluster.stack.environment["MESHWRIGHT_TEMPORAL_UI"]
    id = f"default%2Fvirtualnode%2F{world.name}%2Fcart"
    assert last["link"] == f"{ui}/namespaces/default/workflows/{id}/{last['run']}/history"

    cluster.kubernetes.delete(node)
    cluster.wait_let_go(node)
    gone = meshwright(cluster, "history", "vn/cart", "-n", world.name, "--limit", "1")
    assert gone.returncode == 0, gone.stderr
    assert "DeleteVirtualNode" in gone.stdout
    assert "Removed" in gone.stdout, gone.stdout
    nobody = meshwright(cluster, "history", "vn/nobody", "-n", world.name)
    assert (nobody.returncode, nobody.stdout) == (1, "")


def test_plan_tells_the_calls_that_are_then_made(cluster: Cluster, world: World, tmp_path: Path) -> None:
    """Of files that are not applied; then nothing is left to do; then of one edit."""
    shop = world.shop(routes=2)
    file = tmp_path / "shop.yaml"
    file.write_text(yaml.safe_dump_all(reversed(shop)))
    told = meshwright(cluster, "plan", "-f", str(file), "-o", "json")
    assert told.returncode == 0, told.stderr
    foretold = Counter(
        call["operation"] for each in json.loads(told.stdout) for stage in each["stages"] for call in stage
    )
    with cluster.counted() as made:
        cluster.converge(*shop)
    assert foretold == made

    due = meshwright(cluster, "plan", "-n", world.name)
    assert (due.returncode, due.stderr) == (0, "0 calls for 3 resources\n"), due.stdout
    edit = world.service("cart", 2, {"cart": 80, "cart-v2": 20})
    edit["spec"]["routes"][1] = shop[-1]["spec"]["routes"][1]
    file.write_text(yaml.safe_dump(edit))
    edited = meshwright(cluster, "plan", "-f", str(file))
    assert edited.stdout.splitlines() == [
        f"virtualservice/{world.name}/{world.host('cart')}",
        f"  1. Update route r1 of router cart-router-{world.name}",
    ]


def test_doctor_finds_nothing_in_a_stack_that_is_well_and_names_what_is_broken(cluster: Cluster) -> None:
    """A wrong key, a queue that nobody polls and an account without rights are each told with what to do."""
    well = meshwright(cluster, "doctor", "-o", "json")
    assert well.returncode == 0, well.stdout
    assert {each["verdict"] for each in json.loads(well.stdout)} == {"ok"}, well.stdout

    broken = meshwright(
        cluster,
        *("doctor", "-o", "json", "--as", "nobody", "--process", "watcher", "--task-queue", "idle"),
        AWS_SECRET_ACCESS_KEY="wrong",
        TEMPORAL_NAMESPACE="default",
    )
    told = {each["check"]: each for each in json.loads(broken.stdout) if each["verdict"] != "ok"}
    assert broken.returncode == 1
    assert set(told) == {"key", "workers of idle", "rights of the watcher"}, broken.stdout
    assert "MESHWRIGHT_ACCESS_KEYS" in told["key"]["remedy"]
    assert told["rights of the watcher"]["said"].startswith("nobody may not: list meshes.appmesh.k8s.aws, watch ")
    silent = meshwright(cluster, "doctor", AWS_ENDPOINT_URL_APP_MESH="http://127.0.0.1:9", TEMPORAL_NAMESPACE="none")
    assert silent.returncode == 1
    assert "namespace create --namespace none" in " ".join(silent.stdout.split())


def test_a_cluster_that_cannot_be_asked_is_named() -> None:
    """Exit code 2, one line."""
    environment = {"KUBECONFIG": "/nowhere/kubeconfig"}
    command = [sys.executable, "-W", "ignore", "-m", "cli.main", "status"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "KUBECONFIG" in done.stderr
