"""What an operation works with: an open transaction, the time, and what this installation is."""

from dataclasses import dataclass, field

from sqlalchemy import Connection

from control_plane.api.arns import ArnFormat
from control_plane.api.quotas import Quotas
from control_plane.api.room import Room
from control_plane.store.database import Write


@dataclass(frozen=True, slots=True)
class Installation:
    """What is the same for all requests."""

    account_id: str
    arns: ArnFormat
    quotas: Quotas
    room: Room = field(default_factory=Room)  # of its one database


@dataclass(frozen=True, slots=True)
class Session:
    """One operation's view; the caller owns the transaction."""

    installation: Installation
    connection: Connection
    now: float
    open_write: Write | None = None
    caller: str | None = None  # what the caller says of itself

    @property
    def write(self) -> Write:
        """The write transaction, in operations that have one."""
        if self.open_write is None:
            raise TypeError("a read operation cannot write")
        return self.open_write
