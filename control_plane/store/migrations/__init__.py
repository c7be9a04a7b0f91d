"""The schema's history, applied at start by every replica.

Add a file to `versions/` for each change of `schema.py`. A migration must leave the release before it working (add
first, remove a release later), so replicas can be replaced one by one.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

# Any number, the same in all releases: what replicas that start at once wait for.
_ADVISORY_LOCK = 0x617070_6D657368


def upgrade(connection: Connection) -> None:
    """Bring the schema up to date, inside the caller's transaction.

    Replicas that start at once take turns: on SQLite by the write transaction itself, on PostgreSQL by a lock that
    ends with the transaction. Whoever comes second finds nothing left to do.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK})
    command.upgrade(configured(connection), "head")


def configured(connection: Connection) -> Config:
    """What alembic needs to know, to work on this connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
