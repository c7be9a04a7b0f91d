"""The clock of an edit starts when it is seen and stops when its status says Active."""

from tests import builders
from tests.watcher.sightings import settled, sighting
from watcher.index import Name
from watcher.progress import Progress

MESH = builders.mesh()


def test_an_edit_is_timed_until_it_is_active():
    """What is seen in between changes nothing, and nothing is kept afterwards."""
    progress, new = Progress(), sighting(MESH)
    assert progress.sighted(None, new, 10.0) is None
    assert progress.sighted(new, sighting(MESH, status={"observedGeneration": 0}), 12.0) is None
    assert progress.sighted(new, settled(MESH), 15.0) == 5.0
    assert progress.sighted(settled(MESH), settled(MESH), 16.0) is None
    assert len(progress) == 0


def test_the_newest_edit_counts():
    """Another generation starts the clock again."""
    progress, first, second = Progress(), sighting(MESH), sighting(MESH, generation=2)
    progress.sighted(None, first, 10.0)
    progress.sighted(first, second, 14.0)
    assert progress.sighted(second, settled(MESH, generation=2), 15.0) == 1.0


def test_what_waited_before_anybody_looked_is_not_timed():
    """Nobody knows since when it waited."""
    progress, waiting = Progress(), sighting(MESH)
    progress.sighted(waiting, waiting, 10.0)
    assert progress.sighted(waiting, settled(MESH), 15.0) is None


def test_nothing_is_kept_of_what_goes():
    """Neither of what is being deleted nor of what is gone."""
    progress, new = Progress(), sighting(MESH)
    progress.sighted(None, new, 10.0)
    progress.sighted(new, sighting(MESH, deleting=True), 11.0)
    assert len(progress) == 0
    progress.sighted(None, new, 12.0)
    progress.lost(Name.of(new))
    assert len(progress) == 0
