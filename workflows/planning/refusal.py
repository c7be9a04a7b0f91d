"""What App Mesh alone can tell of a share in a router: that it will not have it. Pure.

Clashes between services that share a router are found before anything is written. A quota, or a value that our own
checks let pass, is found by the call. Then the service whose route that was is set aside, until its spec changes or a
long delay has passed, so that the others go on without it.
"""

from activities.messages import Message
from resources.conditions import Reason
from workflows.messages import Snapshot
from workflows.planning.outcome import Outcome

LONGEST_MESSAGE = 1024
"""What the status has room for."""
LASTING = frozenset({Reason.BAD_REQUEST, Reason.FORBIDDEN, Reason.LIMIT_EXCEEDED})


class Refusal(Message):
    """App Mesh's answer to a route of a service."""

    uid: str
    generation: int
    reason: Reason
    message: str

    @classmethod
    def of(cls, snapshot: Snapshot, outcome: Outcome) -> "Refusal":
        """What a failed write of one of its routes means for the service."""
        message = f"{outcome.failed_object}: {outcome.message}"[:LONGEST_MESSAGE]
        return cls(uid=snapshot.key.uid, generation=snapshot.generation, reason=outcome.reason, message=message)

    def is_about(self, snapshot: Snapshot) -> bool:
        """Whether the service is still as it was when it was refused."""
        return (snapshot.key.uid, snapshot.generation) == (self.uid, self.generation)
