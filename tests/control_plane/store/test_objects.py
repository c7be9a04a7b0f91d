import pytest

from control_plane.store import changes, objects, references, tags, tokens
from control_plane.store.errors import ChangesForgotten
from control_plane.store.records import Change, ObjectKey, ReferenceRecord, TokenRecord
from tests.control_plane.store.builders import node, record, route, stored

MESH = ObjectKey("mesh", "", "", "m")


def test_an_object_is_found_by_its_key(database):
    """What was stored comes back, spec and all."""
    spec = {"listeners": [{"portMapping": {"port": 80, "protocol": "http"}}], "text": "ünï \0 \U0001f600"}
    with database.write() as write:
        made = record(node("n"), write, spec=spec, version=7, created_at=1573689870.513)
        objects.add(write, made)
    with database.read() as connection:
        assert objects.get(connection, node("n")) == made
        assert objects.get(connection, node("other")) is None
        assert objects.exists(connection, made.uid)
        assert not objects.exists(connection, "other")


def test_several_objects_are_found_at_once(database):
    """Of all kinds and places together; what is missing is left out."""
    keys = [MESH, node("a"), node("b"), route("a"), route("a", router="other"), node("a", mesh="other")]
    made = stored(database, *keys)
    with database.read() as connection:
        assert objects.get_many(connection, [*keys, node("missing")]) == dict(zip(keys, made, strict=True))
        assert objects.get_many(connection, []) == {}


def test_an_object_is_replaced_and_removed(database):
    """A replacement keeps key, uid and creation; a removal leaves nothing."""
    (made,) = stored(database, node("n"))
    with database.write() as write:
        newer = record(node("n"), write, spec={"a": 1}, version=2, updated_at=2.5)
        objects.replace(write, newer)
    with database.read() as connection:
        assert objects.get(connection, node("n")) == newer
    with database.write() as write:
        objects.remove(write, made.uid)
    with database.read() as connection:
        assert objects.get(connection, node("n")) is None


def test_pages_are_in_the_order_of_bytes(database):
    """Both databases sort alike, whatever the locale: capitals, digits and signs by their code."""
    names = ["a", "B", "b", "a-b", "a_b", "ab", "a1", "Z", "ä", "-"]
    stored(database, *map(node, names))
    stored(database, node("elsewhere", mesh="other"), route("r"))
    expected = sorted(names, key=str.encode)
    with database.read() as connection:
        found, after = [], ""
        while page := objects.page(connection, "virtualNode", "m", "", after=after, at_most=3):
            found += [each.key.name for each in page]
            after = found[-1]
        assert found == expected
        assert objects.count(connection, "virtualNode", "m", "") == len(names)
        assert [each.key.name for each in objects.collection(connection, "virtualNode", "m", "")] == expected


def test_the_members_of_a_mesh_are_counted_by_kind(database):
    """What a mesh still holds, with one name of each kind; of other meshes nothing."""
    stored(database, MESH, node("b"), node("a"), route("x"), node("c", mesh="other"))
    with database.read() as connection:
        assert sorted(objects.members(connection, "m")) == [("route", 1, "x"), ("virtualNode", 2, "a")]
        assert objects.members(connection, "empty") == []


def test_references_are_found_from_their_target(database):
    """Who refers to an object, existing or not; gone with the object that refers."""
    first, second = stored(database, route("x"), node("n"))
    to_n = ReferenceRecord("target", "virtualNode", "n")
    with database.write() as write:
        references.add(write, first.uid, "m", [to_n, to_n, ReferenceRecord("target", "virtualNode", "missing")])
        references.add(write, second.uid, "m", [])
    with database.read() as connection:
        assert references.referrers(connection, node("n")) == [references.Referrer("target", route("x"))]
        assert references.referrers(connection, node("missing")) == [references.Referrer("target", route("x"))]
        assert references.referrers(connection, node("n", mesh="other")) == []
        assert references.referrers(connection, ObjectKey("virtualRouter", "m", "", "n")) == []
    with database.write() as write:
        references.replace(write, first.uid, "m", [ReferenceRecord("target", "virtualNode", "other")])
    with database.read() as connection:
        assert references.referrers(connection, node("n")) == []
        assert len(references.referrers(connection, node("other"))) == 1
    with database.write() as write:
        objects.remove(write, first.uid)
    with database.read() as connection:
        assert references.referrers(connection, node("other")) == []


def test_tags_are_set_and_taken_off_by_key(database):
    """A key has one value; tags go with their object."""
    first, second = stored(database, node("a"), node("b"))
    with database.write() as write:
        tags.put(write, first.uid, {"x": "1", "y": "2"})
        tags.put(write, first.uid, {"y": "two", "z": ""})
        tags.put(write, second.uid, {"x": "other"})
        tags.remove(write, first.uid, ["x", "never"])
        tags.remove(write, first.uid, [])
        tags.put(write, first.uid, {})
    with database.read() as connection:
        assert tags.page(connection, first.uid, after="", at_most=9) == [("y", "two"), ("z", "")]
        assert tags.page(connection, first.uid, after="y", at_most=9) == [("z", "")]
        assert tags.keys(connection, first.uid) == {"y", "z"}
    with database.write() as write:
        objects.remove(write, first.uid)
    with database.read() as connection:
        assert tags.keys(connection, first.uid) == set()
        assert tags.keys(connection, second.uid) == {"x"}


def test_tokens_are_remembered_replaced_and_swept_out(database):
    """A token is kept with its answer until it is replaced, or is too old when a sweep comes by."""
    with database.write() as write:
        tokens.put(write, TokenRecord("old", "f", "u", {"a": [1]}, 10.0))
        tokens.put(write, TokenRecord("young", "f", "u", None, 20.0))
        tokens.put(write, TokenRecord("young", "g", "v", {}, 20.0), replaces=True)
        assert tokens.purge(write, now=10.0) == 1
    with database.read() as connection:
        assert tokens.get(connection, "old") is None
        assert tokens.get(connection, "young") == TokenRecord("young", "g", "v", {}, 20.0)


class TestChangeLog:
    """What each revision did, for those who follow."""

    @pytest.fixture
    def logged(self, database):
        """A database whose log has four changes."""
        for operation, name in (("create", "a"), ("update", "a"), ("create", "b"), ("delete", "a")):
            with database.write() as write:
                changes.note(write, operation, node(name), f"uid-{name}")
        return database

    def test_changes_are_told_in_order(self, logged):
        """From a revision on, deletions included."""
        with logged.read() as connection:
            assert list(changes.since(connection, 2)) == [
                Change(3, "create", node("b"), "uid-b"),
                Change(4, "delete", node("a"), "uid-a"),
            ]
            assert [change.revision for change in changes.since(connection, 0, at_most=2)] == [1, 2]
            assert list(changes.since(connection, 4)) == []

    def test_a_reader_that_was_away_for_too_long_is_told(self, logged):
        """The log is bounded; nobody mistakes a gap for silence."""
        with logged.write() as write:
            assert changes.purge(write, keep=3) == 2
            assert changes.purge(write, keep=100) == 0
        with logged.read() as connection:
            assert [change.revision for change in changes.since(connection, 2)] == [3, 4]
            with pytest.raises(ChangesForgotten, match="up to revision 2 are no longer kept"):
                changes.since(connection, 1)
