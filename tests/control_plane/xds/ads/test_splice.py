"""A service whose cluster is refused waits; the other services of its port do not."""

import pytest
from envoy.config.route.v3.route_pb2 import RouteConfiguration

from control_plane.xds.ads.references import references
from control_plane.xds.ads.splice import without
from control_plane.xds.ads.staging import Timing
from control_plane.xds.snapshot import Kind, Resource
from tests.control_plane.xds.ads.proxy import DeltaProxy, SotwProxy
from tests.control_plane.xds.ads.resources import cluster, endpoints, http_listener, snapshot
from tests.control_plane.xds.ads.test_blame import settle


def routes(**hosts: str) -> Resource:
    """A route configuration: each host with its cluster, and with the domain `<host>.<cluster>`."""
    message = RouteConfiguration(name="routes")
    for name, target in hosts.items():
        host = message.virtual_hosts.add(name=name, domains=[f"{name}.{target}"])
        host.routes.add(match={"prefix": "/"}, route={"cluster": target})
    return Resource.of(Kind.ROUTE, "routes", message)


def told(resource: Resource | None) -> dict[str, tuple[str, str]]:
    """Of each host, the domain and the cluster."""
    assert resource is not None
    hosts = RouteConfiguration.FromString(resource.body).virtual_hosts
    return {host.name: (host.domains[0], host.routes[0].route.cluster) for host in hosts}


def test_a_host_that_cannot_be_told_goes_on_as_it_was():
    """By its new domains, as those of the others are new too."""
    spliced = without(routes(a="a2", b="b2"), routes(a="a1", b="b1"), {"b2"})
    assert told(spliced.resource) == {"a": ("a.a2", "a2"), "b": ("b.b2", "b1")}
    assert spliced.held == {"b"}
    assert spliced.resource is not None
    assert references(spliced.resource).clusters == {"a2", "b1"}


@pytest.mark.parametrize("base", [None, routes(a="a1"), routes(a="a1", b="b2")])
def test_a_host_that_never_was_is_left_out(base):
    """Also if what it was cannot be told either."""
    assert told(without(routes(a="a2", b="b2"), base, {"b2"}).resource) == {"a": ("a.a2", "a2")}


def test_telling_it_again_changes_nothing():
    """What is offered does not depend on how often it was looked at."""
    target = routes(a="a2", b="b2")
    once = without(target, routes(a="a1", b="b1"), {"b2"})
    assert without(target, once.resource, {"b2"}) == once


@pytest.mark.parametrize("form", [SotwProxy, DeltaProxy])
def test_of_a_port_only_the_service_waits_whose_cluster_is_refused(form):
    """It is reached as before, and its old cluster stays for that; once the new one is repaired, it is told all."""
    proxy = form(Timing())
    here = http_listener("in", "routes")
    first = [cluster("a1"), endpoints("a1"), cluster("b1"), endpoints("b1")]
    proxy.connect(snapshot(here, *first, routes(a="a1", b="b1")))
    settle(proxy)
    named = [here, cluster("a2"), endpoints("a2"), endpoints("b2"), routes(a="a2", b="b2")]
    proxy.update(snapshot(*named, cluster("b2", 0)))
    while proxy.waiting or proxy.stream.wakes_at is not None:
        if not proxy.waiting:
            proxy.now = proxy.stream.wakes_at
            proxy.pump()
        else:
            kind, response = proxy.waiting[0]
            proxy.take(refuse=kind is Kind.CLUSTER and cluster("b2", 0).body in response.SerializeToString())
    held = proxy.stream.subscriptions[Kind.ROUTE].held["routes"]
    assert told(held) == {"a": ("a.a2", "a2"), "b": ("b.b2", "b1")}
    assert proxy.stream.held_parts == {(Kind.ROUTE, "routes", "b"): ""}
    assert proxy.stream.at_rest
    assert proxy.stream.subscriptions[Kind.CLUSTER].held.keys() == {"a2", "b1"}
    proxy.update(snapshot(*named, cluster("b2")))
    settle(proxy)
    assert told(proxy.stream.subscriptions[Kind.ROUTE].held["routes"]) == {"a": ("a.a2", "a2"), "b": ("b.b2", "b2")}
    assert proxy.stream.settled
    assert proxy.stream.subscriptions[Kind.CLUSTER].held.keys() == {"a2", "b2"}
