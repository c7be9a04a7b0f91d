"""Story: any part may be killed at any moment. What was begun ends as if nothing had happened."""

import random
from collections.abc import Sequence
from functools import partial
from operator import le

import pytest

from tests.e2e.app_mesh import writes
from tests.e2e.cluster import Cluster
from tests.e2e.shop import WRITES, Deed, Shop, change, create, delete
from tests.e2e.world import World
from tests.waiting import until

STEPS = range(WRITES + 1)
"""How many calls have been answered when the kill comes: none of them, some, all."""

PARTS = ("worker", "control-plane", "temporal", "watcher", "kube-apiserver", "etcd")


@pytest.fixture
def shop(fragile_cluster: Cluster, fragile_world: World) -> Shop:
    """A shop on the stack whose parts may be killed."""
    shop = Shop(fragile_cluster, fragile_world)
    shop.open()
    return shop


@pytest.mark.parametrize(
    ("part", "steps"),
    [
        pytest.param("worker", STEPS, id="worker"),
        pytest.param("control-plane", STEPS, id="control-plane"),
        pytest.param("temporal", (0, 2, 4), id="temporal"),
        pytest.param("watcher", (0, 3), id="watcher"),
        pytest.param("kube-apiserver", (0, 3), id="kube-apiserver"),
        pytest.param("etcd", (0, 3), id="etcd"),
    ],
)
def test_a_part_killed_at_any_step_changes_nothing_in_the_end(shop: Shop, part: str, steps: Sequence[int]) -> None:
    """Killed after each number of calls of a creation, an edit and a deletion: no duplicate, no orphan, all Active."""
    deeds: dict[str, Deed] = {"create": create, "change": change, "delete": delete}
    services = {f"{name}-{step}": (step, deed) for step in steps for name, deed in deeds.items()}
    shop.cluster.converge(*(shop.new(name) for name, (_, deed) in services.items() if deed is not create))

    for name, (step, deed) in services.items():
        enough = calls_made(shop.cluster) + step
        deed(shop, name)
        until(partial(calls_made, shop.cluster), partial(le, enough), f"call {step} of {name}", every=0)
        shop.cluster.kill(part)
    shop.wait_settled()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_storm_changes_nothing_in_the_end(shop: Shop, seed: int) -> None:
    """Six rounds of random deeds, with two random parts killed in the middle of each: the same end as without."""
    chance = random.Random(seed)
    alive = [f"old-{number}" for number in range(4)]
    shop.cluster.converge(*(shop.new(name) for name in alive))

    for number in range(6):
        enough = calls_made(shop.cluster) + chance.randint(0, WRITES)
        deeds: list[tuple[Deed, str]] = [(create, f"born-{number}")]
        deeds.append((delete, alive.pop(chance.randrange(len(alive)))))
        deeds += [(chance.choice([create, change]), name) for name in chance.sample(alive, 2)]
        alive.append(f"born-{number}")
        for deed, name in chance.sample(deeds, len(deeds)):
            deed(shop, name)
        until(partial(calls_made, shop.cluster), partial(le, enough), "the moment to kill", every=0)
        shop.cluster.kill(*chance.sample(PARTS, 2))
    shop.wait_settled()


def calls_made(cluster: Cluster) -> int:
    """How many calls that change something App Mesh has answered since it started."""
    return writes(cluster.app_mesh.calls()).total()
