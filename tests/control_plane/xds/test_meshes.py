"""What a change makes of the state, and whom it touches."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from control_plane.store.records import ObjectKey
from control_plane.xds.meshes import Meshes
from control_plane.xds.state import Instance
from tests.control_plane.xds.objects import record

SERVICE = ("ns", "color")

objects = st.builds(
    record,
    st.sampled_from(["virtualNode", "route", "virtualRouter"]),
    st.sampled_from("abc"),
    st.just({}),
    mesh=st.sampled_from(["m", "n"]),
    version=st.integers(1, 3),
).map(lambda made: replace(made, key=made.key._replace(parent="r" if made.key.kind == "route" else "")))


@given(st.lists(objects), st.lists(objects), st.sets(st.integers(0, 10)))
def test_a_change_gives_the_state_that_reading_everything_would_give(before, written, gone):
    """And so does a reading of everything on top of an older state, with the keys of just what differs."""
    held = {each.key: each for each in before}
    changes = {each.key: each for each in written}
    changes |= {key: None for number, key in enumerate(held) if number in gone}
    expected = {key: found for key, found in (held | changes).items() if found is not None}
    start = Meshes.of(1, held.values())
    meshes, keys = start.changed(2, changes)
    assert meshes == Meshes.of(2, expected.values())
    assert changes.keys() <= keys
    reloaded, differing = start.replaced(2, expected.values())
    assert reloaded == meshes
    assert {key for key in expected.keys() | held.keys() if expected.get(key) != held.get(key)} <= differing


def test_a_changed_route_touches_its_router():
    """Who reads the routes of a router says so by the router's key."""
    _, keys = Meshes.of(1, []).changed(2, {each.key: each for each in (record("route", "r1", parent="router"),)})
    assert keys == {ObjectKey("route", "m", "router", "r1"), ObjectKey("virtualRouter", "m", "", "router")}
    _, keys = Meshes.of(1, []).changed(2, {ObjectKey("gatewayRoute", "m", "gate", "g1"): None})
    assert ObjectKey("virtualGateway", "m", "", "gate") in keys


def test_a_change_in_one_mesh_leaves_the_other_as_it_is():
    """The very object: nothing of it is made anew."""
    start = Meshes.of(1, [record("mesh", "m"), record("mesh", "n"), record("virtualNode", "a", mesh="n")])
    meshes, _ = start.changed(2, {each.key: each for each in (record("virtualNode", "a"),)})
    assert meshes.states["n"] is start.states["n"]
    assert meshes.states["m"] is not start.states["m"]


def test_instances_tell_which_services_differ():
    """Those that came, went or changed; and nothing is made anew when none did."""
    node = record("virtualNode", "a")
    meshes = Meshes.of(1, [node])
    found = {SERVICE: (Instance("i-1", "10.0.0.1", "", {}),)}
    meshes, services = meshes.with_instances(found)
    assert services == {SERVICE}
    assert meshes.states["m"].instances == found
    same, services = meshes.with_instances(dict(found))
    assert same is meshes
    assert services == frozenset()
    _, services = meshes.with_instances({})
    assert services == {SERVICE}


def test_instances_survive_changes_of_objects():
    """Of the mesh they are in, and of a mesh that is new."""
    found = {SERVICE: (Instance("i-1", "10.0.0.1", "", {}),)}
    meshes, _ = Meshes.of(1, [record("virtualNode", "a")]).with_instances(found)
    new = [record("virtualNode", "b"), record("virtualNode", "a", mesh="n")]
    meshes, _ = meshes.changed(2, {each.key: each for each in new})
    assert [meshes.states[mesh].instances for mesh in "mn"] == [found, found]
