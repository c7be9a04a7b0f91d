"""Tags of objects. They live and die with the object and are no part of its spec or version."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, bindparam, delete, insert, select

from control_plane.store import schema
from control_plane.store.database import Write

_t = schema.tags.c
_OF = _t.uid == bindparam("of_uid")
_PAGE = select(_t.key, _t.value).where(_OF & (_t.key > bindparam("after"))).order_by(_t.key).limit(bindparam("at_most"))
_KEYS = select(_t.key).where(_OF)
_DELETE = delete(schema.tags).where(_OF & _t.key.in_(bindparam("keys", expanding=True)))
_INSERT = insert(schema.tags)


def page(connection: Connection, uid: str, *, after: str, at_most: int) -> list[tuple[str, str]]:
    """Up to `at_most` tags by key, from the first key greater than `after`."""
    found = connection.execute(_PAGE, {"of_uid": uid, "after": after, "at_most": at_most})
    return [(key, value) for key, value in found]


def keys(connection: Connection, uid: str) -> set[str]:
    """The keys of all tags of an object."""
    return set(connection.execute(_KEYS, {"of_uid": uid}).scalars())


def put(write: Write, uid: str, tags: Mapping[str, str]) -> None:
    """Set these tags; a key that exists gets its new value, other tags stay."""
    remove(write, uid, tags)
    if tags:
        write.connection.execute(_INSERT, [{"uid": uid, "key": key, "value": value} for key, value in tags.items()])


def remove(write: Write, uid: str, keys: Iterable[str]) -> None:
    """Take these tags off; keys that are not there are ignored."""
    if doomed := list(keys):
        write.connection.execute(_DELETE, {"of_uid": uid, "keys": doomed})
