"""The change log: what each revision did, deletions included.

It feeds whoever follows the state (the compiler of Envoy's configuration, a client's change feed): remember a
revision, ask for what came after it. The log keeps a bounded number of revisions; a reader that was away for longer is
told so (`ChangesForgotten`) and starts over from the full state.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from control_plane.store import schema
from control_plane.store.database import Write
from control_plane.store.errors import ChangesForgotten
from control_plane.store.records import Change, ObjectKey

KEPT_REVISIONS = 50_000

_t = schema.changes.c
_INSERT = insert(schema.changes)
_SINCE = (
    select(_t.revision, _t.operation, _t.uid, _t.version, _t.caller, _t.kind, _t.mesh, _t.parent, _t.name)
    .where(_t.revision > bindparam("after"))
    .order_by(_t.revision)
    .limit(bindparam("at_most"))
)
_SINCE_BY_OTHERS = _SINCE.where(or_(_t.caller.is_(None), _t.caller != bindparam("not_by")))
_FORGOTTEN = select(schema.counter.c.forgotten)
_FORGET = (
    update(schema.counter).where(schema.counter.c.forgotten < bindparam("up_to")).values(forgotten=bindparam("up_to"))
)
_PURGE = delete(schema.changes).where(_t.revision <= bindparam("up_to"))


def note(
    write: Write, operation: str, key: ObjectKey, uid: str, version: int | None = None, caller: str | None = None
) -> None:
    """Log what this write does; one object per write."""
    write.connection.execute(
        _INSERT,
        {
            "revision": write.revision,
            "operation": operation,
            "uid": uid,
            "version": version,
            "caller": caller,
            **key._asdict(),
        },
    )


def since(connection: Connection, revision: int, *, at_most: int = 1000, not_by: str | None = None) -> Sequence[Change]:
    """What was changed after `revision`, in order; without what the caller `not_by` did.

    Raises:
        ChangesForgotten: the log no longer reaches back that far.
    """
    forgotten = connection.execute(_FORGOTTEN).scalar_one()
    if revision < forgotten:
        raise ChangesForgotten(
            f"changes up to revision {forgotten} are no longer kept; asked for those after {revision}"
        )
    parameters: dict[str, Any] = {"after": revision, "at_most": at_most}
    if not_by is None:
        found = connection.execute(_SINCE, parameters)
    else:
        found = connection.execute(_SINCE_BY_OTHERS, {**parameters, "not_by": not_by})
    return [
        Change(number, operation, ObjectKey(*key), uid, version, caller)
        for number, operation, uid, version, caller, *key in found
    ]


def purge(write: Write, *, keep: int = KEPT_REVISIONS) -> int:
    """Forget all but the last `keep` revisions; how many changes that were."""
    up_to = write.revision - keep
    if up_to <= 0:
        return 0
    write.connection.execute(_FORGET, {"up_to": up_to})
    return write.connection.execute(_PURGE, {"up_to": up_to}).rowcount
