"""Clients that mean ill or are broken: each is refused in words and counted, and the others notice nothing."""

from collections.abc import Mapping
from typing import Any

import grpc
import pytest
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.service.discovery.v3 import ads_pb2_grpc
from envoy.service.discovery.v3.discovery_pb2 import DiscoveryRequest, DiscoveryResponse
from prometheus_client import CollectorRegistry

from control_plane.xds.ads.server import MAX_NAMES, MAX_REQUEST_BYTES, SERVICE, AdsConfig, AdsServer
from control_plane.xds.ads.source import Snapshots, Watch
from control_plane.xds.compile import options_of
from control_plane.xds.proxies import ProxyId
from control_plane.xds.snapshot import Kind, Resource
from tests.control_plane.xds.ads.resources import snapshot

WEB, OTHER = ProxyId("shop", "virtualNode", "web"), ProxyId("shop", "virtualNode", "other")
METHOD = f"/{SERVICE}/StreamAggregatedResources"


def cluster(name: str, size: int = 0) -> Resource:
    """A cluster of about so many bytes."""
    return Resource.of(Kind.CLUSTER, name, Cluster(name=name, alt_stat_name="x" * size))


def connected(port: int) -> grpc.aio.Channel:
    """A connection that nobody else uses, for requests of any size."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]
    return grpc.aio.insecure_channel(f"127.0.0.1:{port}", options)


class Choosy(Snapshots):
    """A source that looks at metadata, as the feed does."""

    def watch(self, proxy: ProxyId, metadata: Mapping[str, Any], claimed: str = "") -> Watch:
        """Refuse what the compiler could not follow."""
        options_of(metadata)
        return super().watch(proxy, metadata, claimed)


class Site:
    """A server, and one proxy that behaves."""

    def __init__(self, source: Snapshots, server: AdsServer, registry: CollectorRegistry, port: int) -> None:
        self.source = source
        self.server = server
        self.port = port
        self._registry = registry
        self._channel = connected(port)
        self._call = ads_pb2_grpc.AggregatedDiscoveryServiceStub(self._channel).StreamAggregatedResources()
        self._told = 0

    async def follows(self) -> None:
        """See that the one that behaves is told of a change."""
        self._told += 1
        self.source.set(WEB, snapshot(cluster("followed", size=self._told)))
        if self._told == 1:
            await self._call.write(DiscoveryRequest(node={"id": str(WEB)}, type_url=Kind.CLUSTER))
        response = await self._call.read()
        [told] = response.resources
        assert len(Cluster.FromString(told.value).alt_stat_name) == self._told
        await self._call.write(
            DiscoveryRequest(type_url=Kind.CLUSTER, version_info=response.version_info, response_nonce=response.nonce)
        )

    def refused(self, code: str) -> float:
        """How many streams were refused for this."""
        return self._registry.get_sample_value("appmesh_xds_streams_refused_total", {"code": code}) or 0.0

    async def close(self) -> None:
        """End all."""
        self._call.cancel()
        await self._channel.close()
        await self.server.stop(0)


@pytest.fixture
async def site():
    """Served, with a proxy that was told once."""
    source, registry = Choosy(), CollectorRegistry()
    server = AdsServer(AdsConfig("127.0.0.1:0"), source, registry)
    made = Site(source, server, registry, await server.start())
    await made.follows()
    yield made
    await made.close()


async def outcome(site: Site, *requests: bytes) -> tuple[grpc.StatusCode, str]:
    """How a stream ends on which these bytes are sent."""
    async with connected(site.port) as channel:
        call: Any = channel.stream_stream(METHOD)()
        try:
            for request in requests:
                await call.write(request)
            while await call.read() is not grpc.aio.EOF:
                pass
        except grpc.aio.AioRpcError:
            pass
        return await call.code(), await call.details()


def first(**more: object) -> bytes:
    """The first request of another proxy."""
    made: bytes = DiscoveryRequest(node={"id": str(OTHER)}, type_url=Kind.CLUSTER, **more).SerializeToString()
    return made


async def test_too_many_names_at_once(site: Site):
    """Each would be kept for as long as the stream lasts."""
    names = [str(number) for number in range(MAX_NAMES + 1)]
    many = DiscoveryRequest(type_url=Kind.ENDPOINT, resource_names=names).SerializeToString()
    code, message = await outcome(site, first(), many)
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert message == f"more than {MAX_NAMES} names"
    assert site.refused("RESOURCE_EXHAUSTED") == 1
    await site.follows()


async def test_too_many_names_in_the_first_request(site: Site):
    """Which is read before it is known whose stream it is."""
    code, _ = await outcome(site, first(resource_names=[str(number) for number in range(MAX_NAMES + 1)]))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    await site.follows()


async def test_a_request_of_many_megabytes(site: Site):
    """It is not even read."""
    code, message = await outcome(site, first(version_info="x" * MAX_REQUEST_BYTES))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert str(MAX_REQUEST_BYTES) in message
    await site.follows()


async def test_bytes_that_are_no_request(site: Site):
    """Not of this protocol, or cut off."""
    code, _ = await outcome(site, b"\xff\xff\xff GET / HTTP/1.1")
    assert code not in (grpc.StatusCode.OK, grpc.StatusCode.CANCELLED)
    await site.follows()


@pytest.mark.parametrize("metadata", [{"meshwright": "yes"}, {"meshwright": {"egressPort": 99999}}])
async def test_metadata_that_asks_for_what_cannot_be(site: Site, metadata: dict[str, object]):
    """Named by its field; the same client may come again with better ones."""
    request = DiscoveryRequest(node={"id": str(OTHER)}, type_url=Kind.CLUSTER)
    request.node.metadata.update(metadata)
    code, message = await outcome(site, request.SerializeToString())
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert message.startswith("node metadata: meshwright")
    assert site.refused("INVALID_ARGUMENT") == 1
    await site.follows()


async def test_a_type_that_is_not_served_and_an_answer_to_nothing(site: Site):
    """The protocol says: no answer. What is asked for properly on the same stream is answered."""
    site.source.set(OTHER, snapshot(cluster("mine")))
    async with connected(site.port) as channel:
        call = ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel).StreamAggregatedResources()
        await call.write(DiscoveryRequest(node={"id": str(OTHER)}, type_url="type.googleapis.com/no.such.Type"))
        stale = DiscoveryRequest(
            type_url=Kind.ROUTE, resource_names=["r"], response_nonce="never sent", version_info="7"
        )
        await call.write(stale)
        await call.write(DiscoveryRequest(type_url=Kind.CLUSTER))
        response = await call.read()
        assert response.type_url == Kind.CLUSTER
        assert [Cluster.FromString(each.value).name for each in response.resources] == ["mine"]
        call.cancel()
    await site.follows()


async def test_a_client_that_never_reads(site: Site):
    """What is for it waits in no queue of ours but the newest, and nobody waits for it."""
    async with connected(site.port) as channel:
        call: Any = channel.stream_stream(METHOD, response_deserializer=DiscoveryResponse.FromString)()
        await call.write(first())
        for number in range(20):
            site.source.set(OTHER, snapshot(cluster(f"big-{number}", size=1_000_000)))
            await site.follows()
        call.cancel()
    await site.follows()
