"""Unobserved state: things happen and un-happen while the watcher sees nothing."""

import pytest

from tests.builders import Manifest
from tests.e2e.cluster import Cluster
from tests.e2e.world import World
from tests.faults.edits import first, one_weight_changed, rerouted
from tests.faults.gaps import watch_gap
from tests.faults.site import FaultSite
from tests.faults.table import Stopwatch, Table
from tests.faults.verdict import Oracle, assert_converged


@pytest.mark.parametrize(
    "forgotten", [pytest.param(True, id="listed-again", marks=pytest.mark.e2e), pytest.param(False, id="watched-again")]
)
def test_what_happens_in_a_gap_is_made_good(
    site: FaultSite, oracle: Oracle, table: Table, world: World, forgotten: bool
) -> None:
    """There and back, torn out, torn out and made anew (the same, other routes, another router), deleted, created."""
    cluster = site.cluster
    ground = [world.mesh(), world.node("cart"), world.node("cart-v2")]
    names = ("back", "torn", "same", "routes", "router", "deleted", "node-user")
    services = {name: first(world, name)[0] for name in names}
    node = world.node("spare")
    cluster.converge(*ground, node, *services.values())
    elsewhere = world.service("router", virtualRouter={"name": "elsewhere", "listeners": first_listeners(services)})

    with table.case(f"a gap, then {'listed' if forgotten else 'watched'} again") as row:
        with watch_gap(site, forgotten):
            cluster.kubernetes.apply(*one_weight_changed(world, "back"))
            cluster.kubernetes.apply(services["back"])
            for name in ("torn", "same", "routes", "router"):
                tear_out(cluster, services[name])
            tear_out(cluster, node)
            cluster.kubernetes.apply(services["same"], *rerouted(world, "routes"), elsewhere, node)
            cluster.kubernetes.delete(services["deleted"])
            cluster.kubernetes.apply(*first(world, "created"))
        stopwatch = Stopwatch()
        kept = [services[name] for name in ("back", "same", "node-user")]
        wanted = [*ground, node, *kept, *rerouted(world, "routes"), elsewhere, *first(world, "created")]
        assert_converged(oracle, world, wanted, [services["torn"], services["deleted"]])
        row.seconds = stopwatch.seconds


def first_listeners(services: dict[str, Manifest]) -> list[dict[str, object]]:
    """The listeners that all of them have."""
    found: list[dict[str, object]] = services["same"]["spec"]["virtualRouter"]["listeners"]
    return found


def tear_out(cluster: Cluster, manifest: Manifest) -> None:
    """Delete a resource without leaving anybody the time to clean up."""
    cluster.kubernetes.patch(manifest, {"metadata": {"finalizers": None}})
    cluster.kubernetes.delete(manifest)
    cluster.kubernetes.wait_gone(manifest)
