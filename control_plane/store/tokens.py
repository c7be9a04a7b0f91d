"""Idempotency tokens: which request a client's token stood for, and what it was answered.

A token counts for a day. It is kept apart from the object, so it also outlives it; whether the recorded object still
exists is for the caller to ask. Old tokens are swept out in passing (`purge`), not by a job of their own.
"""

import json

from sqlalchemy import Connection, bindparam, delete, insert, select

from control_plane.store import schema
from control_plane.store.database import Write
from control_plane.store.records import TokenRecord

LIFETIME_SECONDS = 24 * 3600.0

_dump = json.JSONEncoder(separators=(",", ":")).encode
_t = schema.tokens.c
_GET = select(_t.token, _t.fingerprint, _t.uid, _t.answer, _t.expires_at).where(_t.token == bindparam("this"))
_DELETE = delete(schema.tokens).where(_t.token == bindparam("this"))
_PURGE = delete(schema.tokens).where(_t.expires_at <= bindparam("now"))
_INSERT = insert(schema.tokens)


def get(connection: Connection, token: str) -> TokenRecord | None:
    """What is remembered of a token; whether it is too old is for the caller to see."""
    found = connection.execute(_GET, {"this": token}).first()
    if found is None:
        return None
    return TokenRecord(found.token, found.fingerprint, found.uid, json.loads(found.answer), found.expires_at)


def put(write: Write, record: TokenRecord, *, replaces: bool = False) -> None:
    """Remember a token; `replaces` says that something is remembered of it, which is then forgotten."""
    if replaces:
        write.connection.execute(_DELETE, {"this": record.token})
    write.connection.execute(
        _INSERT,
        {
            "token": record.token,
            "fingerprint": record.fingerprint,
            "uid": record.uid,
            "answer": _dump(record.answer),
            "expires_at": record.expires_at,
        },
    )


def purge(write: Write, now: float) -> int:
    """Forget the tokens that are too old; how many there were."""
    return write.connection.execute(_PURGE, {"now": now}).rowcount
