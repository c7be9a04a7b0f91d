"""How a reconcile ended, and when to look again. Pure."""

from enum import StrEnum

from activities.failures import Failure
from activities.messages import Message
from activities.objects import ApiKind, ApiObject
from resources.conditions import Reason


class Again(StrEnum):
    """What, besides a change or a poke, brings the resource back."""

    NEVER = "never"
    """Nothing: what it waits for is a resource, and the watcher tells when that turns."""
    SOON = "soon"
    """A short growing delay: a fault that passes."""
    SLOWLY = "slowly"
    """A long delay: an answer that somebody has to change, perhaps where we cannot see it."""
    NOW = "now"
    """At once: what we believed to be there is not so; observe and plan anew."""


class Outcome(Message):
    """Everything the report needs. `failed_kind` tells at which kind of object it stopped."""

    reason: Reason
    message: str = ""
    again: Again = Again.NEVER
    failed_kind: ApiKind | None = None
    failed_object: ApiObject | None = None
    """The object itself, where a write of it was what failed."""

    @property
    def achieved(self) -> bool:
        """App Mesh holds what the resource asks for."""
        return self.reason is Reason.ACTIVE


ACHIEVED = Outcome(reason=Reason.ACTIVE)

_LASTING = {
    Failure.BAD_REQUEST: Reason.BAD_REQUEST,
    Failure.FORBIDDEN: Reason.FORBIDDEN,
    Failure.LIMIT_EXCEEDED: Reason.LIMIT_EXCEEDED,
}
_PASSING = {Failure.THROTTLED: Reason.THROTTLED, Failure.UNAVAILABLE: Reason.APP_MESH_UNAVAILABLE}


def judge(failure: Failure, message: str, kind: ApiKind, just_observed: bool) -> Outcome:
    """What a failed call about an object of `kind` means for the resource.

    A Conflict or NotFound contradicts what we believed, so the first answer to it is to observe. When the
    contradiction stands right after an observation, something else is meant: a reference that App Mesh lacks, or a
    name that somebody else keeps taking.
    """
    if failure in _LASTING:
        return Outcome(reason=_LASTING[failure], message=message, again=Again.SLOWLY, failed_kind=kind)
    if failure in _PASSING:
        return Outcome(reason=_PASSING[failure], message=message, again=Again.SOON, failed_kind=kind)
    if failure is Failure.IN_USE:
        return Outcome(reason=Reason.WAITING_FOR_DELETION, message=message, again=Again.SOON, failed_kind=kind)
    if not just_observed:
        return Outcome(reason=Reason.PENDING, message=message, again=Again.NOW, failed_kind=kind)
    reason = Reason.NAME_CONFLICT if failure is Failure.CONFLICT else Reason.WAITING_FOR_REFERENCE
    return Outcome(reason=reason, message=message, again=Again.SLOWLY, failed_kind=kind)
