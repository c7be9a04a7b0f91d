"""A real Envoy takes what we serve: either form, by either of its gRPC clients; edits are in use at once."""

import asyncio
from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry

from control_plane.xds.ads.connections import Connections
from control_plane.xds.ads.server import AdsConfig, AdsServer
from control_plane.xds.ads.source import Snapshots
from control_plane.xds.ads.staging import Timing
from control_plane.xds.proxies import ProxyId
from control_plane.xds.snapshot import Kind
from tests.control_plane.xds.ads.envoy import bootstrap, running
from tests.control_plane.xds.ads.resources import cluster, endpoints, snapshot
from tests.waiting import until

pytestmark = pytest.mark.e2e

WEB = ProxyId("shop", "virtualNode", "web")


@dataclass
class Served:
    """A running server."""

    source: Snapshots
    connections: Connections
    port: int


@pytest.fixture
async def server():
    """A server on a free port, with the source that feeds it."""
    source = Snapshots()
    server = AdsServer(AdsConfig("127.0.0.1:0", timing=Timing(drain=0.2)), source, CollectorRegistry())
    yield Served(source, server.connections, await server.start())
    await server.stop(0)


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
