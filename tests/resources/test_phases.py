"""The phase that a reason puts a resource in."""

import pytest

from resources.conditions import Reason
from resources.phases import Phase, phase_of


@pytest.mark.parametrize(
    ("reason", "phase"),
    [
        (Reason.ACTIVE, Phase.ACTIVE),
        (Reason.WAITING_FOR_NODES, Phase.WAITING),
        (Reason.WAITING_FOR_REFERENCE, Phase.WAITING),
        (Reason.INVALID_SPEC, Phase.FAILING),
        (Reason.BAD_REQUEST, Phase.FAILING),
        (Reason.NAME_CONFLICT, Phase.FAILING),
        (Reason.THROTTLED, Phase.RETRYING),
        (Reason.APP_MESH_UNAVAILABLE, Phase.RETRYING),
        (Reason.MESH_DELETED, Phase.DELETING),
        (Reason.CLOUD_MAP_REGISTERING, Phase.WAITING),
        (Reason.CLOUD_MAP_REFUSED, Phase.FAILING),
    ],
)
def test_the_phase_tells_whether_anybody_has_to_care(reason, phase):
    """What passes by itself, and what is normal, is told from what needs somebody."""
    assert phase_of(reason) is phase
    assert phase_of(str(reason)) is phase  # as it is read from a status
    assert phase_of(reason, leaving=True) is Phase.DELETING


def test_every_phase_is_explained():
    """The reference page is made from it."""
    assert all(phase.explanation for phase in Phase)
