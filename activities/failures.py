"""How a call can fail, as seen by a workflow. Pure: workflows branch on these, activities raise them.

Failure
├── answers that a retry cannot change: CONFLICT, NOT_FOUND, IN_USE, BAD_REQUEST, FORBIDDEN, LIMIT_EXCEEDED, GONE
└── faults that pass: THROTTLED, UNAVAILABLE (retried by the activity's retry policy first)
"""

from enum import StrEnum


class Failure(StrEnum):
    """The `type` of the ApplicationError that an activity raises."""

    CONFLICT = "Conflict"
    """Create: an object of that name exists; or a client token was used for another request."""
    NOT_FOUND = "NotFound"
    """The object, or something that it refers to, does not exist in App Mesh."""
    IN_USE = "ResourceInUse"
    """Delete: something still refers to the object."""
    BAD_REQUEST = "BadRequest"
    """App Mesh refuses the request's content."""
    FORBIDDEN = "Forbidden"
    """The key that signed the request may not do this."""
    LIMIT_EXCEEDED = "LimitExceeded"
    """A quota is used up."""
    THROTTLED = "Throttled"
    """Too many requests."""
    UNAVAILABLE = "Unavailable"
    """No answer, or a fault of the server's own."""
    GONE = "Gone"
    """Kubernetes: the resource (this uid of it) no longer exists."""

    @property
    def passes(self) -> bool:
        """Whether the same call may succeed later without anybody changing anything."""
        return self in (Failure.THROTTLED, Failure.UNAVAILABLE)


LASTING = tuple(str(failure) for failure in Failure if not failure.passes)
"""The types that a retry policy must not retry."""
