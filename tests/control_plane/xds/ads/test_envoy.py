"""A real Envoy takes what we serve: either form, by either of its gRPC clients; edits are in use at once."""

import asyncio

import pytest
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.extensions.filters.http.router.v3.router_pb2 import Router
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)
from google.protobuf.any_pb2 import Any
from prometheus_client import CollectorRegistry

from control_plane.xds.ads.connections import Connections
from control_plane.xds.ads.server import AdsConfig, AdsServer
from control_plane.xds.ads.source import Snapshots
from control_plane.xds.ads.staging import Timing
from control_plane.xds.proxies import ProxyId
from control_plane.xds.snapshot import Kind, Resource
from tests.control_plane.xds.ads.envoy import bootstrap, running
from tests.control_plane.xds.ads.resources import cluster, endpoints, snapshot
from tests.waiting import until

pytestmark = pytest.mark.e2e

WEB = ProxyId("shop", "virtualNode", "web")


class Served:
    """A running server, with the source that feeds it."""

    def __init__(self) -> None:
        self.source = Snapshots()
        self.port = 0

    async def start(self) -> None:
        """Serve; at the port of before, if there was one."""
        config = AdsConfig(f"127.0.0.1:{self.port}", timing=Timing(drain=0.2))
        self._server = AdsServer(config, self.source, CollectorRegistry())
        self.port = await self._server.start()

    async def stop(self) -> None:
        """End all streams."""
        await self._server.stop(0)

    async def restart(self) -> None:
        """Another server takes its place."""
        await self.stop()
        await self.start()

    @property
    def connections(self) -> Connections:
        """Who is connected."""
        return self._server.connections


@pytest.fixture
async def server():
    """A server on a free port."""
    server = Served()
    await server.start()
    yield server
    await server.stop()


def listening(name="out"):
    """A listener that leads requests by the route configuration `routes`."""
    router = {"name": "envoy.filters.http.router", "typed_config": _packed(Router())}
    manager = HttpConnectionManager(stat_prefix="out", http_filters=[router])
    manager.rds.route_config_name = "routes"
    manager.rds.config_source.ads.SetInParent()
    manager.rds.config_source.resource_api_version = 2
    message = Listener(name=name)
    message.address.socket_address.address, message.address.socket_address.port_value = "127.0.0.1", 0
    message.filter_chains.add().filters.add(name="http").typed_config.CopyFrom(_packed(manager))
    return Resource.of(Kind.LISTENER, name, message)


def _packed(message):
    packed = Any()
    packed.Pack(message)
    return packed


@pytest.fixture(params=["sotw", "delta"])
def delta(request):
    """Which form of the protocol."""
    return request.param == "delta"


@pytest.fixture(params=["envoy_grpc", "google_grpc"])
def google_grpc(request):
    """Which gRPC client of Envoy's."""
    return request.param == "google_grpc"


async def soon(ask, accept, what):
    """Wait in a thread, as the server runs on this loop."""
    return await asyncio.to_thread(until, ask, accept, what)


async def test_a_cluster_edit_is_warm_at_once(server, delta, google_grpc, tmp_path):
    """Envoy does not wait out its 15 s for endpoints that it has already: they are sent again."""
    server.source.set(WEB, snapshot(cluster("a"), endpoints("a")))
    config = bootstrap(str(WEB), server.port, delta=delta, google_grpc=google_grpc)

    def follow():
        with running(tmp_path, config) as envoy:
            until(envoy.clusters, lambda found: found.get("a") == "1s", "the cluster")
            loop.call_soon_threadsafe(server.source.set, WEB, snapshot(cluster("a", 2), endpoints("a")))
            until(envoy.clusters, lambda found: found.get("a") == "2s", "the edited cluster")
            assert envoy.stat("cluster_manager.warming_clusters") == 0
            assert envoy.stat("cluster.a.init_fetch_timeout") == 0

    loop = asyncio.get_running_loop()
    await asyncio.to_thread(follow)
    await soon(lambda: server.connections.list(), lambda all_: not all_, "the end of the stream")


async def test_what_is_no_longer_there_goes(server, delta, tmp_path):
    """After its time to drain."""
    server.source.set(WEB, snapshot(cluster("a"), cluster("b"), endpoints("a"), endpoints("b")))
    loop = asyncio.get_running_loop()

    def follow():
        with running(tmp_path, bootstrap(str(WEB), server.port, delta=delta)) as envoy:
            until(envoy.clusters, lambda found: set(found) == {"a", "b"}, "both")
            loop.call_soon_threadsafe(server.source.set, WEB, snapshot(cluster("b"), endpoints("b")))
            until(envoy.clusters, lambda found: set(found) == {"b"}, "one")

    await asyncio.to_thread(follow)


async def test_one_refused_cluster_keeps_no_other_from_its_change(server, delta, tmp_path):
    """The bad one is found by halves, shown, and left out; the rest is taken."""
    bad = cluster("bad", 0)  # a connect timeout of 0 s is none
    first = [cluster("a"), endpoints("a"), cluster("b"), endpoints("b")]
    server.source.set(WEB, snapshot(*first))
    loop = asyncio.get_running_loop()

    def follow():
        with running(tmp_path, bootstrap(str(WEB), server.port, delta=delta)) as envoy:
            until(envoy.clusters, lambda found: set(found) == {"a", "b"}, "both")
            loop.call_soon_threadsafe(
                server.source.set, WEB, snapshot(bad, cluster("a", 2), endpoints("a"), cluster("b", 2), endpoints("b"))
            )
            until(envoy.clusters, lambda found: found == {"a": "2s", "b": "2s"}, "the two good ones")
            until(
                lambda: [each.kinds[Kind.CLUSTER].quarantined for each in server.connections.list()],
                lambda found: found == [("bad",)],
                "the bad one to be shown",
            )
            [connection] = server.connections.list()
            assert "bad" in connection.kinds[Kind.CLUSTER].refusal.message
            assert connection.pending

    await asyncio.to_thread(follow)


async def test_one_refused_service_keeps_no_other_of_its_port_from_its_change(server, delta, tmp_path):
    """Envoy takes or refuses the routes of a port as one; the service at fault is found, and waits alone."""

    def told(**patterns):
        message = RouteConfiguration(name="routes")
        for name, pattern in patterns.items():
            host = message.virtual_hosts.add(name=name, domains=[name])
            match = {"safe_regex": {"regex": pattern}}
            host.routes.add(match=match, route={"cluster": "a"})
        return snapshot(cluster("a"), endpoints("a"), listening(), Resource.of(Kind.ROUTE, "routes", message))

    server.source.set(WEB, told(one="/old", two="/old", three="/old"))
    loop = asyncio.get_running_loop()

    def follow():
        with running(tmp_path, bootstrap(str(WEB), server.port, delta=delta)) as envoy:
            until(
                envoy.patterns, lambda found: found == dict.fromkeys(["one", "two", "three"], "/old"), "the old routes"
            )
            loop.call_soon_threadsafe(server.source.set, WEB, told(one="/new", two="/(", three="/new"))
            until(
                envoy.patterns,
                lambda found: found == {"one": "/new", "two": "/old", "three": "/new"},
                "the two good ones",
            )
            until(
                lambda: [each.kinds[Kind.ROUTE].quarantined for each in server.connections.list()],
                lambda found: found == [("routes (two)",)],
                "the bad one to be shown",
            )
            [connection] = server.connections.list()
            assert "missing" in connection.faults[Kind.ROUTE, "routes (two)"].message
            loop.call_soon_threadsafe(server.source.set, WEB, told(one="/new", two="/new", three="/new"))
            until(envoy.patterns, lambda found: set(found.values()) == {"/new"}, "the repaired one")

    await asyncio.to_thread(follow)


async def test_a_cluster_that_was_refused_before_a_restart_takes_no_other_away_after_it(server, tmp_path):
    """State of the world: the new server knows neither what Envoy holds nor what it refuses; Envoy says the name."""
    good = [*(each(name) for name in "bcd" for each in (cluster, endpoints)), listening("b")]
    routes = Resource.of(Kind.ROUTE, "routes", RouteConfiguration(name="routes"))
    server.source.set(WEB, snapshot(*good, routes))
    loop = asyncio.get_running_loop()

    def follow():
        with running(tmp_path, bootstrap(str(WEB), server.port)) as envoy:
            until(envoy.clusters, lambda found: set(found) == {"b", "c", "d"}, "the good ones")
            loop.call_soon_threadsafe(server.source.set, WEB, snapshot(*good, routes, cluster("bad", 0)))
            until(
                lambda: [each.kinds[Kind.CLUSTER].quarantined for each in server.connections.list()],
                lambda found: found == [("bad",)],
                "the bad one to be shown",
            )
            asyncio.run_coroutine_threadsafe(server.restart(), loop).result()
            until(
                lambda: [each.kinds[Kind.CLUSTER].quarantined for each in server.connections.list()],
                lambda found: found == [("bad",)],
                "the bad one to be shown again",
            )
            assert envoy.stat("cluster_manager.cluster_removed") == 0

    await asyncio.to_thread(follow)
