"""How proxies stand, for those who ask."""

from dataclasses import replace
from datetime import UTC, datetime

from control_plane.store.records import ObjectKey
from control_plane.xds.ads.connections import Connection, Refusal, with_kind
from control_plane.xds.proxies import ProxyId
from control_plane.xds.snapshot import Kind, Problem
from control_plane.xds.status import document, path, state

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
ROUTE = ObjectKey("route", "m", "r", "by-path")
CONNECTION = Connection(
    "1", ProxyId("m", "virtualNode", "front"), "front", "ipv4:127.0.0.1:1", "sotw", AT, revision=7, synced=7
)
REFUSAL = Refusal("bad regex", "v2", AT, ("rds_egress_http_80",), frozenset({ROUTE}))


def test_a_connection_has_one_word_for_how_it_stands():
    """The worst first."""
    assert state(CONNECTION) == "synced"
    assert state(replace(CONNECTION, synced=6)) == "pending"
    assert state(with_kind(CONNECTION, Kind.ROUTE, refusal=REFUSAL)) == "refused"
    assert state(with_kind(CONNECTION, Kind.ROUTE, quarantined=("rds_egress_http_80",))) == "refused"
    assert state(replace(CONNECTION, known=False)) == "unknown"


def test_a_refusal_names_the_objects_that_it_is_about():
    """As ARNs name them; with Envoy's own words."""
    shown = document([with_kind(CONNECTION, Kind.ROUTE, refusal=REFUSAL)], lambda _proxy: ())["proxies"][0]
    assert shown["proxy"] == "mesh/m/virtualNode/front"
    assert shown["acceptedRevision"] == 7
    refusal = shown["resources"]["RouteConfiguration"]["refusal"]
    assert refusal["objects"] == ["mesh/m/virtualRouter/r/route/by-path"]
    assert refusal["message"] == "bad regex"
    assert "refusal" not in shown["resources"]["Cluster"]


def test_what_cannot_be_told_is_shown_with_the_proxy():
    """Object, field and reason."""
    problem = Problem(ROUTE, "spec.httpRoute.match", "is not possible")
    shown = document([CONNECTION], lambda _proxy: [problem])["proxies"][0]["problems"]
    assert shown == [
        {"object": path(ROUTE), "field": "spec.httpRoute.match", "message": "is not possible"},
    ]


def test_paths_are_those_of_arns():
    """For each form of key."""
    assert path(ObjectKey("mesh", "", "", "m")) == "mesh/m"
    assert path(ObjectKey("virtualNode", "m", "", "n")) == "mesh/m/virtualNode/n"
    assert path(ObjectKey("gatewayRoute", "m", "g", "r")) == "mesh/m/virtualGateway/g/gatewayRoute/r"
