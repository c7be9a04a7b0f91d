"""Every part of the stack is killed, stopped and restarted in the middle of every kind of edit.

All edits are under way at once, each held at a write that has just taken effect and has not been answered. Then the
fault strikes. Where it strikes the one who asked or the one who would answer, the answers are lost.
"""

import pytest

from tests.faults.edits import EDITS, marks, slug
from tests.faults.proxy import Gate
from tests.faults.rules import both, held, mentioning
from tests.faults.scene import Scene
from tests.waiting import until

PARTS = ("worker", "watcher", "control-plane", "temporal", "kube-apiserver")
FAULTS = ("killed", "stopped", "restarted")
QUICK = {("worker", "killed"), ("control-plane", "killed"), ("control-plane", "stopped"), ("temporal", "killed")}
"""What CI runs as well."""

MATRIX = [
    pytest.param(part, how, id=f"{part}-{how}", marks=[pytest.mark.e2e] if (part, how) in QUICK else [])
    for part in PARTS
    for how in FAULTS
]


@pytest.mark.parametrize(("part", "how"), MATRIX)
def test_a_fault_in_the_middle_of_every_edit_changes_nothing_in_the_end(scene: Scene, part: str, how: str) -> None:
    """App Mesh comes to what it would be without the fault, and no service is ever on a half-made routing."""
    gates = {edit: Gate() for edit in EDITS}
    answers_are_lost = part in ("worker", "control-plane") and how == "killed"

    def let_go() -> None:
        for gate in gates.values():
            gate.cut() if answers_are_lost else gate.release()

    rules = [
        held(mentioning(*marks(scene.world, slug(edit))), edit.strike_at, gate, after=True)
        for edit, gate in gates.items()
    ]
    scene.open()
    with scene.sampled(f"{part} {how}"), scene.site.app_mesh.ruled_by(both(*rules)):
        scene.edit()
        for edit, gate in gates.items():
            until(lambda gate=gate: gate.reached, what=f"the {edit.name} to be under way")  # type: ignore[misc]
        scene.site.strike(part, how, let_go)
