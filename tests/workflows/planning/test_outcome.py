"""What a failed call means for the resource, and what brings it back."""

import pytest

from activities.failures import Failure
from activities.objects import ApiKind
from resources.conditions import Reason
from workflows.planning.outcome import ACHIEVED, Again, judge

# What the answer is when it contradicts nothing that we believed, whether or not we have just looked.
PLAIN = [
    (Failure.BAD_REQUEST, Reason.BAD_REQUEST, Again.SLOWLY),
    (Failure.FORBIDDEN, Reason.FORBIDDEN, Again.SLOWLY),
    (Failure.LIMIT_EXCEEDED, Reason.LIMIT_EXCEEDED, Again.SLOWLY),
    (Failure.THROTTLED, Reason.THROTTLED, Again.SOON),
    (Failure.UNAVAILABLE, Reason.APP_MESH_UNAVAILABLE, Again.SOON),
    (Failure.IN_USE, Reason.WAITING_FOR_DELETION, Again.SOON),
]
CONTRADICTIONS = [
    (Failure.CONFLICT, False, Reason.PENDING, Again.NOW),
    (Failure.CONFLICT, True, Reason.NAME_CONFLICT, Again.SLOWLY),
    (Failure.NOT_FOUND, False, Reason.PENDING, Again.NOW),
    (Failure.NOT_FOUND, True, Reason.WAITING_FOR_REFERENCE, Again.SLOWLY),
]
TABLE = [(failure, looked, reason, again) for failure, reason, again in PLAIN for looked in (False, True)]
TABLE += CONTRADICTIONS


@pytest.mark.parametrize(
    ("failure", "just_observed", "reason", "again"),
    [pytest.param(*row, id=f"{row[0]}-{'just-observed' if row[1] else 'remembered'}") for row in TABLE],
)
def test_a_failure_has_a_reason_and_a_time_to_come_back(failure, just_observed, reason, again):
    """The message is App Mesh's own, and the kind at which it stopped is kept."""
    outcome = judge(failure, "says App Mesh", ApiKind.ROUTE, just_observed)
    assert (outcome.reason, outcome.again) == (reason, again)
    assert (outcome.message, outcome.failed_kind, outcome.achieved) == ("says App Mesh", ApiKind.ROUTE, False)


def test_the_table_covers_every_answer_of_app_mesh():
    """Gone is Kubernetes' answer and is never judged; a new failure has to be entered above."""
    judged = {(failure, looked) for failure, looked, _, _ in TABLE}
    assert judged == {(failure, looked) for failure in Failure for looked in (False, True)} - {
        (Failure.GONE, False),
        (Failure.GONE, True),
    }


@pytest.mark.parametrize("failure", [pytest.param(failure, id=failure) for failure in Failure])
def test_nothing_asks_to_observe_again_right_after_an_observation(failure):
    """Else a contradiction that stands would be observed for ever."""
    assert judge(failure, "", ApiKind.VIRTUAL_NODE, just_observed=True).again is not Again.NOW


@pytest.mark.parametrize("failure", [pytest.param(failure, id=failure) for failure in Failure if failure.passes])
def test_a_fault_that_passes_is_tried_again_soon(failure):
    """`Failure.passes` and the judge agree."""
    assert judge(failure, "", ApiKind.MESH, just_observed=False).again is Again.SOON


def test_what_is_achieved_never_comes_back_by_itself():
    """An idle workflow holds no timer."""
    assert ACHIEVED.achieved
    assert ACHIEVED.again is Again.NEVER
