"""How far the named readers of the change log have got, so that one that comes back goes on where it left off."""

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from control_plane.store import schema
from control_plane.store.database import Database

_t = schema.readers.c
_GET = select(_t.revision).where(_t.name == bindparam("named"))
_ADD = insert(schema.readers)
_ADVANCE = (
    update(schema.readers)
    .where((_t.name == bindparam("named")) & (_t.revision != bindparam("up_to")))
    .values(revision=bindparam("up_to"))
)


def position(connection: Connection, name: str) -> int | None:
    """The revision up to which this reader has dealt with everything; None when it was never here."""
    found: int | None = connection.execute(_GET, {"named": name}).scalar_one_or_none()
    return found


def remember(database: Database, name: str, revision: int) -> None:
    """Note that a reader has dealt with everything up to a revision; a write only when that is news."""
    with database.read() as connection:
        before = position(connection, name)
    if before == revision:
        return
    try:
        with database.aside() as connection:
            if before is None:
                connection.execute(_ADD, {"name": name, "revision": revision})
            else:
                connection.execute(_ADVANCE, {"named": name, "up_to": revision})
    except IntegrityError:  # it was here for the first time twice at once, and the other was faster
        return
