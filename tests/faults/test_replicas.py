"""Two watchers and two workers at once: as if there were one of each, and one of them may die."""

import threading

import pytest

from tests.faults.edits import EDITS, marks, slug
from tests.faults.proxy import Gate
from tests.faults.rules import both, held, mentioning
from tests.faults.scene import Scene
from tests.faults.site import OURS
from tests.waiting import until


@pytest.mark.e2e
def test_two_of_each_do_the_work_of_one(scene: Scene) -> None:
    """Every sighting is told twice and every task done once: not a write more than needed."""
    with scene.site.second("watcher"), scene.site.second("worker"):
        scene.open()
        with scene.sampled("two of each"):
            scene.edit()
    rows = [row for row in scene.table.rows if row.case.startswith("two of each:")]
    assert [row.writes for row in rows] == [edit.minimal for edit in EDITS]


def test_one_of_two_dies_in_the_middle_of_every_edit(scene: Scene) -> None:
    """The other one goes on, before anybody has started the dead one again."""
    gates = {edit: Gate() for edit in EDITS}
    rules = [
        held(mentioning(*marks(scene.world, slug(edit))), edit.strike_at, gate, after=True)
        for edit, gate in gates.items()
    ]
    scene.open()
    with (
        scene.site.second("worker") as worker,
        scene.site.second("watcher") as watcher,
        scene.sampled("one of two dies"),
        scene.site.app_mesh.ruled_by(both(*rules)),
    ):
        scene.edit()
        for edit, gate in gates.items():
            until(lambda gate=gate: gate.reached, what=f"the {edit.name} to be under way")  # type: ignore[misc]
        worker.kill()
        watcher.kill()
        for gate in gates.values():
            gate.release()


@pytest.mark.e2e
def test_a_rolling_restart_in_the_middle_of_every_edit_loses_nothing_and_repeats_no_call(scene: Scene) -> None:
    """As in an upgrade: the new ones serve already when the old ones are asked to stop, with calls under way."""
    gates = {edit: Gate() for edit in EDITS}
    rules = [
        held(mentioning(*marks(scene.world, slug(edit))), edit.strike_at, gate, after=True)
        for edit, gate in gates.items()
    ]
    scene.open()
    with (
        scene.site.second("watcher"),
        scene.site.second("worker"),
        scene.sampled("rolling restart"),
        scene.site.app_mesh.ruled_by(both(*rules)),
    ):
        scene.edit()
        for edit, gate in gates.items():
            until(lambda gate=gate: gate.reached, what=f"the {edit.name} to be under way")  # type: ignore[misc]
        restarting = threading.Thread(target=scene.cluster.stack.restart, args=OURS)
        restarting.start()
        for gate in gates.values():
            gate.release()
        restarting.join()
    rows = [row for row in scene.table.rows if row.case.startswith("rolling restart:")]
    assert [row.writes for row in rows] == [edit.minimal for edit in EDITS]
