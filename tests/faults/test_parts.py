"""Every part of the stack is killed, stopped and restarted in the middle of every kind of edit.

All edits are under way at once, each held at a write that has just taken effect and has not been answered. Then the
fault strikes. Where it strikes the one who asked or the one who would answer, the answers are lost.
"""

import pytest

from tests.e2e.world import World
from tests.faults.edits import EDITS, marks, slug
from tests.faults.proxy import Gate
from tests.faults.rules import both, held, mentioning
from tests.faults.sampler import ABSENT, Sampler
from tests.faults.site import FaultSite
from tests.faults.table import Stopwatch, Table
from tests.faults.verdict import Oracle, assert_converged, wait_settled
from tests.waiting import until

PARTS = ("worker", "watcher", "control-plane", "temporal", "kube-apiserver")
FAULTS = ("killed", "stopped", "restarted")
QUICK = {
    *((part, "killed") for part in PARTS),
    ("worker", "stopped"),
    ("control-plane", "stopped"),
}
"""What CI runs as well."""

MATRIX = [
    pytest.param(part, how, id=f"{part}-{how}", marks=[pytest.mark.e2e] if (part, how) in QUICK else [])
    for part in PARTS
    for how in FAULTS
]


@pytest.mark.parametrize(("part", "how"), MATRIX)
def test_a_fault_in_the_middle_of_every_edit_changes_nothing_in_the_end(
    site: FaultSite, oracle: Oracle, table: Table, world: World, part: str, how: str
) -> None:
    """App Mesh comes to what it would be without the fault, and no service is ever on a half-made routing."""
    cluster = site.cluster
    ground = [world.mesh(), world.node("cart"), world.node("cart-v2")]
    cluster.converge(*ground, *(manifest for edit in EDITS for manifest in edit.before(world, slug(edit))))
    gates = {edit: Gate() for edit in EDITS}
    rules = [
        held(mentioning(*marks(world, slug(edit))), edit.strike_at, gate, after=True) for edit, gate in gates.items()
    ]

    def let_go() -> None:
        for gate in gates.values():
            gate.cut() if part in ("worker", "control-plane") and how == "killed" else gate.release()

    wanted = [*ground, *(manifest for edit in EDITS for manifest in edit.after(world, slug(edit)))]
    gone = [
        manifest for edit in EDITS if not edit.after(world, slug(edit)) for manifest in edit.before(world, slug(edit))
    ]
    since = len(site.app_mesh.exchanges)
    sampler = Sampler(cluster.stack.environment, world.name, [world.host(slug(edit)) for edit in EDITS])
    with sampler.running():
        with site.app_mesh.ruled_by(both(*rules)):
            for edit in EDITS:
                cluster.kubernetes.apply(*edit.after(world, slug(edit)))
            cluster.kubernetes.delete(*gone)
            for edit, gate in gates.items():
                until(lambda gate=gate: gate.reached, what=f"the {edit.name} to be under way")  # type: ignore[misc]
            site.strike(part, how, let_go)
        stopwatch = Stopwatch()
        wait_settled(cluster, wanted, gone)
        seconds = stopwatch.seconds
        assert_converged(oracle, world, wanted, gone)

    assert sampler.samples > len(EDITS), "the sampler hardly saw anything"
    for edit in EDITS:
        with table.case(f"{part} {how}, {edit.name}") as row:
            row.seconds, row.minimal = seconds, edit.minimal
            row.writes = len(site.app_mesh.effects(mentioning(*marks(world, slug(edit))), since))
            seen = sampler.seen[world.host(slug(edit))]
            assert seen == [seen[0], seen[-1]], (
                f"{edit.name}: a routing that is neither the old nor the new one: {seen}"
            )
            assert (seen[0] == ABSENT) == (not edit.before(world, slug(edit)))
            assert (seen[-1] == ABSENT) == (not edit.after(world, slug(edit)))
