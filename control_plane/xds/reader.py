"""The store as the data plane reads it: everything once, then what was written since.

Each read is one transaction that sees one state. Else, on PostgreSQL, a route that was deleted in between could be
missing under a service that is still told to use it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from control_plane.store import changes, objects
from control_plane.store.database import Database
from control_plane.store.database import revision as current_revision
from control_plane.store.errors import ChangesForgotten
from control_plane.store.records import ObjectKey, ObjectRecord

_MOST = 1000
"""Changes that are looked up one by one; with more of them, reading everything is the shorter way."""


@dataclass(frozen=True)
class Everything:
    """All objects at a revision."""

    revision: int
    records: Sequence[ObjectRecord]


@dataclass(frozen=True)
class Written:
    """What was written up to a revision: each object as it is now, None if it is gone."""

    revision: int
    records: Mapping[ObjectKey, ObjectRecord | None]


class Reader:
    """Reads the store of a database; blocks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def shared(self) -> bool:
        """Whether others write to this store, whom nobody here hears."""
        return self._database.shared

    def since(self, revision: int | None) -> Written | Everything:
        """What was written after a revision; everything if that is no longer known, or for None.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        with self._database.steady_read() as connection:
            now = current_revision(connection)
            if revision is None or revision > now:  # a database that was set back: what was read is of another life
                return Everything(now, objects.everything(connection))
            try:
                found = changes.since(connection, revision, at_most=_MOST)
            except ChangesForgotten:
                return Everything(now, objects.everything(connection))
            if len(found) == _MOST:
                return Everything(now, objects.everything(connection))
            keys = {change.key for change in found}
            records = objects.get_many(connection, keys)
            return Written(now, {key: records.get(key) for key in keys})
