"""Only who may be a proxy is told what that proxy is told; files are read again when they change."""

import os
from contextlib import asynccontextmanager

import grpc
import pytest
from envoy.service.discovery.v3 import ads_pb2_grpc
from envoy.service.discovery.v3.discovery_pb2 import DiscoveryRequest
from prometheus_client import CollectorRegistry, generate_latest
from structlog.testing import capture_logs

from control_plane.xds.ads.security import Guard, Security
from control_plane.xds.ads.server import AdsConfig, AdsServer
from control_plane.xds.ads.source import Snapshots
from control_plane.xds.proxies import ProxyId
from control_plane.xds.snapshot import Kind
from tests.control_plane.xds.ads.certificates import Authority
from tests.control_plane.xds.ads.resources import cluster, snapshot

WEB = ProxyId("shop", "virtualNode", "web")
LOCALHOST = "localhost"


class Site:
    """A server with TLS, and the authority behind it."""

    def __init__(self, directory):
        self.directory = directory
        self.authority = Authority()
        self.renew()
        (directory / "ca.pem").write_bytes(self.authority.pem)
        self.registry = CollectorRegistry()

    def renew(self, authority=None):
        """Write a new certificate for the server."""
        (authority or self.authority).write(self.directory, server=LOCALHOST)

    def security(self, *, client_ca=False, tokens=False):
        """What the server is to ask for."""
        at = self.directory
        return Security(
            at / "server.pem",
            at / "server.key",
            at / "ca.pem" if client_ca else None,
            at / "tokens" if tokens else None,
        )

    @asynccontextmanager
    async def serving(self, security):
        """Serve one proxy."""
        source = Snapshots()
        source.set(WEB, snapshot(cluster("a")))
        server = AdsServer(AdsConfig("localhost:0", security=security), source, self.registry)
        self.port = await server.start()
        yield server
        await server.stop(0)

    async def first_answer(self, node_id=str(WEB), *, identity=(None, None), token=None, trusted=None):
        """What a client gets first."""
        key, certificate = identity
        credentials = grpc.ssl_channel_credentials(trusted or self.authority.pem, key, certificate)
        metadata = [("authorization", f"Bearer {token}")] if token else None
        async with grpc.aio.secure_channel(f"localhost:{self.port}", credentials) as channel:
            stub = ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel)
            call = stub.StreamAggregatedResources(metadata=metadata)
            await call.write(DiscoveryRequest(node={"id": node_id}, type_url=Kind.CLUSTER))
            return await call.read()


@pytest.fixture
def site(tmp_path):
    """A site of its own for each test."""
    return Site(tmp_path)


async def refusal(answer):
    """The status that a client got instead of an answer."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await answer
    return caught.value.code()


@pytest.mark.parametrize("name", ["spiffe://any.domain/mesh/shop/virtualNode/web", "mesh/shop/virtualNode/web"])
async def test_a_certificate_that_names_the_proxy_lets_it_in(site, name):
    """As a SPIFFE id, or as the node id itself; the node id may come in its long form."""
    async with site.serving(site.security(client_ca=True)):
        arn = f"arn:aws:appmesh:us-west-2:000000000000:{WEB}"
        for node_id in (str(WEB), arn):
            answer = await site.first_answer(node_id, identity=site.authority.issue(name))
            assert len(answer.resources) == 1


async def test_a_certificate_of_another_proxy_does_not(site):
    """With a status, and counted."""
    async with site.serving(site.security(client_ca=True)):
        identity = site.authority.issue("spiffe://any.domain/mesh/shop/virtualNode/other")
        assert await refusal(site.first_answer(identity=identity)) is grpc.StatusCode.PERMISSION_DENIED
    assert b'appmesh_xds_streams_refused_total{code="PERMISSION_DENIED"} 1.0' in generate_latest(site.registry)


async def test_no_certificate_and_one_of_a_stranger_end_at_the_door(site):
    """TLS refuses them."""
    stranger = Authority("stranger").issue(f"spiffe://any.domain/{WEB}")
    async with site.serving(site.security(client_ca=True)):
        for identity in ((None, None), stranger):
            assert await refusal(site.first_answer(identity=identity)) is grpc.StatusCode.UNAVAILABLE


async def test_a_token_lets_in_what_it_is_for(site):
    """Its patterns say what that is; a new file counts at once."""
    tokens = site.directory / "tokens"
    tokens.write_text("# who may be what\nsecret mesh/shop/virtualNode/*\nother mesh/shop/virtualGateway/*\n")
    async with site.serving(site.security(tokens=True)):
        assert len((await site.first_answer(token="secret")).resources) == 1
        assert await refusal(site.first_answer(token="other")) is grpc.StatusCode.PERMISSION_DENIED
        assert await refusal(site.first_answer(token="unknown")) is grpc.StatusCode.UNAUTHENTICATED
        assert await refusal(site.first_answer()) is grpc.StatusCode.UNAUTHENTICATED
        tokens.write_text("renewed mesh/shop/virtualNode/web\n")
        os.utime(tokens, ns=(1, 1))
        assert len((await site.first_answer(token="renewed")).resources) == 1
        assert await refusal(site.first_answer(token="secret")) is grpc.StatusCode.UNAUTHENTICATED


async def test_a_file_of_tokens_that_is_no_text_takes_nothing_away(site):
    """Those known still count, until it can be read again; nothing is started with it."""
    tokens = site.directory / "tokens"
    tokens.write_text("secret mesh/shop/virtualNode/*\n")
    security = site.security(tokens=True)
    async with site.serving(security):
        tokens.write_bytes(b"\xff\xfe")
        with capture_logs() as logs:
            for _ in range(2):
                assert len((await site.first_answer(token="secret")).resources) == 1
        assert [line["error"] for line in logs if "tokens" in line["event"]] == [f"{tokens} is not text in UTF-8"]
        with pytest.raises(OSError, match="not text in UTF-8"):
            Guard(security)
        tokens.write_text("renewed mesh/shop/virtualNode/*\n")
        assert len((await site.first_answer(token="renewed")).resources) == 1


async def test_a_renewed_certificate_is_shown_from_then_on(site):
    """Without a restart; and a file that is gone changes nothing."""
    async with site.serving(site.security()):
        assert len((await site.first_answer()).resources) == 1
        new = Authority("new")
        site.renew(new)
        os.utime(site.directory / "server.pem", ns=(1, 1))
        assert len((await site.first_answer(trusted=new.pem)).resources) == 1
        (site.directory / "server.pem").unlink()
        assert len((await site.first_answer(trusted=new.pem)).resources) == 1


async def test_a_file_that_is_missing_is_named(site):
    """At start, not at the first connection."""
    (site.directory / "server.key").unlink()
    with pytest.raises(OSError, match=r"server\.key"):
        async with site.serving(site.security()):
            pass
