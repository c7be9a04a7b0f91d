"""Reading the store: everything once, then what was written since."""

from control_plane.store import changes, objects
from control_plane.store.database import Database
from control_plane.xds import reader as reading
from control_plane.xds.reader import Everything, Reader, Written
from tests.control_plane.store.builders import node
from tests.control_plane.xds.written import drop, put


def test_at_first_everything_is_read(database_url):
    """With the revision from which to go on."""
    database = Database(database_url)
    put(database, node("a"))
    found = Reader(database).since(None)
    assert isinstance(found, Everything)
    assert found.revision == 1
    assert [each.key for each in found.records] == [node("a")]
    database.close()


def test_then_only_what_was_written_since(database_url):
    """Each object once and as it is now; what is gone is told as gone."""
    database = Database(database_url)
    for name in "abc":
        put(database, node(name))
    drop(database, node("a"))
    put(database, node("d"))
    found = Reader(database).since(2)
    assert isinstance(found, Written)
    assert found.revision == 5
    assert {key.name: each is not None for key, each in found.records.items()} == {"a": False, "c": True, "d": True}
    assert Reader(database).since(5) == Written(5, {})
    database.close()


def test_everything_is_read_anew_when_the_log_no_longer_tells(database_url):
    """It has forgotten, or never got there: the database was set back to an older life."""
    database = Database(database_url)
    for name in "abc":
        put(database, node(name))
    with database.write() as write:
        changes.purge(write, keep=1)
    assert isinstance(Reader(database).since(1), Everything)
    assert isinstance(Reader(database).since(99), Everything)
    database.close()


def test_after_very_many_changes_everything_is_read_anew(database_url, monkeypatch):
    """That is the shorter way then."""
    monkeypatch.setattr(reading, "_MOST", 2)
    database = Database(database_url)
    for name in "abc":
        put(database, node(name))
    assert isinstance(Reader(database).since(1), Everything)
    assert isinstance(Reader(database).since(2), Written)
    database.close()


def test_one_read_sees_one_state(database_url):
    """What is committed in between comes with the next read, on PostgreSQL too."""
    database = Database(database_url)
    put(database, node("a"))
    with database.steady_read() as connection:
        assert len(objects.everything(connection)) == 1
        put(database, node("b"))
        assert len(objects.everything(connection)) == 1
    assert len(Reader(database).since(None).records) == 2
    database.close()
