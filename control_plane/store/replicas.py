"""What each replica of the control plane says of its proxies, for the others to read.

A replica that serves proxies has a row, which it renews; one that was not renewed in time is a dead replica's, and does
not count. The replicas' clocks should agree to within seconds.
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from control_plane.store import schema

LEASE_SECONDS = 30.0

_dump = json.JSONEncoder(separators=(",", ":")).encode
_t = schema.replicas.c
_OTHERS = select(_t.says).where((_t.id != bindparam("mine")) & (_t.expires_at > bindparam("now"))).order_by(_t.id)
_FORGET = delete(schema.replicas).where((_t.id == bindparam("mine")) | (_t.expires_at <= bindparam("now")))
_INSERT = insert(schema.replicas)


def others(connection: Connection, replica: str, now: float) -> Sequence[Any]:
    """What all others say."""
    return [json.loads(says) for (says,) in connection.execute(_OTHERS, {"mine": replica, "now": now})]


def say(connection: Connection, replica: str, says: Any, now: float) -> None:
    """Say this from now on, for the length of a lease; None: nothing more. Rows of the dead are removed in passing."""
    connection.execute(_FORGET, {"mine": replica, "now": now})
    if says is not None:
        connection.execute(_INSERT, {"id": replica, "says": _dump(says), "expires_at": now + LEASE_SECONDS})
