"""Conditions, and the reasons they can have."""

import pytest

from resources.conditions import (
    Condition,
    ConditionType,
    Reason,
    active_condition,
    condition_is_true,
    merge_conditions,
)
from resources.kinds import Kind

EARLIER, NOW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def condition(status: str, type: str = "MeshActive", **more: object) -> Condition:
    """A condition of a mesh, unless said otherwise."""
    return Condition.model_validate({"type": type, "status": status} | more)


def test_a_status_that_stays_keeps_its_time():
    """The transition time tells when the status turned, not when someone last looked."""
    old = [condition("False", reason="WaitingForMesh", lastTransitionTime=EARLIER)]
    (merged,) = merge_conditions(old, [condition("False", reason="BadRequest")], NOW)
    assert (merged.reason, merged.last_transition_time) == ("BadRequest", EARLIER)


def test_a_status_that_turns_gets_a_new_time():
    """True to False, or back, is a transition."""
    old = [condition("False", lastTransitionTime=EARLIER)]
    (merged,) = merge_conditions(old, [condition("True")], NOW)
    assert (merged.status, merged.last_transition_time) == ("True", NOW)


def test_conditions_of_other_types_stay_in_place():
    """What is not mentioned is not touched, and the order is stable, so that an unchanged status is an equal one."""
    old = [condition("True", "MeshActive", lastTransitionTime=EARLIER), condition("True", "Foreign")]
    new = [condition("True", "MeshActive"), condition("False", "RoutesActive")]
    merged = merge_conditions(old, new, NOW)
    assert [one.type for one in merged] == ["MeshActive", "Foreign", "RoutesActive"]
    assert merged[1] == old[1]
    assert merged[0].last_transition_time == EARLIER


def test_merging_twice_changes_nothing():
    """The same report at a later time gives the same conditions."""
    new = [condition("True", reason="Active")]
    once = merge_conditions([], new, EARLIER)
    assert merge_conditions(once, new, NOW) == once


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param({"meshCondition": [{"type": "MeshActive", "status": "True"}]}, True, id="where a mesh has them"),
        pytest.param({"conditions": [{"type": "MeshActive", "status": "True"}]}, True, id="where all others do"),
        pytest.param({"conditions": [{"type": "MeshActive", "status": "False"}]}, False, id="false"),
        pytest.param({"conditions": [{"type": "Other", "status": "True"}]}, False, id="another type"),
        pytest.param({"meshCondition": None}, False, id="null list"),
        pytest.param(None, False, id="no status"),
    ],
)
def test_a_condition_is_read_off_a_raw_object(status, expected):
    """Only an explicit True is true, wherever the kind keeps its conditions."""
    assert condition_is_true({"status": status}, ConditionType.MESH_ACTIVE) is expected


def test_every_kind_has_its_own_active_condition():
    """The condition is called after the kind."""
    assert [active_condition(kind).value for kind in Kind] == [
        "MeshActive",
        "VirtualNodeActive",
        "VirtualServiceActive",
    ]


@pytest.mark.parametrize("reason", list(Reason), ids=str)
def test_every_reason_says_when_users_see_it(reason):
    """A reason is one CamelCase word, as Kubernetes asks, and carries a sentence for the reference."""
    assert reason.value.isalnum()
    assert reason.value[0].isupper()
    assert reason.explanation.endswith(".")
    assert Reason(reason.value) is reason


def test_a_condition_is_written_under_its_json_names():
    """Field names are those of Kubernetes, and nothing is written that was not given."""
    assert condition("True", observedGeneration=3, lastTransitionTime=NOW).to_json() == {
        "type": "MeshActive",
        "status": "True",
        "lastTransitionTime": NOW,
        "observedGeneration": 3,
    }
