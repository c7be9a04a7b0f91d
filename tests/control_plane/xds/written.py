"""Writes to a store as the API makes them: the object, and the log of it."""

from control_plane.store import changes, objects
from control_plane.store.database import Database
from control_plane.store.records import ObjectKey
from tests.control_plane.store.builders import record


def put(database: Database, key: ObjectKey) -> None:
    """Create an object, or write it anew."""
    with database.write() as write:
        made = record(key, write)
        if objects.exists(write.connection, made.uid):
            objects.replace(write, made)
        else:
            objects.add(write, made)
        changes.note(write, "update", key, made.uid)


def drop(database: Database, key: ObjectKey) -> None:
    """Delete an object."""
    with database.write() as write:
        objects.remove(write, "/".join(key))
        changes.note(write, "delete", key, "/".join(key))
