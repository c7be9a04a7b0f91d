"""Traces: stock Envoy with an injected proxy's tracer, and listeners as the control plane makes them for it."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from control_plane.xds.compile import Options, options_of
from control_plane.xds.proxies import ProxyId
from deploy.local.toolchain import Toolchain
from injector.configuration import Tracer, Tracing
from injector.proxy_bootstrap import proxy_bootstrap
from tests.control_plane import specs
from tests.control_plane.xds.compile.echo import Echo, ask
from tests.control_plane.xds.compile.meshes import mesh, snapshot_of
from tests.control_plane.xds.compile.running import free_ports, running
from tests.control_plane.xds.compile.static import bootstrap
from tests.injector.cases import CONFIGURATION
from tests.waiting import until


@contextmanager
def over_http(path: str) -> Iterator[tuple[int, Callable[[], bool]]]:
    """A collector of spans: its port, and whether it has got any."""
    with Echo("collector").running() as collector:
        yield collector.port, lambda: collector.asked[path] > 0


@contextmanager
def over_udp() -> Iterator[tuple[int, Callable[[], bool]]]:
    """A daemon that is sent spans: its port, and whether it has got any."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.setblocking(False)

        def got() -> bool:
            try:
                return b"trace_id" in daemon.recv(65536)
            except BlockingIOError:
                return False

        yield daemon.getsockname()[1], got


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("tracer", "collecting"),
    [
        (Tracer.ZIPKIN, lambda: over_http("/api/v2/spans")),
        (Tracer.DATADOG, lambda: over_http("/v0.4/traces")),
        (Tracer.XRAY, over_udp),
    ],
    ids=[tracer.value for tracer in (Tracer.ZIPKIN, Tracer.DATADOG, Tracer.XRAY)],
)
def test_requests_of_a_traced_proxy_are_told_to_the_tracer(tracer, collecting, tmp_path: Path) -> None:
    """From the setting to the span, with all that is between."""
    [egress] = free_ports(1)
    with Echo("app").running() as app, collecting() as (port, got):
        started = proxy_bootstrap(
            ProxyId("shop", "virtualNode", "front"),
            replace(CONFIGURATION, tracing=Tracing(tracer, "127.0.0.1", port)),
        )
        told = options_of(started["node"]["metadata"])
        discovery = {"dns": {"hostname": "127.0.0.1"}}
        state = mesh(
            nodes={
                "front": {"backends": [specs.backend("app.local")]},
                "app": {"listeners": [specs.listener(app.port)], "serviceDiscovery": discovery},
            },
            services={"app.local": specs.service(node="app")},
        )
        options = Options(capture=False, egress_port=egress, tracing=told.tracing)
        config = bootstrap([snapshot_of(state, "front", options)], {}, listen=True)
        ours = [each for each in started["static_resources"]["clusters"] if each["name"] == "meshwright_tracing"]
        config["static_resources"]["clusters"] += ours
        with running(
            Toolchain.from_environment().resolve(["envoy"])["envoy"], config | {"tracing": started["tracing"]}, tmp_path
        ):

            def asked_again() -> bool:
                status, _ = ask(egress, "app.local")
                assert status == 200
                return bool(got())

            until(asked_again, what="a span")


def test_without_a_tracer_nothing_is_traced() -> None:
    """And the control plane is not told otherwise."""
    started = proxy_bootstrap(ProxyId("shop", "virtualNode", "front"), CONFIGURATION)
    assert "tracing" not in started
    assert not options_of(started["node"].get("metadata", {})).tracing
