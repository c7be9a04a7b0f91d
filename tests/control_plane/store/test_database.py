import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from control_plane.store import objects, schema
from control_plane.store.database import Database
from control_plane.store.errors import DatabaseUnavailable, UnusableDatabaseUrl
from tests.control_plane.postgres import new_database
from tests.control_plane.store.builders import node, record, stored


def test_revisions_count_committed_writes(database):
    """Each committed write has the next number; a write that fails uses none up."""
    assert database.revision() == 0
    for expected in (1, 2):
        with database.write() as write:
            assert write.revision == expected

    def store_twice() -> None:
        with database.write() as write:
            objects.add(write, record(node("n"), write))
            objects.add(write, record(node("n"), write))

    with pytest.raises(IntegrityError):
        store_twice()
    assert database.revision() == 2
    with database.read() as connection:
        assert objects.get(connection, node("n")) is None


def test_writers_queue_up(database: Database):
    """Sixteen writers that read, think and write never act on what another is about to change."""
    stored(database, node("counter"))

    def add_one(_number: int) -> int:
        with database.write() as write:
            before = objects.get(write.connection, node("counter"))
            assert before is not None
            objects.replace(write, record(node("counter"), write, version=before.version + 1))
            return write.revision

    with ThreadPoolExecutor(16) as threads:
        revisions = list(threads.map(add_one, range(64)))
    with database.read() as connection:
        counter = objects.get(connection, node("counter"))
    assert counter is not None
    assert counter.version == 65
    assert sorted(revisions) == list(range(2, 66))


def test_a_reader_is_not_stopped_by_a_writer(database):
    """While a write is open, others read the state before it."""
    stored(database, node("n"))
    written, looked = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with database.write() as write:
            objects.remove(write, "virtualNode/m//n")
            written.set()
            assert looked.wait(10)

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(write_slowly)
        assert written.wait(10)
        with database.read() as connection:
            assert objects.get(connection, node("n")) is not None
        looked.set()
        writing.result()
    with database.read() as connection:
        assert objects.get(connection, node("n")) is None


def test_a_name_is_unique_in_the_database_too(database):
    """Even a bug of ours cannot store two objects under one name."""
    stored(database, node("n"))
    with pytest.raises(IntegrityError), database.write() as write:
        objects.add(write, record(node("n"), write, uid="another"))


def test_what_was_stored_is_there_for_the_next_process(database_url):
    """A database that is opened again has everything, and the revisions go on."""
    first = Database(database_url)
    stored(first, node("n"))
    first.close()
    second = Database(database_url)
    with second.read() as connection:
        assert objects.get(connection, node("n")) is not None
    assert second.revision() == 1
    second.close()


def test_migrations_make_the_schema_that_the_code_uses(database):
    """Tables, columns, indexes and keys are those of `schema.py`."""
    found = inspect(database.engine)
    assert set(found.get_table_names()) == {*schema.metadata.tables, "alembic_version"}
    for name, table in schema.metadata.tables.items():
        columns = {column["name"]: column["nullable"] for column in found.get_columns(name)}
        assert columns == {column.name: column.nullable for column in table.columns}
        assert {index["name"] for index in found.get_indexes(name) if not index.get("duplicates_constraint")} == {
            index.name for index in table.indexes
        }
        assert found.get_pk_constraint(name)["constrained_columns"] == [column.name for column in table.primary_key]
        uniques = {constraint["name"]: constraint["column_names"] for constraint in found.get_unique_constraints(name)}
        assert uniques == ({"objects_by_name": ["mesh", "kind", "parent", "name"]} if name == "objects" else {})
        assert len(found.get_foreign_keys(name)) == sum(len(column.foreign_keys) for column in table.columns)


def test_replicas_may_start_at_once(database_url):
    """Eight processes that find an empty database take turns to migrate it."""
    with ThreadPoolExecutor(8) as threads:
        opened = list(threads.map(lambda _: Database(database_url), range(8)))
    for each in opened:
        assert each.revision() == 0
        each.close()


def test_a_new_file_that_another_has_locked_is_waited_for(tmp_path, monkeypatch):
    """SQLite itself does not wait when a new file is to get its write-ahead log."""
    path = tmp_path / "new.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        waits: list[float] = []

        def let_go(seconds: float) -> None:
            waits.append(seconds)
            other.rollback()

        monkeypatch.setattr("control_plane.store.database.time.sleep", let_go)
        database = Database(f"sqlite:///{path}")
    database.close()
    assert len(waits) == 1


@pytest.mark.parametrize(
    ("url", "says"),
    [
        pytest.param("nonsense", "expected sqlite:///FILE or postgresql://", id="no URL"),
        pytest.param("mysql://host/name", "mysql: only sqlite and postgresql", id="other database"),
        pytest.param("sqlite://", "SQLite needs a file", id="memory"),
        pytest.param("sqlite:///:memory:", "SQLite needs a file", id="memory by name"),
        pytest.param("sqlite:///x.db?synchronous=off", "expected normal or full", id="unsafe"),
        pytest.param("postgresql+nonsense://host/name", "nonsense", id="other driver"),
    ],
)
def test_an_unusable_url_is_named(url, says):
    """Whoever set it learns what is wrong."""
    with pytest.raises(UnusableDatabaseUrl, match=says):
        Database(url)


def test_a_server_that_is_not_there_is_unavailable(tmp_path):
    """A database that does not answer is no bug of ours."""
    with pytest.raises(DatabaseUnavailable):
        Database(f"postgresql://nobody@/nothing?host={tmp_path}")


def test_sqlite_is_set_up_to_survive(tmp_path):
    """Write-ahead log, foreign keys, and no synchronous=OFF."""
    database = Database(f"sqlite:///{tmp_path}/deep/er/test.db?synchronous=full")
    with database.read() as connection:
        settings = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "foreign_keys")]
        assert [*settings, connection.execute(text("PRAGMA synchronous")).scalar()] == ["wal", 1, 2]
    database.close()


def test_a_lock_that_is_held_for_too_long_is_unavailable(tmp_path, monkeypatch):
    """A writer in another process is waited for, but not for ever."""
    monkeypatch.setattr("control_plane.store.database.BUSY_TIMEOUT_SECONDS", 0.05)
    database = Database(f"sqlite:///{tmp_path}/test.db")
    with closing(sqlite3.connect(tmp_path / "test.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable, match="locked"), database.write():
            pass
        assert database.answers()
    database.close()


def test_a_database_that_only_reads_now_is_unavailable_to_writers(postgres):
    """What a standby says until it is the primary: no fault of ours, and it passes."""
    with closing(Database(new_database(postgres))) as database:
        with database.aside() as connection:
            name = connection.execute(text("SELECT current_database()")).scalar_one()
            connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        database.engine.dispose()
        with pytest.raises(DatabaseUnavailable, match="read-only"), database.write():
            pass
        assert database.revision() == 0
