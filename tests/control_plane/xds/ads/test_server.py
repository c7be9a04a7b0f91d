"""Over real gRPC: both forms of the protocol, from a connected proxy's first request to its last accepted version."""

import grpc
import pytest
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.service.discovery.v3 import ads_pb2_grpc
from envoy.service.discovery.v3.discovery_pb2 import DeltaDiscoveryRequest, DiscoveryRequest
from prometheus_client import CollectorRegistry

from control_plane.xds.ads.server import AdsConfig, AdsServer
from control_plane.xds.ads.source import Snapshots
from control_plane.xds.proxies import ProxyId
from control_plane.xds.snapshot import Kind
from tests.control_plane.xds.ads.resources import cluster, snapshot

WEB = ProxyId("shop", "virtualNode", "web")


@pytest.fixture
async def served():
    """A source, its server, and a client's view of it."""
    source = Snapshots()
    server = AdsServer(AdsConfig("127.0.0.1:0"), source, CollectorRegistry())
    port = await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield source, server, ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel)
    await server.stop(0)


async def test_a_state_of_the_world_client_is_told_each_change(served):
    """First all clusters, then all again when one has changed."""
    source, server, stub = served
    source.set(WEB, snapshot(cluster("a")))
    call = stub.StreamAggregatedResources()
    await call.write(DiscoveryRequest(node={"id": str(WEB)}, type_url=Kind.CLUSTER))
    first = await call.read()
    assert [Cluster.FromString(each.value).name for each in first.resources] == ["a"]
    await call.write(
        DiscoveryRequest(type_url=Kind.CLUSTER, version_info=first.version_info, response_nonce=first.nonce)
    )
    source.set(WEB, snapshot(cluster("a"), cluster("b")))
    second = await call.read()
    assert [Cluster.FromString(each.value).name for each in second.resources] == ["a", "b"]
    assert second.nonce != first.nonce
    [connection] = server.connections.list()
    assert connection.kinds[Kind.CLUSTER].accepted == first.version_info
    assert connection.kinds[Kind.CLUSTER].sent == second.version_info
    call.cancel()


async def test_a_delta_client_is_told_only_the_change(served):
    """What it has already is not said again."""
    source, _, stub = served
    source.set(WEB, snapshot(cluster("a")))
    call = stub.DeltaAggregatedResources()
    await call.write(DeltaDiscoveryRequest(node={"id": str(WEB)}, type_url=Kind.CLUSTER))
    first = await call.read()
    assert [each.name for each in first.resources] == ["a"]
    await call.write(DeltaDiscoveryRequest(type_url=Kind.CLUSTER, response_nonce=first.nonce))
    source.set(WEB, snapshot(cluster("a"), cluster("b")))
    second = await call.read()
    assert [each.name for each in second.resources] == ["b"]
    call.cancel()


async def test_a_node_id_that_is_none_is_refused(served):
    """With a status that Envoy logs."""
    _, _, stub = served
    call = stub.StreamAggregatedResources()
    await call.write(DiscoveryRequest(node={"id": "envoy-1"}, type_url=Kind.CLUSTER))
    with pytest.raises(grpc.aio.AioRpcError, match="expected mesh/MESH/virtualNode/NODE"):
        await call.read()
    assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT
