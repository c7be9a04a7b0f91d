"""A database of an earlier release goes on working, for us and, while replicas are replaced, for that release."""

import pytest
from alembic import command
from sqlalchemy import create_engine, make_url, text

from control_plane.store import changes, readers
from control_plane.store.database import Database
from control_plane.store.migrations import configured
from control_plane.store.readers import Reader
from control_plane.store.records import Change
from tests.control_plane.store.builders import node

OLD_ROW = {"operation": "create", "kind": "virtualNode", "mesh": "m", "parent": "", "name": "n", "uid": "u"}
OLD_INSERT = text(
    "INSERT INTO changes (revision, operation, kind, mesh, parent, name, uid) "
    "VALUES (:revision, :operation, :kind, :mesh, :parent, :name, :uid)"
)


@pytest.fixture
def old_database(database_url: str) -> str:
    """The URL of a database with the first schema and one change in it."""
    url = make_url(database_url)
    url = url.set(drivername="postgresql+psycopg") if url.get_backend_name() == "postgresql" else url
    engine = create_engine(url)
    with engine.begin() as connection:
        command.upgrade(configured(connection), "0001")
        connection.execute(OLD_INSERT, {"revision": 1, **OLD_ROW})
        connection.execute(text("UPDATE counter SET revision = 1"))
    engine.dispose()
    return database_url


def test_changes_of_the_first_schema_are_kept_and_its_writes_still_fit(old_database):
    """They name no version and no writer, and a reader of the feed sees them whomever it leaves out."""
    database = Database(old_database)
    with database.write() as write:
        write.connection.execute(OLD_INSERT, {"revision": write.revision, **OLD_ROW})
    with database.write() as write:
        changes.note(write, "update", node("n"), "u", 3, "meshwright/east")
    old = [Change(number, "create", node("n"), "u", None, None) for number in (1, 2)]
    with database.read() as connection:
        assert changes.since(connection, 0) == [*old, Change(3, "update", node("n"), "u", 3, "meshwright/east")]
        assert changes.since(connection, 0, not_by="meshwright/east") == old
    database.close()


def test_readers_are_remembered_by_name(database):
    """Each has its own position, which may also go back: after a restore the log is shorter."""
    for name, revision in (("a", 1), ("b", 2), ("a", 5), ("a", 5), ("a", 3)):
        readers.remember(database, Reader("", name), revision)
    with database.read() as connection:
        assert [readers.position(connection, Reader("", name)) for name in ("a", "b", "c")] == [3, 2, None]
    assert database.revision() == 0


def test_a_place_of_its_own_holds_so_many_names_and_no_more(database, monkeypatch):
    """Those that are there can still be moved; places do not count each other's, whatever characters they have."""
    monkeypatch.setattr(readers, "MOST", 2)
    noted = [readers.remember(database, Reader("K_:", name), 1) for name in ("a", "b", "c")]
    assert noted == [True, True, False]
    assert readers.remember(database, Reader("K_:", "a"), 2)
    assert all(readers.remember(database, Reader(place, "a"), 1) for place in ("KK:", "%:", ""))
    assert all(readers.remember(database, Reader("", name), 1) for name in ("b", "c", "d"))
    with database.read() as connection:
        assert [readers.position(connection, Reader("K_:", name)) for name in ("a", "b", "c")] == [2, 1, None]
