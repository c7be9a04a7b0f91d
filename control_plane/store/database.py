"""The engine, and the only ways into a transaction: `read()`, `steady_read()`, `write()` and `aside()` of `Database`.

Isolation, the short version: writers queue up. On SQLite a write begins with BEGIN IMMEDIATE, on PostgreSQL it begins
by updating the one row of `counter`; either way a second writer waits until the first commits, then sees all it did.
So a check made inside a write (the name is free, nothing refers to it) still holds when the write commits, without
retries or a stricter isolation level, and revisions become visible in their order. A write of ours takes well under
a millisecond of database time, so one queue is not what limits us.

Durability: a commit survives `kill -9` of the process at any moment. On SQLite that is what WAL with
synchronous=NORMAL gives (the data is in the kernel's hands); a power cut may cost the last commits there, never
integrity. Use PostgreSQL, or `?synchronous=full`, where that matters.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    PoolProxiedConnection,
    create_engine,
    event,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.exc import (
    ArgumentError,
    InterfaceError,
    InternalError,
    NoSuchModuleError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from control_plane.store import schema
from control_plane.store.errors import DatabaseUnavailable, UnusableDatabaseUrl
from control_plane.store.migrations import upgrade

BUSY_TIMEOUT_SECONDS = 15.0
_LOOK_AGAIN_SECONDS = 0.01
POOL_SIZE = 16  # PostgreSQL connections of one process

_WRITES = "control_plane_writes"
_REVISION = select(schema.counter.c.revision)
_GLANCE = str(_REVISION)  # for the driver itself
_NEXT_REVISION = (
    update(schema.counter)
    .where(schema.counter.c.id == 1)
    .values(revision=schema.counter.c.revision + 1)
    .returning(schema.counter.c.revision)
)


@dataclass(frozen=True, slots=True)
class Write:
    """An open write transaction: its connection and the revision that its changes carry."""

    connection: Connection
    revision: int


class Database:
    """One database, its schema up to date. Safe to share between threads; several processes may use one database."""

    def __init__(self, url: str) -> None:
        """Open the database and bring its schema up to date.

        Raises:
            UnusableDatabaseUrl: the URL is not one of SQLite or PostgreSQL.
            DatabaseUnavailable: the database does not answer.
        """
        self.engine = _engine(url)
        # Calls that are worth making at once. A query takes SQLite less time than threads take to hand the
        # interpreter on, and its writers wait by sleeping: with 16 threads a describe cost twice the CPU of one
        # thread, and the slowest creates took 240 ms instead of 50. PostgreSQL is waited for over a network.
        self.concurrency = 1 if self.engine.dialect.name == "sqlite" else POOL_SIZE
        # Whether other processes may write what this one does not see written.
        self.shared = self.engine.dialect.name != "sqlite"
        self._writing = self.engine.execution_options(**{_WRITES: True})
        self._steady = self.engine.execution_options(isolation_level="REPEATABLE READ") if self.shared else self.engine
        self._connect()
        with _unavailable_when_down(), self._writing.begin() as connection:
            upgrade(connection)
        self._glancing = Lock()
        self._window = None if self.shared else self._open_window()

    def _connect(self) -> None:
        """Connect for the first time; what the driver says of the URL's options comes here."""
        url = self.engine.url
        try:
            with _unavailable_when_down():
                self.engine.connect().close()
        except DatabaseUnavailable as error:
            raise DatabaseUnavailable(_without_secrets(str(error), url)) from None
        except (ProgrammingError, ValueError, TypeError):
            raise UnusableDatabaseUrl(f"{place(url)}: an option behind the ? cannot be used") from None

    def _open_window(self) -> PoolProxiedConnection:
        """A connection for `glance` alone, which waits for nobody."""
        window = self.engine.raw_connection()
        window.cursor().execute("PRAGMA busy_timeout=0")
        return window

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads; all its queries see one state on SQLite, each the newest on PostgreSQL."""
        with _unavailable_when_down(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def steady_read(self) -> Iterator[Connection]:
        """A transaction that only reads; all its queries see one state, on PostgreSQL too."""
        with _unavailable_when_down(), self._steady.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Write]:
        """A transaction with no other writer beside it. An exception rolls it back, its revision included."""
        with _unavailable_when_down(), self._writing.begin() as connection:
            yield Write(connection, connection.execute(_NEXT_REVISION).scalar_one())

    @contextmanager
    def aside(self) -> Iterator[Connection]:
        """A transaction that writes what is not state of a mesh (how far a reader has read): it has no revision."""
        with _unavailable_when_down(), self._writing.begin() as connection:
            yield connection

    def revision(self) -> int:
        """The revision of the last committed write; 0 at first."""
        with self.read() as connection:
            return revision(connection)

    def glance(self) -> int | None:
        """The same at once, for whoever must not wait; None where it could not be had so, as always on PostgreSQL."""
        if self._window is None:
            return None
        try:
            with self._glancing:
                cursor = self._window.cursor()
                # All rows: a statement that could give more would keep the log of writes from being put away.
                ((found,),) = cursor.execute(_GLANCE).fetchall()
        except sqlite3.Error:
            return None
        return int(found)

    def answers(self) -> bool:
        """Whether the database can be asked something right now."""
        try:
            with self.read() as connection:
                connection.execute(text("SELECT 1"))
        except DatabaseUnavailable:
            return False
        return True

    def close(self) -> None:
        """Close all connections."""
        if self._window is not None:
            self._window.close()
        self.engine.dispose()


def revision(connection: Connection) -> int:
    """The revision of the last committed write that a transaction sees."""
    found: int = connection.execute(_REVISION).scalar_one()
    return found


@contextmanager
def _unavailable_when_down() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, InternalError) as error:  # the last is PostgreSQL that only reads now
        raise DatabaseUnavailable(str(error.orig)) from error
    except (sqlite3.OperationalError, PoolTimeout) as error:  # from `_begin`, which SQLAlchemy does not wrap
        raise DatabaseUnavailable(str(error)) from error


def _engine(url: str) -> Engine:
    parsed = _parsed(url)
    backend = parsed.get_backend_name()
    try:
        if backend == "sqlite":
            return _sqlite(parsed)
        if backend == "postgresql":
            if "+" not in parsed.drivername:
                parsed = parsed.set(drivername="postgresql+psycopg")
            return create_engine(parsed, pool_size=POOL_SIZE, max_overflow=0, pool_pre_ping=True)
    except NoSuchModuleError:
        raise UnusableDatabaseUrl(f"{parsed.drivername}: there is no such driver here") from None
    except (ArgumentError, ValueError, TypeError):  # whose words show options with their values
        raise UnusableDatabaseUrl(f"{place(parsed)}: host, port or an option cannot be used") from None
    raise UnusableDatabaseUrl(f"{backend}: only sqlite and postgresql are supported")


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the latter for a port; both show what they could not read
        raise UnusableDatabaseUrl(
            "expected sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME, with a number for PORT"
        ) from None
    if "@" in (parsed.host or ""):
        raise UnusableDatabaseUrl("an @ in user or password must be written as %40 (and / as %2F, : as %3A, ? as %3F)")
    return parsed


def place(url: URL) -> str:
    """Where a database is, without password and options: some drivers take a password there."""
    return url.set(query={}).render_as_string(hide_password=True)


def _without_secrets(message: str, url: URL) -> str:
    """A driver's words about a connection, without values of the URL that may be secret."""
    values = [value for name, value in url.normalized_query.items() if name not in ("host", "hostaddr")]
    secrets = [each for value in values for each in value] + ([str(url.password)] if url.password else [])
    for secret in secrets:
        for quote in ("'", '"'):
            message = message.replace(f"{quote}{secret}{quote}", "***")
        if len(secret) > 3:  # a shorter one, as a number of seconds, would tear holes into addresses
            message = message.replace(secret, "***")
    return message


def _sqlite(url: URL) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise UnusableDatabaseUrl(
            "SQLite needs a file (sqlite:///FILE): memory keeps nothing and has no second connection"
        )
    synchronous = str(url.query.get("synchronous", "normal")).lower()
    if synchronous not in ("normal", "full"):
        raise UnusableDatabaseUrl("synchronous: expected normal or full")
    directory = Path(str(url.database)).expanduser().parent
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableDatabaseUrl(f"directory {directory}: {error.strerror}") from error
    engine = create_engine(
        url.difference_update_query(["synchronous"]),
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        pool_size=2,  # what is kept open; a caller with more threads gets more
        max_overflow=-1,
        pool_reset_on_return=None,  # every connection goes back after commit or rollback: there is nothing to reset
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself; _begin does
        cursor = connection.cursor()
        _keep_a_wal(cursor)
        for pragma in (
            "wal_autocheckpoint=8000",  # pages, 32 MB: a checkpoint is what makes writers wait for the disk
            f"synchronous={synchronous.upper()}",
            "foreign_keys=ON",
            "cache_size=-32000",  # KiB
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A write that began as a read could not be upgraded while another writes (SQLITE_BUSY at once): say so first.
        writes = connection.get_execution_options().get(_WRITES, False)
        driver = connection.connection.dbapi_connection
        assert driver is not None, "a transaction begins on a connection that is checked out"
        driver.cursor().execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _keep_a_wal(cursor: sqlite3.Cursor) -> None:
    """Have the file keep a write-ahead log, as every file of ours does after its first connection.

    The change needs the file alone, and SQLite answers "locked" at once instead of waiting for whoever else opens the
    new file in that moment (another replica's first start): so the waiting is ours.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_AGAIN_SECONDS)
        else:
            return
