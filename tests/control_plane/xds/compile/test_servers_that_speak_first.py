"""Servers that speak first, as those of MySQL and SMTP: no proxy may wait for the client's first word on their way.

App Mesh's own proxies did once (aws-app-mesh-roadmap #62, #468): they looked whether a connection began with TLS.
"""

import socket
import ssl
from typing import Any

import pytest

from control_plane.xds.compile import Options
from control_plane.xds.snapshot import Kind
from control_plane.xds.state import MeshState
from tests.control_plane import specs
from tests.control_plane.xds.compile.meshes import caller, mesh, snapshot_of, told
from tests.control_plane.xds.compile.remote import Line
from tests.control_plane.xds.compile.running import free_ports, running
from tests.control_plane.xds.compile.static import bootstrap

FILE = {"file": {"certificateChain": "/tls/chain.pem", "privateKey": "/tls/key.pem"}}
INSPECTOR = "envoy.filters.listener.tls_inspector"
SECONDS = 5
"""Envoy gives up looking after fifteen."""


def looked_at(listener: dict[str, Any], *ports: int) -> list[int]:
    """At which of these ports the listener looks for TLS, by its filter's condition."""
    found = [each for each in listener.get("listener_filters", ()) if each["name"] == INSPECTOR]
    if not found:
        return []
    anywhere = found[0]["filter_disabled"]["not_match"]
    rules = anywhere["or_match"]["rules"] if "or_match" in anywhere else [anywhere]
    ranges = [rule["destination_port_range"] for rule in rules]
    return [port for port in ports if any(each["start"] <= port < each["end"] for each in ranges)]


def outgoing(database: int, egress: int) -> tuple[MeshState, Options]:
    """`front` calls a database that is asked for at the port of the listener itself."""
    state = mesh(
        spec={"egressFilter": {"type": "ALLOW_ALL"}},
        nodes={
            "front": caller("db.local"),
            "db": specs.node(specs.listener(database, "tcp"), serviceDiscovery={"dns": {"hostname": "127.0.0.1"}}),
        },
        services={"db.local": specs.service(router="db")},
        routers={"db": specs.router(specs.listener(egress, "tcp"))},
        routes={"db/only": specs.route(protocol="tcp", db=1)},
    )
    return state, Options(egress_port=egress)


def incoming(database: int, port: int, secure: int, mode: str = "STRICT") -> tuple[MeshState, Options]:
    """`front` is a database in the clear, and something else with TLS."""
    tls = {"mode": mode, "certificate": FILE}
    listeners = [specs.listener(port, "tcp"), specs.listener(secure, "tcp", tls=tls)]
    return mesh(nodes={"front": specs.node(*listeners)}), Options(application_ports={port: database, secure: database})


def test_what_goes_out_is_looked_at_where_it_matters_alone():
    """Only for AWS's own services, by HTTPS, it matters for which server a connection is."""
    state, options = outgoing(3306, 15001)
    listener = told(snapshot_of(state, options=options), Kind.LISTENER, "lds_egress_0.0.0.0_15001")
    assert looked_at(listener, 25, 80, 442, 443, 444, 3306, 15001, 65535) == [443]


@pytest.mark.parametrize("mode", ["STRICT", "PERMISSIVE"])
def test_what_comes_in_is_looked_at_where_tls_is_taken_alone(mode):
    """A listener without TLS takes whatever comes."""
    state, options = incoming(13306, 3306, 8443, mode)
    listener = told(snapshot_of(state, options=options), Kind.LISTENER, "lds_ingress_0.0.0.0_15000")
    assert looked_at(listener, 3305, 3306, 8442, 8443, 8444) == [8443]


def test_several_ports_with_tls_are_looked_at():
    """Each of them."""
    tls = {"mode": "STRICT", "certificate": FILE}
    listeners = [specs.listener(port, tls=tls) for port in (8443, 9443)] + [specs.listener(65535, tls=tls)]
    listener = told(
        snapshot_of(mesh(nodes={"front": specs.node(*listeners)})), Kind.LISTENER, "lds_ingress_0.0.0.0_15000"
    )
    assert looked_at(listener, 8443, 8444, 9443, 65534, 65535) == [8443, 9443, 65535]


def heard(port: int) -> str:
    """What a server says to somebody who says nothing."""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        return connection.recv(100).decode()


@pytest.mark.e2e
def test_a_database_that_is_called_is_heard(envoy, certificate, tmp_path):
    """Through the listener for captured calls."""
    [egress] = free_ports(1)
    with Line("database").running() as database:
        state, options = outgoing(database.port, egress)
        config = bootstrap([snapshot_of(state, options=options)], certificate, listen=True)
        with running(envoy, config, tmp_path):
            assert heard(egress) == "database"


@pytest.mark.e2e
def test_a_database_beside_something_with_tls_is_heard(envoy, certificate, tmp_path):
    """Through the listener for captured calls from others; and what is with TLS still is."""
    port, secure = free_ports(2)
    with Line("database").running() as database:
        state, options = incoming(database.port, port, secure)
        config = bootstrap([snapshot_of(state, options=options)], certificate, listen=True)
        listener = next(each for each in config["static_resources"]["listeners"] if "ingress" in each["name"])
        # Where nothing is captured, a call is for the port that it comes to: so the listener is at both.
        listener["address"]["socket_address"]["port_value"] = port
        address = {"socket_address": {"address": "0.0.0.0", "port_value": secure}}
        listener["additional_addresses"] = [{"address": address}]
        context = ssl.create_default_context(cafile=certificate["trusted_ca"])
        with running(envoy, config, tmp_path):
            assert heard(port) == "database"
            with (
                socket.create_connection(("127.0.0.1", secure), timeout=SECONDS) as plain,
                context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
            ):
                assert connection.recv(100).decode() == "database"
