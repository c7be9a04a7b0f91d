"""What a failed call means for its resource."""

import pytest

from activities.failures import Failure
from activities.objects import ApiKind
from resources.conditions import Reason
from workflows.planning.outcome import ACHIEVED, Again, Outcome, judge


@pytest.mark.parametrize(
    ("failure", "just_observed", "reason", "again"),
    [
        (Failure.BAD_REQUEST, False, Reason.BAD_REQUEST, Again.SLOWLY),
        (Failure.BAD_REQUEST, True, Reason.BAD_REQUEST, Again.SLOWLY),
        (Failure.FORBIDDEN, False, Reason.FORBIDDEN, Again.SLOWLY),
        (Failure.LIMIT_EXCEEDED, False, Reason.LIMIT_EXCEEDED, Again.SLOWLY),
        (Failure.THROTTLED, False, Reason.THROTTLED, Again.SOON),
        (Failure.UNAVAILABLE, True, Reason.APP_MESH_UNAVAILABLE, Again.SOON),
        (Failure.IN_USE, True, Reason.WAITING_FOR_DELETION, Again.SOON),
        # What we believed is not so: look first ...
        (Failure.CONFLICT, False, Reason.PENDING, Again.NOW),
        (Failure.NOT_FOUND, False, Reason.PENDING, Again.NOW),
        # ... and if it is still not so, something else is meant.
        (Failure.CONFLICT, True, Reason.NAME_CONFLICT, Again.SLOWLY),
        (Failure.NOT_FOUND, True, Reason.WAITING_FOR_REFERENCE, Again.SLOWLY),
    ],
)
def test_failure_is_judged(failure: Failure, just_observed: bool, reason: Reason, again: Again) -> None:
    """A reason for people, and what brings the resource back."""
    assert judge(failure, "said so", ApiKind.ROUTE, just_observed) == Outcome(
        reason=reason, message="said so", again=again, failed_kind=ApiKind.ROUTE
    )


@pytest.mark.parametrize("just_observed", [False, True], ids=["from-memory", "just-observed"])
@pytest.mark.parametrize("failure", [failure for failure in Failure if failure is not Failure.GONE], ids=str)
def test_every_failure_of_app_mesh_is_reported_and_comes_back(failure: Failure, just_observed: bool) -> None:
    """None is taken for success, and none leaves a resource waiting for a change that nobody would make."""
    outcome = judge(failure, "", ApiKind.MESH, just_observed)
    assert not outcome.achieved
    assert outcome.again is not Again.NEVER
    assert outcome.again is not Again.NOW or not just_observed


def test_achieved_waits_for_nothing() -> None:
    """No timer is held by what is done."""
    assert (ACHIEVED.achieved, ACHIEVED.again) == (True, Again.NEVER)
