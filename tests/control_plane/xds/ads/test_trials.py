"""Of a resource that a proxy refuses, the part is found that is at fault; that one waits, and the rest is told."""

from math import log2

import pytest
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.extensions.filters.network.tcp_proxy.v3.tcp_proxy_pb2 import TcpProxy
from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.xds.ads.splice import parts
from control_plane.xds.ads.staging import Timing
from control_plane.xds.snapshot import Kind, Resource
from tests.control_plane.xds.ads.proxy import DeltaProxy, SotwProxy
from tests.control_plane.xds.ads.resources import cluster, endpoints, http_listener, snapshot

FORMS = pytest.mark.parametrize("form", [SotwProxy, DeltaProxy])
BAD = "bad"


def routes(**editions: str) -> Resource:
    """A route configuration: of each host, what its edition is."""
    message = RouteConfiguration(name="routes")
    for name, edition in editions.items():
        host = message.virtual_hosts.add(name=name, domains=[name])
        host.routes.add(match={"prefix": f"/{edition}"}, route={"cluster": "c"})
    return Resource.of(Kind.ROUTE, "routes", message)


def with_routes(**editions: str):
    """A snapshot with these routes."""
    return snapshot(cluster("c"), endpoints("c"), http_listener("out", "routes"), routes(**editions))


def told(resource: Resource) -> dict[str, str]:
    """The inverse of `routes`."""
    hosts = RouteConfiguration.FromString(resource.body).virtual_hosts
    return {host.name: host.routes[0].match.prefix.removeprefix("/") for host in hosts}


def answer_all(proxy, bad: bytes = b"/bad") -> int:
    """Answer as a proxy that refuses whatever holds this; how often it refused."""
    refusals = 0
    while proxy.waiting or proxy.stream.wakes_at is not None:
        if not proxy.waiting:
            proxy.now = proxy.stream.wakes_at
            proxy.pump()
            continue
        refuse = bad in proxy.waiting[0][1].SerializeToString()
        refusals += refuse
        proxy.take(refuse=f"{bad!r} cannot be" if refuse else False)
    return refusals


@FORMS
def test_one_service_that_is_refused_keeps_no_other_of_its_port_from_its_change(form):
    """It goes on as it was; once it is repaired, it is told too."""
    names = [f"s{number}" for number in range(8)]
    proxy = form(Timing())
    proxy.connect(with_routes(**dict.fromkeys(names, "old")))
    answer_all(proxy)
    proxy.update(with_routes(**{**dict.fromkeys(names, "new"), "s3": BAD}))
    answer_all(proxy)
    assert told(proxy.held[Kind.ROUTE]["routes"]) == {**dict.fromkeys(names, "new"), "s3": "old"}
    assert proxy.stream.at_rest
    assert not proxy.stream.settled
    assert proxy.stream.quarantined(Kind.ROUTE) == ("routes (s3)",)
    assert proxy.stream.held_parts == {(Kind.ROUTE, "routes", "s3"): "b'/bad' cannot be"}
    proxy.update(with_routes(**{**dict.fromkeys(names, "newer"), "s3": BAD}))
    assert answer_all(proxy) == 0, "what was refused does not come again"
    proxy.update(with_routes(**dict.fromkeys(names, "newer")))
    answer_all(proxy)
    assert told(proxy.held[Kind.ROUTE]["routes"]) == dict.fromkeys(names, "newer")
    assert proxy.stream.settled
    assert proxy.stream.quarantined(Kind.ROUTE) == ()


@FORMS
@given(
    before=st.dictionaries(st.sampled_from("abcdefghij"), st.just("old")),
    after=st.dictionaries(st.sampled_from("abcdefghij"), st.sampled_from(["old", "new", "new", BAD])),
)
@settings(deadline=None, max_examples=60)
def test_whatever_is_refused_the_rest_is_told_soon(form, before, after):
    """All that is good is as asked, all that is bad as before, and to find out takes few refusals."""
    proxy = form(Timing())
    proxy.connect(with_routes(**before))
    answer_all(proxy)
    proxy.update(with_routes(**after))
    refusals = answer_all(proxy)
    bad = [name for name, edition in after.items() if edition == BAD]
    wanted = {name: edition for name, edition in after.items() if edition != BAD}
    if len(after) > 1:
        expected = wanted | {name: before[name] for name in bad if name in before}
        assert told(proxy.held[Kind.ROUTE]["routes"]) == expected
    assert refusals <= len(bad) * 2 * (1 + log2(max(2, len(after))))
    assert proxy.stream.at_rest
    assert proxy.stream.settled == (not bad)


@FORMS
def test_a_host_that_is_not_told_yields_its_domains_to_those_that_are(form):
    """No two hosts may have the same."""

    def hosts(**domains: list[str]):
        message = RouteConfiguration(name="routes")
        for name, found in domains.items():
            host = message.virtual_hosts.add(name=name, domains=found)
            host.routes.add(match={"prefix": "/bad" if "!" in found else "/"}, route={"cluster": "c"})
        made = Resource.of(Kind.ROUTE, "routes", message)
        return snapshot(cluster("c"), endpoints("c"), http_listener("out", "routes"), made)

    proxy = form(Timing())
    proxy.connect(hosts(a=["one", "two"], b=["three"]))
    answer_all(proxy)
    proxy.update(hosts(a=["!"], b=["two", "three"]))
    answer_all(proxy)
    found = RouteConfiguration.FromString(proxy.held[Kind.ROUTE]["routes"].body).virtual_hosts
    assert {host.name: list(host.domains) for host in found} == {"a": ["one"], "b": ["two", "three"]}


def tcp(**clusters: str) -> Resource:
    """A listener with a chain for each port, as `p8001="db"`; what a chain is bad for is in its name."""
    message = Listener(name="out")
    for port, name in clusters.items():
        chain = message.filter_chains.add()
        chain.filter_chain_match.destination_port.value = int(port[1:])
        chain.filters.add(name="tcp").typed_config.Pack(
            TcpProxy(stat_prefix="/bad" if name == BAD else "", cluster="c")
        )
        if name not in ("c", BAD):
            chain.filters[0].typed_config.Pack(TcpProxy(stat_prefix="", cluster=name))
    return Resource.of(Kind.LISTENER, "out", message)


def chains(proxy) -> list[str]:
    """The names of the chains that the proxy has."""
    return list(parts(proxy.held[Kind.LISTENER].get("out")))


@FORMS
def test_of_a_listener_only_the_port_waits_that_is_refused(form):
    """Of chains as of hosts."""
    proxy = form(Timing())
    proxy.connect(snapshot(cluster("c"), endpoints("c"), tcp(p1="c")))
    answer_all(proxy)
    proxy.update(snapshot(cluster("c"), endpoints("c"), tcp(p1="c", p2="bad", p3="c")))
    answer_all(proxy)
    assert chains(proxy) == ["port 1", "port 3"]
    assert proxy.stream.quarantined(Kind.LISTENER) == ("out (port 2)",)
    assert proxy.stream.at_rest


@FORMS
def test_of_a_listener_only_the_port_waits_whose_cluster_is_refused(form):
    """A new TCP service behind a cluster that cannot be keeps no other from coming."""
    proxy = form(Timing())
    proxy.connect(snapshot(cluster("c"), endpoints("c"), tcp(p1="c")))
    answer_all(proxy)
    bad = cluster("db", 7)
    proxy.update(snapshot(cluster("c"), endpoints("c"), bad, endpoints("db"), tcp(p1="c", p2="db", p3="c")))
    answer_all(proxy, bad.body)
    assert chains(proxy) == ["port 1", "port 3"]
    assert proxy.stream.held_parts == {(Kind.LISTENER, "out", "port 2"): ""}
    assert proxy.stream.at_rest


@FORMS
def test_of_a_proxy_whose_routes_are_not_known_none_are_taken_away_to_find_out(form):
    """After a restart of ours: its services go on as they were, the good ones too, until the bad one is repaired."""
    proxy = form(Timing())
    proxy.connect(with_routes(a="old", b="old", c="old"))
    answer_all(proxy)
    proxy.connect(with_routes(a="new", b=BAD, c="new"))
    answer_all(proxy)
    assert told(proxy.held[Kind.ROUTE]["routes"]) == {"a": "old", "b": "old", "c": "old"}
    assert proxy.stream.at_rest
    proxy.update(with_routes(a="new", b="new", c="new"))
    answer_all(proxy)
    assert proxy.stream.settled
