"""Options in a proxy's metadata."""

import pytest

from control_plane.xds.compile import Options, options_of


def test_without_metadata_traffic_is_captured():
    """As App Mesh's sidecars."""
    assert options_of({}) == options_of({"meshwright": {}, "other": 1}) == Options()


def test_every_option_can_be_given():
    """Ports may be numbers as a Struct has them."""
    given = {
        "capture": False,
        "egressPort": 15101.0,
        "ingressAddress": "127.0.0.1",
        "ingressPorts": {"8080": 18080},
        "applicationAddress": "127.0.0.2",
        "applicationPorts": {"8080": 3000},
        "tcpPorts": {"db.local:5432": 15432},
        "ipv6": True,
        "tracing": True,
    }
    assert options_of({"meshwright": given}) == Options(
        capture=False,
        egress_port=15101,
        ingress_address="127.0.0.1",
        ingress_ports={8080: 18080},
        application_address="127.0.0.2",
        application_ports={8080: 3000},
        tcp_ports={"db.local:5432": 15432},
        ipv6=True,
        tracing=True,
    )


def test_where_there_is_no_proxy_nothing_is_captured():
    """A gRPC client need not say so, and cannot say otherwise."""
    assert options_of({"meshwright": {"proxyless": True}}) == Options(capture=False, proxyless=True)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"proxyless": True, "capture": True}, "meshwright.capture:"),
        ("yes", "meshwright:"),
        ({"captured": True}, "meshwright.captured:"),
        ({"capture": "no"}, "meshwright.capture:"),
        ({"egressPort": 0}, "meshwright.egressPort:"),
        ({"egressPort": 1.5}, "meshwright.egressPort:"),
        ({"egressPort": True}, "meshwright.egressPort:"),
        ({"egressPort": float("inf")}, "meshwright.egressPort:"),
        ({"egressPort": float("nan")}, "meshwright.egressPort:"),
        ({"egressPort": "many"}, "meshwright.egressPort:"),
        ({"ingressAddress": ""}, "meshwright.ingressAddress:"),
        ({"ingressAddress": "localhost"}, "meshwright.ingressAddress:"),
        ({"applicationAddress": 1}, "meshwright.applicationAddress:"),
        ({"ingressPorts": [1]}, "meshwright.ingressPorts:"),
        ({"ingressPorts": {"http": 1}}, r"meshwright.ingressPorts \(a key\):"),
        ({"applicationPorts": {"8080": 70000}}, "meshwright.applicationPorts.8080:"),
        ({"tcpPorts": {"db.local:5432": None}}, "meshwright.tcpPorts.db.local:5432:"),
    ],
)
def test_what_cannot_be_is_named(given, field):
    """The proxy's owner must find it."""
    with pytest.raises(ValueError, match=f"^{field}"):
        options_of({"meshwright": given})


def test_equal_options_are_one_to_the_compiler():
    """They are part of what it remembers results by."""
    one, other = Options(tcp_ports={"a:1": 1, "b:2": 2}), Options(tcp_ports={"b:2": 2, "a:1": 1})
    assert one == other
    assert hash(one) == hash(other)
