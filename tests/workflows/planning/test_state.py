"""What an entity remembers: the newest sighting, and nothing of a former life."""

import pytest

from tests.builders import virtual_node
from tests.watcher.sightings import sighting
from workflows.planning.outcome import Again
from workflows.planning.plan import Observed
from workflows.state import EntityState


def seen(**state):
    """A sighting of the node."""
    return sighting(virtual_node(), **state)


def busy(snapshot):
    """A state with everything in it, of a resource that is done with."""
    return EntityState(
        desired=snapshot,
        handled=snapshot,
        observed=Observed(),
        finalizer_added=True,
        gone=True,
        status={"virtualNodeArn": "arn"},
        reconciles=4,
        again=Again.SOON,
        faults=3,
    )


def test_a_first_sighting_brings_its_status_along():
    """And it is work."""
    state = EntityState()
    assert not state.has_work()
    snapshot = seen(status={"virtualNodeArn": "arn"})
    state.take(snapshot)
    assert (state.desired, state.status) == (snapshot, snapshot.status)
    assert state.has_work()


def test_a_stale_sighting_changes_nothing():
    """Whatever order signals come in, the newest stays."""
    old, new = seen(generation=1), seen(generation=2)
    state = EntityState()
    state.take(new)
    state.take(old)
    assert state.desired == new


def test_a_new_generation_keeps_what_is_known_of_app_mesh():
    """An edit is planned from memory, and the status stays as last written."""
    state = busy(seen(generation=1))
    state.take(new := seen(generation=2))
    assert state == busy(seen()).model_copy(update={"desired": new, "handled": state.handled})


def test_a_new_uid_forgets_the_former_life_but_not_what_it_left_in_app_mesh():
    """The count of reconciles goes on as well, so that client tokens never repeat."""
    state = busy(seen(uid="uid-1"))
    state.take(new := seen(uid="uid-2", status={"conditions": []}))
    assert state == EntityState(desired=new, status={"conditions": []}, reconciles=4, observed=Observed())


@pytest.mark.parametrize(
    ("change", "work"),
    [
        pytest.param({}, False, id="settled"),
        pytest.param({"handled": None}, True, id="never-handled"),
        pytest.param({"poked": True}, True, id="poked"),
        pytest.param({"gone": True}, True, id="gone"),
        pytest.param({"desired": seen(generation=2)}, True, id="new-generation"),
        pytest.param({"desired": seen(deleting=True)}, True, id="deleted"),
        pytest.param({"desired": seen(uid="uid-2")}, True, id="new-life"),
        pytest.param({"desired": seen(status={"x": 1}, finalizers=("f",))}, False, id="only-status-and-finalizers"),
        pytest.param({"desired": None}, False, id="nothing-seen"),
    ],
)
def test_work_is_what_the_last_reconcile_did_not_know_of(change, work):
    """Our own writes of status and finalizers come back as sightings, and are no work."""
    settled = EntityState(desired=seen(), handled=seen())
    assert settled.model_copy(update=change).has_work() is work


def test_state_survives_the_way_through_json():
    """It is carried over when the workflow continues as new."""
    state = busy(seen(status={"conditions": []}))
    assert EntityState.model_validate_json(state.model_dump_json()) == state
