"""Environment variables to what is captured."""

from ipaddress import ip_network

import pytest

from injector.proxy_init.environment import ALWAYS_IGNORED_NETWORKS, VARIABLES, BadVariable, Capture, capture_of
from injector.variables import VARIABLES as INJECTED

LEAST = {"APPMESH_START_ENABLED": "1", "APPMESH_IGNORE_UID": "1337"}


def test_little_has_to_be_said():
    """The proxy's ports are App Mesh's, SSH and the addresses of credentials are left alone, and IPv6 is."""
    assert capture_of(LEAST) == Capture(15000, 15001, user=1337)


def test_what_the_older_injector_says_is_understood():
    """Its names of the ports, and its lists."""
    environment = LEAST | {
        "APPMESH_IGNORE_GID": "1338",
        "APPMESH_ENVOY_INGRESS_PORT": "16000",
        "APPMESH_ENVOY_EGRESS_PORT": "16001",
        "APPMESH_APP_PORTS": "8080,80, 8080",
        "APPMESH_EGRESS_IGNORED_IP": "169.254.169.254,10.1.2.3/8,fd01::1",
        "APPMESH_EGRESS_IGNORED_PORTS": "3306,22",
        "APPMESH_ENABLE_IPV6": "1",
    }
    networks = {*ALWAYS_IGNORED_NETWORKS, ip_network("10.0.0.0/8"), ip_network("fd01::1/128")}
    capture = capture_of(environment)
    assert capture is not None
    assert set(capture.ignored_networks) == networks
    assert capture == Capture(16000, 16001, 1337, 1338, (80, 8080), (22, 3306), capture.ignored_networks, ipv6=True)


@pytest.mark.parametrize("environment", [{}, {"APPMESH_START_ENABLED": "0", "APPMESH_APP_PORTS": "lots"}])
def test_nothing_is_captured_unless_it_is_asked_for(environment):
    """As in the older image; then nothing else matters."""
    assert capture_of(environment) is None


@pytest.mark.parametrize("ports", ["", "0", " , "])
def test_an_application_without_ports_only_calls(ports):
    """`0` is what older injectors say for none."""
    capture = capture_of(LEAST | {"APPMESH_APP_PORTS": ports})
    assert capture is not None
    assert capture.application_ports == ()


def test_both_names_of_a_port_may_say_the_same():
    """Who sets both is sure to be understood."""
    names = ("APPMESH_PROXY_EGRESS_PORT", "APPMESH_ENVOY_EGRESS_PORT")
    assert capture_of(LEAST | dict.fromkeys(names, "16001")) == Capture(15000, 16001, user=1337)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"APPMESH_START_ENABLED": "yes"}, "APPMESH_START_ENABLED: must be 0 or 1, is 'yes'"),
        ({"APPMESH_IGNORE_UID": ""}, "APPMESH_IGNORE_UID: needed .or APPMESH_IGNORE_GID."),
        ({"APPMESH_IGNORE_UID": "envoy"}, "APPMESH_IGNORE_UID: must be a number up to 4294967294, is 'envoy'"),
        ({"APPMESH_IGNORE_GID": "4294967295"}, "APPMESH_IGNORE_GID: must be a number"),
        ({"APPMESH_APP_PORTS": "80,http"}, "APPMESH_APP_PORTS: must be a port from 1 to 65535, is 'http'"),
        ({"APPMESH_APP_PORTS": "80;443"}, "APPMESH_APP_PORTS: .* is '80;443'"),
        ({"APPMESH_EGRESS_IGNORED_PORTS": "0"}, "APPMESH_EGRESS_IGNORED_PORTS: must be a port"),
        ({"APPMESH_EGRESS_IGNORED_PORTS": "٣"}, "APPMESH_EGRESS_IGNORED_PORTS: must be a port"),
        ({"APPMESH_EGRESS_IGNORED_IP": "10.0.0.0/33"}, "APPMESH_EGRESS_IGNORED_IP: .* has '10.0.0.0/33'"),
        ({"APPMESH_EGRESS_IGNORED_IP": "metadata"}, "APPMESH_EGRESS_IGNORED_IP: .* has 'metadata'"),
        ({"APPMESH_PROXY_INGRESS_PORT": "65536"}, "APPMESH_PROXY_INGRESS_PORT: must be a port"),
        ({"APPMESH_ENVOY_INGRESS_PORT": "x"}, "APPMESH_ENVOY_INGRESS_PORT: must be a port"),
        ({"APPMESH_PROXY_INGRESS_PORT": "15001"}, "APPMESH_PROXY_EGRESS_PORT: 15001 is APPMESH_PROXY_INGRESS_PORT"),
        (
            {"APPMESH_PROXY_EGRESS_PORT": "1", "APPMESH_ENVOY_EGRESS_PORT": "2"},
            "APPMESH_PROXY_EGRESS_PORT: is not what APPMESH_ENVOY_EGRESS_PORT says",
        ),
        ({"APPMESH_ENABLE_IPV6": "true"}, "APPMESH_ENABLE_IPV6: must be 0 or 1, is 'true'"),
    ],
)
def test_a_value_that_cannot_be_is_told_with_its_variable(wrong, message):
    """Under the name that the user gave it."""
    with pytest.raises(BadVariable, match=f"^{message}"):
        capture_of(LEAST | wrong)


def test_every_variable_that_the_injector_sets_is_read():
    """Both sides are ours, and have to agree on the names."""
    read = {name for variable in VARIABLES for name in (variable.name, variable.alias)}
    written = {variable.name for variable in INJECTED if "proxyinit" in variable.container}
    assert "APPMESH_APP_PORTS" in written
    assert written <= read
