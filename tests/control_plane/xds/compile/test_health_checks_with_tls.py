"""Health checks of a listener with TLS: each speaks the protocol that it is of, whatever calls speak."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from control_plane.xds.snapshot import Kind
from control_plane.xds.state import MeshState
from tests.control_plane import specs
from tests.control_plane.xds.compile.meshes import one_target, snapshot_of, told
from tests.control_plane.xds.compile.running import running
from tests.control_plane.xds.compile.static import bootstrap
from tests.waiting import until

FILE = {"file": {"certificateChain": "/tls/chain.pem", "privateKey": "/tls/key.pem"}}
PREFACE = b"PRI * HTTP/2.0"


def checked(port: int, protocol: str, check: str, mode: str = "STRICT") -> MeshState:
    """`front` calls a node with TLS that has a health check."""
    listener = specs.listener(
        port,
        protocol,
        healthCheck=specs.health_check(protocol=check, port=port),
        tls={"mode": mode, "certificate": FILE},
    )
    return one_target(specs.node(listener, serviceDiscovery={"dns": {"hostname": "127.0.0.1"}}))


def told_of(state: MeshState) -> dict[str, Any]:
    """The health check that `front` does."""
    snapshot = snapshot_of(state)
    [name] = [name for name in snapshot.named(Kind.CLUSTER) if "_target_" in name]
    check: dict[str, Any]
    [check] = told(snapshot, Kind.CLUSTER, name)["health_checks"]
    return check


@contextmanager
def listening(certificate: dict[str, str]) -> Iterator[tuple[int, list[tuple[str | None, bytes]]]]:
    """A port with TLS, and what each connection agreed on and began with."""
    heard: list[tuple[str | None, bytes]] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate["certificate_chain"], certificate["private_key"])
    context.set_alpn_protocols(["h2"])  # as the proxy in front of what speaks HTTP/2
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    plain, _ = server.accept()
                except OSError:
                    return
                with plain, context.wrap_socket(plain, server_side=True) as connection:
                    heard.append((connection.selected_alpn_protocol(), connection.recv(100)))

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1], heard
        server.shutdown(socket.SHUT_RDWR)


def test_only_who_would_agree_on_something_else_is_told():
    """A check by HTTP/1 of what speaks HTTP/2, with TLS."""
    for protocol, check in [("http", "http"), ("http2", "http2"), ("grpc", "grpc"), ("http2", "tcp")]:
        assert "tls_options" not in told_of(checked(8443, protocol, check))
    assert told_of(checked(8443, "grpc", "http"))["tls_options"] == {"alpn_protocols": ["http/1.1"]}
    assert "tls_options" not in told_of(checked(8443, "grpc", "http", mode="DISABLED"))


@pytest.mark.e2e
@pytest.mark.parametrize("protocol", ["http", "http2", "grpc"])
@pytest.mark.parametrize("check", ["http", "http2"])
def test_who_is_asked_is_told_what_is_spoken(envoy, certificate, tmp_path, protocol, check):
    """Of who hears that HTTP/2 follows, and is sent HTTP/1, the proxy would end the connection."""
    with listening(certificate) as (port, heard):
        config = bootstrap([snapshot_of(checked(port, protocol, check))], certificate)
        with running(envoy, config, tmp_path):
            until(lambda: heard, what="a health check")
    agreed, first = heard[0]
    assert first.startswith(PREFACE if check == "http2" else b"GET /ping HTTP/1.1")
    assert agreed in ((None,) if check == "http" else (None, "h2"))
