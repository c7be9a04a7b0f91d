"""Whose fault a refusal is, and what else waits for it."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from control_plane.store.records import ObjectKey
from control_plane.xds.ads.blame import Blame
from control_plane.xds.ads.connections import Fault
from control_plane.xds.ads.staging import Timing
from control_plane.xds.ads.subscription import Batch
from control_plane.xds.snapshot import Kind, Snapshot
from tests.control_plane.xds.ads.proxy import DeltaProxy, SotwProxy
from tests.control_plane.xds.ads.resources import cluster, endpoints, http_listener, route, snapshot

OWN, A, B = (ObjectKey("virtualNode", "m", "", name) for name in ("own", "a", "b"))
OF_BOTH = (Kind.ROUTE, "routes")


def batch(name: str = "routes") -> Batch:
    """A response about one resource."""
    return Batch({name: route(name, "c")}, {}, "v")


def blame(sources: dict, written: dict[ObjectKey, int]) -> Blame:
    """On a stream that has just begun."""
    made = Blame(OWN)
    resources = {Kind.ROUTE: {"routes": route("routes", "c")}}
    made.snapshot = Snapshot(resources, sources=MappingProxyType(sources), written=lambda key: written.get(key, 0))
    return made


def test_those_are_blamed_that_were_written_since_the_proxy_took_it():
    """The others were taken already."""
    it = blame({OF_BOTH: frozenset({A, B})}, {A: 3, B: 6})
    it.sent(Kind.ROUTE, batch(), 5, ())
    it.accepted(Kind.ROUTE, batch())
    it.sent(Kind.ROUTE, batch(), 6, ())
    assert it.sources(*OF_BOTH) == {B}


def test_all_are_blamed_when_nobody_can_be_told_from_the_others():
    """Nothing was taken before; or what made the difference is gone."""
    it = blame({OF_BOTH: frozenset({A, B})}, {A: 3, B: 3})
    assert it.sources(*OF_BOTH) == {A, B}
    it.sent(Kind.ROUTE, batch(), 5, ())
    it.accepted(Kind.ROUTE, batch())
    assert it.sources(*OF_BOTH) == {A, B}


def test_at_first_the_proxys_own_node_is_blamed_if_it_has_a_part_in_it():
    """And for all that comes from no other."""
    it = blame({OF_BOTH: frozenset({A, OWN})}, {})
    assert it.sources(*OF_BOTH) == {OWN}
    assert it.sources(Kind.LISTENER, "in") == {OWN}


def test_a_fault_lasts_as_long_as_the_quarantine():
    """One that was refused together with others is none yet."""
    it = blame({OF_BOTH: frozenset({A})}, {})
    it.refused(Kind.ROUTE, Batch({"x": None, "y": None}, {}, "v"), "bad")
    assert it.faults([], [], {}) == {}
    it.refused(Kind.ROUTE, batch(), "bad")
    assert it.faults([OF_BOTH], [], {}) == {OF_BOTH: Fault("bad", frozenset({A}))}
    assert it.faults([], [OF_BOTH], {}) == {OF_BOTH: Fault("", frozenset({A}), refused=False)}


def test_what_is_not_to_be_had_any_more_is_no_fault_unless_it_comes_back():
    """While it drains it is still on offer, and in quarantine."""
    it = blame({OF_BOTH: frozenset({A})}, {})
    it.refused(Kind.ROUTE, batch(), "bad")
    wanted, it.snapshot = it.snapshot, Snapshot({})
    assert it.faults([OF_BOTH], [], {}) == {}
    it.snapshot = wanted
    assert it.faults([OF_BOTH], [], {}).keys() == {OF_BOTH}


def test_of_virtual_hosts_only_those_wait_that_need_what_was_refused():
    """And who was written meanwhile is not taken for one that the proxy has whole."""
    it = blame({OF_BOTH: frozenset({A, B})}, {A: 3, B: 3})
    assert it.snapshot is not None
    it.snapshot = replace(it.snapshot, part_sources={(*OF_BOTH, "a"): frozenset({A}), (*OF_BOTH, "b"): frozenset({B})})
    it.sent(Kind.ROUTE, batch(), 2, ())
    it.accepted(Kind.ROUTE, batch())
    it.sent(Kind.ROUTE, batch(), 3, {OF_BOTH})
    it.accepted(Kind.ROUTE, batch())
    assert it.sources(*OF_BOTH) == {A, B}
    assert it.faults([], [OF_BOTH], {(*OF_BOTH, "b"): ""}) == {OF_BOTH: Fault("", frozenset({B}), refused=False)}


def test_of_a_part_that_is_refused_its_own_objects_are_blamed_with_the_proxys_words():
    """Beside others of the same resource that only wait."""
    it = blame({OF_BOTH: frozenset({A, B})}, {})
    assert it.snapshot is not None
    it.snapshot = replace(it.snapshot, part_sources={(*OF_BOTH, "a"): frozenset({A}), (*OF_BOTH, "b"): frozenset({B})})
    refused = {(Kind.ROUTE, "routes (a)"): Fault("bad", frozenset({A}))}
    assert it.faults([], [OF_BOTH], {(*OF_BOTH, "a"): "bad"}) == refused
    both = it.faults([], [OF_BOTH], {(*OF_BOTH, "a"): "bad", (*OF_BOTH, "b"): ""})
    assert both == {**refused, OF_BOTH: Fault("", frozenset({B}), refused=False)}


@pytest.mark.parametrize("form", [SotwProxy, DeltaProxy])
def test_a_stream_is_at_rest_when_only_what_is_refused_and_what_needs_it_is_missing(form):
    """The route that names a refused cluster is held; when that is repaired, all is settled."""
    proxy = form(Timing())
    before = [cluster("a"), endpoints("a"), http_listener("in", "routes"), route("routes", "a")]
    proxy.connect(snapshot(*before))
    settle(proxy)
    assert proxy.stream.settled
    named = [http_listener("in", "routes"), route("routes", "a", "bad"), cluster("a"), endpoints("a")]
    proxy.update(snapshot(*named, cluster("bad"), endpoints("bad")))
    assert not proxy.stream.at_rest
    proxy.take(refuse=True)
    settle(proxy)
    assert proxy.stream.subscriptions[Kind.CLUSTER].quarantined.keys() == {"bad"}
    assert proxy.stream.held == {OF_BOTH}
    assert proxy.stream.at_rest
    assert not proxy.stream.settled
    proxy.update(snapshot(*named, cluster("bad", 2), endpoints("bad")))
    settle(proxy)
    assert proxy.stream.settled
    assert proxy.stream.held == frozenset()


@pytest.mark.parametrize("form", [SotwProxy, DeltaProxy])
def test_a_stream_whose_only_listener_is_refused_is_at_rest(form):
    """It never asks for the routes."""
    proxy = form(Timing())
    proxy.connect(snapshot(cluster("a"), endpoints("a"), http_listener("in", "routes"), route("routes", "a")))
    while proxy.waiting:
        proxy.take(refuse=proxy.waiting[0][0] is Kind.LISTENER)
    assert proxy.stream.at_rest
    assert not proxy.stream.settled


def settle(proxy) -> None:
    """Accept whatever comes, for as long as there is something to wait for."""
    while proxy.waiting or proxy.stream.wakes_at is not None:
        if not proxy.waiting:
            proxy.now = proxy.stream.wakes_at
            proxy.pump()
        else:
            proxy.take()
