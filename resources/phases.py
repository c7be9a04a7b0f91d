"""Phases: how a resource stands, in one word, for lists that a person looks through. Pure.

The reason says why, and there are many; the phase says whether anybody has to care.
"""

from enum import StrEnum
from typing import Self

from resources.conditions import Reason


class Phase(StrEnum):
    """How a resource stands; `explanation` says when users see it."""

    explanation: str

    def __new__(cls, value: str, explanation: str = "") -> Self:
        """A phase is its word; the explanation travels with it."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.explanation = explanation
        return member

    PENDING = "Pending", "Its workflow was told of it, and has not finished a reconcile yet."
    ACTIVE = "Active", "App Mesh holds exactly what the spec asks for."
    WAITING = "Waiting", "It waits for another resource, and goes on when that turns; the normal course of things."
    RETRYING = "Retrying", "A fault that passes, such as an API that does not answer; it is tried again by itself."
    FAILING = "Failing", "Somebody may have to act: the reason and the message say on what."
    DELETING = "Deleting", "It is being deleted, and something holds that up."


_OTHER = {
    Reason.ACTIVE: Phase.ACTIVE,
    Reason.PENDING: Phase.PENDING,
    Reason.MESH_DELETED: Phase.DELETING,
    Reason.DELETING: Phase.DELETING,
    Reason.THROTTLED: Phase.RETRYING,
    Reason.APP_MESH_UNAVAILABLE: Phase.RETRYING,
    Reason.CLOUD_MAP_SERVICE_FOUND: Phase.ACTIVE,
    Reason.CLOUD_MAP_REGISTERING: Phase.WAITING,
    Reason.CLOUD_MAP_UNAVAILABLE: Phase.RETRYING,
}


def phase_of(reason: str, leaving: bool = False) -> Phase:
    """The phase of a resource whose main condition has this reason; `leaving`: it is being deleted."""
    if leaving:
        return Phase.DELETING
    if reason.startswith("Waiting"):
        return Phase.WAITING
    return next((phase for known, phase in _OTHER.items() if known == reason), Phase.FAILING)
