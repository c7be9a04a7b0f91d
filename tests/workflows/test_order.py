"""The order of calls is part of a workflow's history, so it may not depend on the process that computes it."""

import os
import subprocess
import sys
from typing import Any

from activities.objects import ApiObject
from tests.builders import http_route, listener, virtual_service
from tests.workflows.simulation import Simulation
from tests.workflows.snapshots import node

ROUTER = {"name": "shared", "listeners": [listener()]}


def calls_of_a_swap() -> list[Any]:
    """What is called when a router is swapped of which five routes belong to a sharer that waits for its node."""
    simulation = Simulation(("cart",), (ApiObject.mesh_object("shop"), node("cart-prod")))

    def leader(weight: int) -> dict[str, Any]:
        routes = [http_route(f"l{number}", {"cart": weight}, prefix=f"/l{number}") for number in (1, 2)]
        return virtual_service("leader.prod", virtualRouter=ROUTER, routes=routes)

    def follower(target: str) -> dict[str, Any]:
        routes = [http_route(f"f{number}", {target: 1}, prefix=f"/f{number}") for number in range(1, 6)]
        return virtual_service("follower.prod", virtualRouter=ROUTER, routes=routes)

    for applied in (leader(1), follower("cart"), follower("missing")):
        simulation.apply(applied)
        simulation.settle()
    simulation.calls.clear()
    simulation.apply(leader(2))
    simulation.settle()
    return [str(call) for call in simulation.calls]


def test_calls_come_in_the_same_order_in_every_process() -> None:
    """A worker that takes a workflow over replays its history with another hash seed."""
    script = f"from {__name__} import calls_of_a_swap; print(calls_of_a_swap())"
    told = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1
    assert told.pop().count("Create route f") == 5
