"""Objects for the store's tests."""

from typing import Any

from control_plane.store import objects
from control_plane.store.database import Database, Write
from control_plane.store.records import ObjectKey, ObjectRecord


def node(name: str, mesh: str = "m") -> ObjectKey:
    """The key of a node."""
    return ObjectKey("virtualNode", mesh, "", name)


def route(name: str, router: str = "r", mesh: str = "m") -> ObjectKey:
    """The key of a route."""
    return ObjectKey("route", mesh, router, name)


def record(key: ObjectKey, write: Write, **fields: Any) -> ObjectRecord:
    """An object as a write would store it; its uid is made of its key."""
    defaults = {"uid": "/".join(key), "spec": {}, "version": 1, "created_at": 1.5, "updated_at": 1.5}
    return ObjectRecord(key=key, revision=write.revision, **{**defaults, **fields})


def stored(database: Database, *keys: ObjectKey) -> list[ObjectRecord]:
    """Store objects, each in a write of its own."""
    made = []
    for key in keys:
        with database.write() as write:
            made.append(record(key, write))
            objects.add(write, made[-1])
    return made
