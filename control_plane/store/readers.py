"""How far the named readers of the change log have got, so that one that comes back goes on where it left off."""

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from control_plane.store import schema
from control_plane.store.database import Database

MOST = 100
"""Names in a place that is somebody's own. Whoever asks under ever new ones is no reader that comes back."""

_t = schema.readers.c
_GET = select(_t.revision).where(_t.name == bindparam("named"))
_ADD = insert(schema.readers)
_ADVANCE = (
    update(schema.readers)
    .where((_t.name == bindparam("named")) & (_t.revision != bindparam("up_to")))
    .values(revision=bindparam("up_to"))
)
_COUNT = select(func.count()).where(func.substr(_t.name, 1, bindparam("length")) == bindparam("place"))


class Reader(NamedTuple):
    """A name in a place; those that are not "" are each somebody's own."""

    place: str
    name: str

    @property
    def row(self) -> str:
        """What its row is called."""
        return self.place + self.name


def position(connection: Connection, reader: Reader) -> int | None:
    """The revision up to which this reader has dealt with everything; None when it was never here."""
    found: int | None = connection.execute(_GET, {"named": reader.row}).scalar_one_or_none()
    return found


def remember(database: Database, reader: Reader, revision: int) -> bool:
    """Note that a reader has dealt with everything up to a revision; a write only when that is news.

    Returns:
        Whether it is noted; not so when it is new and its place is full.
    """
    with database.read() as connection:
        before = position(connection, reader)
        if before == revision:
            return True
        if before is None and reader.place and _names_in(connection, reader.place) >= MOST:
            return False
    try:
        with database.aside() as connection:
            if before is None:
                connection.execute(_ADD, {"name": reader.row, "revision": revision})
            else:
                connection.execute(_ADVANCE, {"named": reader.row, "up_to": revision})
    except IntegrityError:  # it was here for the first time twice at once, and the other was faster
        pass
    return True


def _names_in(connection: Connection, place: str) -> int:
    count: int = connection.execute(_COUNT, {"place": place, "length": len(place)}).scalar_one()
    return count
