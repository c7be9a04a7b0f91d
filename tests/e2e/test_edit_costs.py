"""Story: every kind of edit costs exactly the calls that docs/reference/calls.md tells."""

from collections import Counter

from benchmarks.edits import EDITS, Edit, Service, ground
from tests.builders import Manifest
from tests.e2e.app_mesh import Calls, Specs, writes
from tests.e2e.cluster import Cluster
from tests.e2e.world import World
from tests.faults.verdict import plain, wait_settled
from tests.waiting import until


def test_every_edit_costs_the_calls_that_its_row_says(cluster: Cluster, world: World) -> None:
    """Operation by operation; and the objects that differ after it are as many as the row says."""
    there = ground(world.name)
    cluster.converge(*there)
    before = reached(cluster, world)
    costs: dict[str, Calls] = {}
    differing: dict[str, int] = {}
    services: tuple[Service, ...] = ()
    for edit in EDITS:
        gone = [
            each.manifest(world.name) for each in services if each.name not in {kept.name for kept in edit.services}
        ]
        costs[edit.name] = played(cluster, world, edit, gone)
        after, services = reached(cluster, world), edit.services
        differing[edit.name] = len([key for key in before | after if before.get(key) != after.get(key)])
        before = after
    assert costs == {edit.name: Counter(edit.calls) for edit in EDITS}
    assert differing == {edit.name: edit.differing for edit in EDITS}


def played(cluster: Cluster, world: World, edit: Edit, gone: list[Manifest]) -> Calls:
    """The calls of one edit, up to when nobody has anything to do any more."""
    wanted = [each.manifest(world.name) for each in edit.services]
    with cluster.counted() as calls:
        before = cluster.app_mesh.calls()
        cluster.kubernetes.apply(*wanted)
        cluster.kubernetes.delete(*gone)
        wait_settled(cluster, wanted, gone)
        until(
            lambda: writes(cluster.app_mesh.calls() - before).total(),
            lambda made: made >= edit.writes,
            what=f"those who share the router to go on: {edit.name}",
        )
        wait_settled(cluster, wanted, gone)
    return calls


def reached(cluster: Cluster, world: World) -> Specs:
    """What App Mesh holds, each router under its plain name."""
    return plain(cluster.app_mesh.specs(world.name), world)
