"""Who refers to whom. Kept beside the specs so that "is this still in use?" is one indexed query, never a scan."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select

from control_plane.store import schema
from control_plane.store.database import Write
from control_plane.store.records import ObjectKey, ReferenceRecord

_t, _o = schema.references.c, schema.objects.c
_TO = (
    select(_t.relation, _o.kind, _o.mesh, _o.parent, _o.name)
    .join_from(schema.references, schema.objects, _t.source_uid == _o.uid)
    .where(
        (_t.mesh == bindparam("in_mesh"))
        & (_t.target_kind == bindparam("of_kind"))
        & (_t.target_name == bindparam("named"))
    )
    .order_by(_t.relation, _o.parent, _o.name)
)
_INSERT = insert(schema.references)
_DELETE = delete(schema.references).where(_t.source_uid == bindparam("from_uid"))


class Referrer(NamedTuple):
    """An object that refers to the one asked about, and by what relation."""

    relation: str
    key: ObjectKey


def referrers(connection: Connection, target: ObjectKey) -> list[Referrer]:
    """All objects that refer to `target`, whether it exists or not."""
    parameters = {"in_mesh": target.mesh, "of_kind": target.kind, "named": target.name}
    return [Referrer(relation, ObjectKey(*key)) for relation, *key in connection.execute(_TO, parameters)]


def add(write: Write, source_uid: str, mesh: str, references: Iterable[ReferenceRecord]) -> None:
    """Note what a new object refers to."""
    rows = [{"source_uid": source_uid, "mesh": mesh, **reference._asdict()} for reference in dict.fromkeys(references)]
    if rows:
        write.connection.execute(_INSERT, rows)


def replace(write: Write, source_uid: str, mesh: str, references: Iterable[ReferenceRecord]) -> None:
    """Note what an object refers to now, instead of before."""
    write.connection.execute(_DELETE, {"from_uid": source_uid})
    add(write, source_uid, mesh, references)
