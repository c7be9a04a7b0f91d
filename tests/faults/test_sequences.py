"""Sequences of desired states, into an error and back out again: the last one is what is reached.

The states are generated (always the same for a seed), and applied as fast as the API server takes them, so that edits
overtake reconciles. Each sequence has a world of its own and many run side by side. The last state has no mistake in it
and is compared with what a fresh apply of it gives.
"""

import random
from collections.abc import Callable

import pytest

from tests.builders import Manifest, listener
from tests.e2e.cluster import Cluster
from tests.e2e.world import World, route
from tests.faults.edits import absent, first, one_weight_changed, rerouted
from tests.faults.site import FaultSite
from tests.faults.table import Stopwatch, Table
from tests.faults.verdict import Oracle, assert_converged

State = Callable[[World, str], list[Manifest]]


def renamed(world: World, name: str) -> list[Manifest]:
    """Its router has another name."""
    router = {"name": f"{name}-other", "listeners": [listener()]}
    return [world.service(name, [route(1), route(3)], virtualRouter=router)]


def other_port(world: World, name: str) -> list[Manifest]:
    """Its router listens elsewhere."""
    return [world.service(name, 2, virtualRouter={"name": f"{name}-router", "listeners": [listener(9090)]})]


def lost(world: World, name: str) -> list[Manifest]:
    """A mistake: a route to a node that does not exist. It waits."""
    return [world.service(name, [route(1), route(2, {"nobody": 1})])]


def refused(world: World, name: str) -> list[Manifest]:
    """A mistake that only App Mesh sees: a weight for nobody at all."""
    return [world.service(name, [route(1, {"cart": 0})])]


STATES: tuple[State, ...] = (absent, first, one_weight_changed, rerouted, renamed, other_port)
MISTAKES: tuple[State, ...] = (lost, refused)
SERVICES = ("red", "blue")
SIDE_BY_SIDE = 5
QUICK, FULL = range(1), range(40)
"""Batches of so many sequences: five in CI, two hundred in the whole matrix."""


@pytest.mark.parametrize(
    "batch", [pytest.param(number, marks=[pytest.mark.e2e] if number in QUICK else []) for number in FULL]
)
def test_the_last_of_a_sequence_of_states_is_reached(site: FaultSite, oracle: Oracle, table: Table, batch: int) -> None:
    """Whatever came before it, and however little of that was done."""
    cluster = site.cluster
    numbers = range(batch * SIDE_BY_SIDE, (batch + 1) * SIDE_BY_SIDE)
    worlds = {seed: cluster.world(f"sequence-{seed}") for seed in numbers}
    grounds = {seed: [world.mesh(), world.node("cart"), world.node("cart-v2")] for seed, world in worlds.items()}
    sequences = {seed: sequence(seed) for seed in worlds}
    with table.case(f"sequences: {numbers[0]} to {numbers[-1]}") as row:
        for ground in grounds.values():
            cluster.kubernetes.apply(*ground)
        longest = max(len(states) for states in sequences.values())
        for step in range(longest):
            for seed, world in worlds.items():
                if step < len(sequences[seed]):
                    desire(cluster, world, sequences[seed][step], pause=random.Random(f"{seed}/{step}"))
        stopwatch = Stopwatch()
        for seed, world in worlds.items():
            last = sequences[seed][-1]
            wanted = [*grounds[seed], *(manifest for name in SERVICES for manifest in last[name](world, name))]
            gone = [first(world, name)[0] for name in SERVICES if not last[name](world, name)]
            assert_converged(oracle, world, wanted, gone)
        row.seconds = stopwatch.seconds
    for world in worlds.values():
        cluster.kubernetes.delete(world.mesh())  # and its members with it
    for world in worlds.values():
        cluster.remove_world(world)


def sequence(seed: int) -> list[dict[str, State]]:
    """Two to five states of every service; a mistake may come at any place but the last."""
    chance = random.Random(seed)
    states = [{name: chance.choice((*STATES, *MISTAKES)) for name in SERVICES} for _ in range(chance.randint(1, 4))]
    return [*states, {name: chance.choice(STATES) for name in SERVICES}]


def desire(cluster: Cluster, world: World, state: dict[str, State], pause: random.Random) -> None:
    """Make this the desired state; sometimes wait until it is noticed, mostly not."""
    for name in SERVICES:
        manifests = state[name](world, name)
        if manifests:
            cluster.kubernetes.wait_not_deleting(*manifests)  # an edit of what is going would go with it
            cluster.kubernetes.apply(*manifests)
        else:
            cluster.kubernetes.delete(first(world, name)[0])
    if pause.random() < 0.3:
        for name in SERVICES:
            if state[name] in STATES and state[name] is not absent:
                cluster.kubernetes.wait_active(*state[name](world, name))
