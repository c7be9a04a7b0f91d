"""Objects by key, and pages of a collection.

Specs are stored as compact JSON text; the store never looks inside. Lists leave the spec out: no list answer shows it.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, or_, select, update

from control_plane.store import schema
from control_plane.store.database import Write
from control_plane.store.records import ObjectKey, ObjectRecord, Spec

_dump = json.JSONEncoder(separators=(",", ":")).encode
_t = schema.objects.c
_COLUMNS = (_t.kind, _t.mesh, _t.parent, _t.name, _t.uid, _t.version, _t.created_at, _t.updated_at, _t.revision)
_COLLECTION = (
    (_t.mesh == bindparam("in_mesh")) & (_t.kind == bindparam("of_kind")) & (_t.parent == bindparam("in_parent"))
)

_GET = select(*_COLUMNS, _t.spec).where(_COLLECTION & (_t.name == bindparam("named")))
_PAGE = (
    select(*_COLUMNS).where(_COLLECTION & (_t.name > bindparam("after"))).order_by(_t.name).limit(bindparam("at_most"))
)
_WHOLE_COLLECTION = select(*_COLUMNS, _t.spec).where(_COLLECTION).order_by(_t.name)
_EVERYTHING = select(*_COLUMNS, _t.spec)
_COUNT = select(func.count()).select_from(schema.objects).where(_COLLECTION)
_CHILD_KINDS = select(_t.kind, func.count(), func.min(_t.name)).where(_t.mesh == bindparam("in_mesh")).group_by(_t.kind)
_BY_UID = select(_t.uid).where(_t.uid == bindparam("with_uid"))
_INSERT = insert(schema.objects)
_REPLACE = (
    update(schema.objects)
    .where(_t.uid == bindparam("with_uid"))
    .values({name: bindparam(f"new_{name}") for name in ("spec", "version", "updated_at", "revision")})
)
_DELETE = delete(schema.objects).where(_t.uid == bindparam("with_uid"))


def get(connection: Connection, key: ObjectKey) -> ObjectRecord | None:
    """The object at `key`, or None."""
    found = connection.execute(_GET, {**_collection(key.kind, key.mesh, key.parent), "named": key.name}).first()
    return None if found is None else _record(found)


def get_many(connection: Connection, keys: Iterable[ObjectKey]) -> dict[ObjectKey, ObjectRecord]:
    """Those of `keys` that exist, in one query."""
    names: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for key in keys:
        names[key.mesh, key.kind, key.parent].add(key.name)
    if not names:
        return {}
    parameters: dict[str, Any] = {}
    for number, ((mesh, kind, parent), named) in enumerate(names.items()):
        parameters |= {f"mesh{number}": mesh, f"kind{number}": kind, f"parent{number}": parent}
        parameters[f"names{number}"] = sorted(named)
    return {record.key: record for record in map(_record, connection.execute(_get_many(len(names)), parameters))}


def page(
    connection: Connection, kind: str, mesh: str, parent: str, *, after: str, at_most: int
) -> Sequence[ObjectRecord]:
    """Up to `at_most` objects of one collection, by name, that come after the name `after`; no specs."""
    parameters = {**_collection(kind, mesh, parent), "after": after, "at_most": at_most}
    return [_record(found) for found in connection.execute(_PAGE, parameters)]


def collection(connection: Connection, kind: str, mesh: str, parent: str) -> Sequence[ObjectRecord]:
    """All objects of one collection with their specs, by name."""
    return [_record(found) for found in connection.execute(_WHOLE_COLLECTION, _collection(kind, mesh, parent))]


def everything(connection: Connection) -> list[ObjectRecord]:
    """All objects of all meshes with their specs, in no order."""
    return [_record(found) for found in connection.execute(_EVERYTHING)]


def count(connection: Connection, kind: str, mesh: str, parent: str) -> int:
    """How many objects a collection has."""
    return connection.execute(_COUNT, _collection(kind, mesh, parent)).scalar_one()


def members(connection: Connection, mesh: str) -> list[tuple[str, int, str]]:
    """What a mesh still holds: (kind, how many, one name) for each kind present."""
    return [(kind, number, name) for kind, number, name in connection.execute(_CHILD_KINDS, {"in_mesh": mesh})]


def exists(connection: Connection, uid: str) -> bool:
    """Whether the object of this life is still there."""
    return connection.execute(_BY_UID, {"with_uid": uid}).first() is not None


def add(write: Write, record: ObjectRecord) -> None:
    """Store a new object."""
    kind, mesh, parent, name = record.key
    write.connection.execute(
        _INSERT,
        {
            "uid": record.uid,
            "kind": kind,
            "mesh": mesh,
            "parent": parent,
            "name": name,
            "spec": _dump(record.spec),
            "version": record.version,
            "created_at": record.created_at,
            "updated_at": record.updated_at,
            "revision": record.revision,
        },
    )


def replace(write: Write, record: ObjectRecord) -> None:
    """Store a new spec, version, time and revision of an object that exists."""
    write.connection.execute(
        _REPLACE,
        {
            "with_uid": record.uid,
            "new_spec": _dump(record.spec),
            "new_version": record.version,
            "new_updated_at": record.updated_at,
            "new_revision": record.revision,
        },
    )


def remove(write: Write, uid: str) -> None:
    """Delete an object with its tags and the references it makes."""
    write.connection.execute(_DELETE, {"with_uid": uid})


@cache
def _get_many(collections: int) -> Select[*tuple[Any, ...]]:
    """Objects by name out of that many collections; built once, as building costs more than running.

    Not `(mesh, kind, parent, name) IN (...)`: SQLite answers row values with a scan of the table.
    """
    return select(*_COLUMNS, _t.spec).where(
        or_(
            *(
                (_t.mesh == bindparam(f"mesh{number}"))
                & (_t.kind == bindparam(f"kind{number}"))
                & (_t.parent == bindparam(f"parent{number}"))
                & _t.name.in_(bindparam(f"names{number}", expanding=True))
                for number in range(collections)
            )
        )
    )


def _collection(kind: str, mesh: str, parent: str) -> dict[str, Any]:
    return {"of_kind": kind, "in_mesh": mesh, "in_parent": parent}


def _record(found: Row[*tuple[Any, ...]]) -> ObjectRecord:
    kind, mesh, parent, name, uid, version, created_at, updated_at, revision, *spec = found
    loaded: Spec = json.loads(spec[0]) if spec else {}
    return ObjectRecord(ObjectKey(kind, mesh, parent, name), uid, loaded, version, created_at, updated_at, revision)
