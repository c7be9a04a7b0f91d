"""How a resource stands, from what the API server answers."""

from typing import Any

import pytest

from examples.demo.cluster import GONE, Key, State, state_of, told
from resources.conditions import Reason
from resources.kinds import Kind


def _resource(kind: Kind, generation: int, **status: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "n", "generation": generation}, "status": status}


def _condition(type: str, status: str, reason: str, observed: int, message: str = "") -> dict[str, Any]:
    return {"type": type, "status": status, "reason": reason, "message": message, "observedGeneration": observed}


def test_a_resource_that_nobody_has_seen_yet_has_no_state() -> None:
    """No status at all is neither active nor waiting."""
    state = state_of({"kind": "VirtualNode", "metadata": {"name": "n", "generation": 1}})
    assert state == State()
    assert (state.label, state.waiting, state.refused) == ("applied", False, False)


def test_only_the_condition_of_the_kind_itself_counts() -> None:
    """A service whose router is active is not active yet."""
    router = _condition("VirtualRouterActive", "True", "Active", 1)
    service = _condition("VirtualServiceActive", "False", "WaitingForMesh", 1, "Mesh m does not exist")
    state = state_of(_resource(Kind.VIRTUAL_SERVICE, 1, conditions=[router, service]))
    assert (state.active, state.waiting) == (False, True)
    assert state.sentence == "WaitingForMesh: Mesh m does not exist"


def test_a_mesh_keeps_its_conditions_in_its_own_place() -> None:
    """`status.meshCondition` is where live clusters have them."""
    state = state_of(_resource(Kind.MESH, 1, meshCondition=[_condition("MeshActive", "True", "Active", 1)]))
    assert (state.active, state.current, state.sentence) == (True, True, "Active")


def test_a_condition_about_an_older_spec_is_not_current() -> None:
    """After an edit the old condition says nothing about the new spec."""
    old = _condition("VirtualNodeActive", "False", "WaitingForMesh", 1)
    state = state_of(_resource(Kind.VIRTUAL_NODE, 2, conditions=[old]))
    assert (state.current, state.waiting) == (False, False)


@pytest.mark.parametrize(
    ("reason", "refused"),
    [
        pytest.param(Reason.BAD_REQUEST, True, id="bad-request"),
        pytest.param(Reason.LIMIT_EXCEEDED, True, id="limit"),
        pytest.param(Reason.INVALID_SPEC, True, id="invalid"),
        pytest.param(Reason.FORBIDDEN, True, id="forbidden"),
        pytest.param(Reason.WAITING_FOR_NODES, False, id="waiting"),
        pytest.param(Reason.APP_MESH_UNAVAILABLE, False, id="passing-fault"),
        pytest.param(Reason.THROTTLED, False, id="throttled"),
    ],
)
def test_only_lasting_refusals_end_the_wait(reason: Reason, refused: bool) -> None:
    """What passes by itself is waited for; what only an edit can mend is not."""
    assert State(reason=reason, current=True).refused is refused
    assert not State(reason=reason, current=False).refused


def test_what_is_gone_says_so() -> None:
    """A resource that the API server no longer lists."""
    key = Key(Kind.MESH, None, "m")
    assert GONE.label == "gone"
    assert told({key: GONE}, lambda state: state.gone) == "Mesh m: gone"
    assert told({key: GONE}, lambda state: state.active) == ""
