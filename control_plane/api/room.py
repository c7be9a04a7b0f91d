"""Whether a collection has room for one more object, mostly without counting what is in it.

Counting takes longer the more there is, and every create would count. But each write has a revision, adds one object
at most, and follows the one before by one: so what was counted at some revision is at most so much more now. It is
counted anew only when that bound reaches the limit, which then still decides by the number itself.
"""

from control_plane.store import objects
from control_plane.store.database import Write

Collection = tuple[str, str, str]
"""Kind, mesh and parent."""

MOST_REMEMBERED = 10_000


class Room:
    """What was counted, and when. Safe to share between threads, and true beside other processes that write."""

    def __init__(self) -> None:
        self._counted: dict[Collection, tuple[int, int]] = {}
        """How many there were before the write of a revision."""

    def is_there(self, write: Write, collection: Collection, limit: int) -> bool:
        """Whether an open write finds fewer objects than the limit."""
        counted = self._counted.get(collection)
        if counted is not None and counted[1] <= write.revision < counted[1] + limit - counted[0]:
            return True
        number = objects.count(write.connection, *collection)
        if len(self._counted) >= MOST_REMEMBERED:
            self._counted.clear()
        self._counted[collection] = (number, write.revision)
        return number < limit
