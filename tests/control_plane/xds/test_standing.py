"""The sum over proxies: revisions, and what is wrong with which object."""

from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from control_plane.store.records import ObjectKey
from control_plane.xds.ads.connections import Connection, Fault
from control_plane.xds.feed import Told
from control_plane.xds.proxies import ProxyId
from control_plane.xds.snapshot import Kind, Problem
from control_plane.xds.standing import Complaint, MeshStanding, What, joined, reached, read, shown, standing

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
ROUTE = ObjectKey("route", "m", "r", "by-path")
NODE = ObjectKey("virtualNode", "m", "", "front")


def connection(name: str, id: str = "", revision: int = 7, reached: int = 7, **more) -> Connection:
    """A proxy of the mesh `m`."""
    proxy = ProxyId("m", "virtualNode", name)
    return replace(
        Connection(id or name, proxy, name, "ipv4:127.0.0.1:1", "sotw", AT, revision=revision, reached=reached), **more
    )


def told(name: str, revision: int = 7, through: int = 9, *problems: Problem) -> Told:
    """The newest snapshot of a proxy."""
    return Told(ProxyId("m", "virtualNode", name), revision, through, problems)


def test_who_has_the_newest_snapshot_has_all_that_it_is_right_for():
    """Who has an older one has what was in that."""
    proxies = [connection("a"), connection("b", reached=5), connection("c", revision=5, reached=5)]
    assert reached(proxies, [told("a"), told("b"), told("c")], {}, newest=9) == {"a": 9, "b": 5, "c": 5}


def test_nobody_goes_back():
    """For a moment it is not known that a newer snapshot will not differ; a new stream begins with nothing."""
    assert reached([connection("a", reached=5)], [told("a")], {"a": 6}, newest=9) == {"a": 6}
    assert reached([connection("a", "2", revision=0, reached=0)], [told("a")], {"a": 6}, newest=9) == {"2": 0}


def test_a_store_that_was_set_back_takes_everybody_along():
    """What was reached in another life of it means nothing."""
    assert reached([connection("a")], [told("a")], {"a": 500}, newest=9) == {"a": 9}


def test_a_node_with_two_sorts_of_proxies_is_as_far_as_the_snapshot_that_is_less_far():
    """They cannot be told apart by the revision alone."""
    assert reached([connection("a")], [told("a"), told("a", through=8)], {}, newest=9) == {"a": 8}


def test_the_slowest_proxy_counts_and_a_stranger_does_not():
    """And no further than the last write in the mesh."""
    proxies = [connection("a"), connection("b"), connection("x", known=False)]
    at = reached([*proxies], [told("a", through=20), told("b", through=20)], {}, newest=20)
    assert standing(proxies, [], at, lambda _mesh: 12) == {"m": MeshStanding(2, 12)}
    assert standing(proxies, [], {**at, "b": 3}, lambda _mesh: 12) == {"m": MeshStanding(2, 3)}


def test_a_complaint_that_many_proxies_share_is_one():
    """With the first of them, so that the sum does not change with every other."""
    faults = MappingProxyType({(Kind.LISTENER, "in"): Fault("no such file", frozenset({NODE}))})
    problem = Problem(ROUTE, "spec.httpRoute", "is not possible")
    proxies = [connection("a", str(id), faults=faults) for id in range(3)]
    at = reached(proxies, [], {}, newest=9)
    found = standing(proxies, [told("c", 7, 7, problem), told("b", 7, 7, problem)], at, lambda _mesh: 9)
    assert found["m"].complaints == (
        Complaint(ROUTE, What.LEFT_OUT, "spec.httpRoute", "is not possible", "mesh/m/virtualNode/b"),
        Complaint(NODE, What.REFUSED, "", "in: no such file", "mesh/m/virtualNode/a"),
    )


def test_what_waits_for_something_refused_is_told_apart():
    """It is not refused itself."""
    faults = MappingProxyType({(Kind.ROUTE, "out"): Fault("", frozenset({ROUTE}), refused=False)})
    [complaint] = standing([connection("a", faults=faults)], [], {"a": 7}, lambda _mesh: 9)["m"].complaints
    assert (complaint.object, complaint.what) == (ROUTE, What.HELD)


keys = st.sampled_from([ROUTE, NODE, ObjectKey("mesh", "", "", "m"), ObjectKey("gatewayRoute", "m", "g", "r")])
complaints = st.builds(Complaint, keys, st.sampled_from(What), st.just("f"), st.just("x"), st.sampled_from("abc"))
standings = st.dictionaries(
    st.sampled_from("mn"),
    st.builds(MeshStanding, st.integers(1, 9), st.integers(0, 9), st.lists(complaints, max_size=3).map(tuple)),
)


@given(parts=st.lists(standings, max_size=3))
def test_the_sum_does_not_depend_on_how_it_is_put_together(parts):
    """In any order, in any groups, through JSON or not."""
    whole = joined(parts)
    assert joined(reversed(parts)) == whole
    assert joined([joined(parts[:1]), joined(parts[1:])]) == whole
    assert read(shown(whole)) == whole
