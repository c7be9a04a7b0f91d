"""An App Mesh API that refuses half of all calls, loses its answers, is slow, or all of it at once."""

import pytest

from tests.faults.proxy import Fault
from tests.faults.rules import REFUSALS, is_write, mentioning, operation, refused, strained
from tests.faults.scene import Scene

REFUSED = [refused(code) for code in REFUSALS]
LOST = [Fault(cut_after=True)]
CUT = [Fault(cut_before=True)]
SLOW = [Fault(delay=seconds) for seconds in (0.3, 1.0, 2.0)]

STRAINS = [
    pytest.param("refuses half of all calls", 0.5, REFUSED, id="refuses"),
    pytest.param("loses half of its answers", 0.5, LOST, id="loses-answers"),
    pytest.param("cuts half of all connections", 0.5, CUT, id="cuts"),
    pytest.param("is slow", 1.0, SLOW, id="slow"),
    pytest.param("does all of it", 0.6, [*REFUSED, *LOST, *CUT, *SLOW], id="everything"),
]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("strain", "share", "faults"), STRAINS)
def test_a_strained_api_changes_nothing_in_the_end(
    scene: Scene, strain: str, share: float, faults: list[Fault], seed: int
) -> None:
    """Every edit converges while the strain lasts, and nothing is done twice that matters."""
    rule = strained(seed, share, mentioning(scene.world.name, among=lambda call: bool(operation(call))), faults)
    scene.open()
    with scene.site.app_mesh.ruled_by(rule), scene.sampled(f"API {strain} (seed {seed})"):
        scene.edit()


@pytest.mark.e2e
def test_an_api_that_refuses_half_of_all_calls_changes_nothing_in_the_end(scene: Scene) -> None:
    """The same, short enough for CI."""
    choice = mentioning(scene.world.name, among=lambda call: bool(operation(call)))
    scene.open()
    with (
        scene.site.app_mesh.ruled_by(strained(3, 0.5, choice, REFUSED)),
        scene.sampled("API refuses half of all calls"),
    ):
        scene.edit()


@pytest.mark.e2e
def test_the_answer_to_every_first_attempt_is_lost(scene: Scene) -> None:
    """Each write takes effect and nobody is told: asked again, the API gives the first answer, and no harm is done."""
    lost = Fault(cut_after=True)
    choice = mentioning(scene.world.name, among=is_write)
    scene.open()
    with (
        scene.site.app_mesh.ruled_by(lambda call: lost if choice(call) and call.attempt == 0 else None),
        scene.sampled("every first answer lost"),
    ):
        scene.edit()
