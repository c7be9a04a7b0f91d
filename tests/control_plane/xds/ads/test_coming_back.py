"""A proxy that comes back: what it may hold, and does not say, it does not lose; and nothing of it waits in vain."""

import pytest
from envoy.config.cluster.v3.cluster_pb2 import Cluster

from control_plane.xds.ads.staging import Timing
from control_plane.xds.snapshot import Kind
from tests.control_plane.xds.ads.proxy import DeltaProxy, SotwProxy
from tests.control_plane.xds.ads.resources import cluster, http_listener, route, snapshot, tcp_listener
from tests.control_plane.xds.ads.test_blame import settle

LISTENER = http_listener("out", "routes")


def static(name: str, edition: int = 1):
    """A cluster that is usable at once."""
    return cluster(name, edition, Cluster.STATIC)


def leading_to(name: str, *others):
    """A snapshot whose routes lead to one cluster."""
    return snapshot(LISTENER, static(name), route("routes", name), *others)


def clusters(proxy) -> set[str]:
    """What the proxy holds."""
    return set(proxy.held[Kind.CLUSTER])


def test_what_its_old_routes_name_stays_until_the_new_ones_are_there_and_drained():
    """The routes turned while nobody was there to tell it."""
    proxy = SotwProxy(Timing(drain=15))
    proxy.connect(leading_to("old"))
    settle(proxy)
    proxy.connect(leading_to("new"))
    while proxy.waiting:
        proxy.take()
    assert clusters(proxy) == {"old", "new"}
    assert set(proxy.held[Kind.ROUTE]) == {"routes"}
    assert proxy.stream.settled
    settle(proxy)
    assert clusters(proxy) == {"new"}


@pytest.mark.parametrize(
    "words",
    ["Error adding/updating cluster(s) bad: a reason", '\nname: "bad"\ntype: EDS\n: value must be greater than 0s'],
)
def test_one_cluster_that_it_refuses_by_name_takes_no_other_away(words):
    """A restart of ours forgets what was refused; to look for it by halves would take away the other half."""
    proxy = SotwProxy(Timing())
    good = [static(name) for name in ("b", "c", "d")]
    proxy.connect(leading_to("a", *good))
    settle(proxy)
    proxy.connect(leading_to("a", *good, static("bad", 0)))
    held = []
    while proxy.waiting:
        kind, response = proxy.waiting[0]
        bad = kind is Kind.CLUSTER and any(b"bad" in each.value for each in response.resources)
        proxy.take(refuse=words if bad else False)
        held.append(clusters(proxy))
    assert all(each >= {"a", "b", "c", "d"} for each in held)
    assert proxy.stream.subscriptions[Kind.CLUSTER].quarantined.keys() == {"bad"}
    assert proxy.stream.at_rest


def test_a_name_in_a_longer_name_is_not_meant():
    """`blue` is not to blame for `blue-2`, nor for being mentioned."""
    proxy = SotwProxy(Timing())
    proxy.connect(leading_to("blue"))
    settle(proxy)
    proxy.connect(leading_to("blue", static("blue-2", 0)))
    proxy.take(refuse="Error adding/updating cluster(s) blue-2: is no blue")
    [response] = [each for kind, each in proxy.waiting if kind is Kind.CLUSTER]
    assert [Cluster.FromString(each.value).name for each in response.resources] == ["blue"]


def test_a_changed_listener_gets_its_routes_though_they_turned_back_while_they_were_held_up():
    """It waits for them, even if they are those that the proxy told it has; only then was their content known here."""
    proxy = DeltaProxy(Timing())
    no_routes = route("routes")
    proxy.connect(snapshot(http_listener("out", "routes", 2), no_routes))
    settle(proxy)
    proxy.connect(None)
    slow = cluster("slow", type=Cluster.STRICT_DNS)
    proxy.update(snapshot(LISTENER, slow, route("routes", "slow")))
    while proxy.waiting:
        proxy.take()
    assert not proxy.stream.settled, "the routes wait until the cluster has had time to ask DNS"
    last = snapshot(LISTENER, no_routes)
    proxy.update(last)
    settle(proxy)
    proxy.at_peace(last)


def test_what_it_came_with_lets_go_of_clusters_once_it_is_offered_again():
    """A listener that it holds was out of the mesh when it came back, and came back as it was: so it has a body."""
    proxy = DeltaProxy(Timing())
    there = (static("a"), tcp_listener("l-a", "a"))
    proxy.connect(snapshot(*there))
    settle(proxy)
    proxy.connect(snapshot(static("b")))
    for name in "bc":
        proxy.update(snapshot(static(name), *there))
        settle(proxy)
    while proxy.stream.wakes_at is not None:
        proxy.now = proxy.stream.wakes_at
        proxy.pump()
        settle(proxy)
    assert clusters(proxy) == {"a", "c"}
