"""Story: a person asks how things stand, from the command line."""

import json
import subprocess
import sys
from typing import Any

from tests.builders import http_route
from tests.e2e.cluster import Cluster
from tests.e2e.world import World


def meshwright(cluster: Cluster, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command against the test's stack."""
    command = [sys.executable, "-m", "cli.main", *arguments]
    return subprocess.run(
        command, env=cluster.stack.environment, capture_output=True, text=True, timeout=120, check=False
    )


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


def test_a_cluster_that_cannot_be_asked_is_named() -> None:
    """Exit code 2, one line."""
    environment = {"KUBECONFIG": "/nowhere/kubeconfig"}
    command = [sys.executable, "-W", "ignore", "-m", "cli.main", "status"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "KUBECONFIG" in done.stderr
