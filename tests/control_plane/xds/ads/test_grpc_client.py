"""gRPC's own xDS client, an independent reader of the protocol, asks for listeners by name, and finds its way."""

import asyncio
import json
import os
import sys
from typing import Any

import grpc
import pytest
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.extensions.filters.http.router.v3.router_pb2 import Router
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)
from prometheus_client import CollectorRegistry

from control_plane.xds.ads.server import AdsConfig, AdsServer
from control_plane.xds.ads.source import Snapshots
from control_plane.xds.ads.staging import Timing
from control_plane.xds.proxies import ProxyId
from control_plane.xds.snapshot import Kind, Resource
from tests.control_plane.xds.ads.resources import cluster, snapshot

WEB = ProxyId("shop", "virtualNode", "web")
NAME = "colour.shop"
CALLS = 200


def listener():
    """What gRPC reads of a listener: where the routes are."""
    manager = HttpConnectionManager(rds={"route_config_name": "routes", "config_source": {"ads": {}}})
    manager.http_filters.add(name="router").typed_config.Pack(Router())
    message = Listener(name=NAME)
    message.api_listener.api_listener.Pack(manager)
    return Resource.of(Kind.LISTENER, NAME, message)


def routes(**weights):
    """All calls to these clusters, by weight."""
    message = RouteConfiguration(name="routes")
    route = message.virtual_hosts.add(name="all", domains=["*"]).routes.add(match={"prefix": ""})
    for name, weight in weights.items():
        route.route.weighted_clusters.clusters.add(name=name).weight.value = weight
    return Resource.of(Kind.ROUTE, "routes", message)


def at(name, port):
    """One address; gRPC wants a locality with a weight."""
    message = ClusterLoadAssignment(cluster_name=name)
    locality = message.endpoints.add(locality={"region": "here"})
    locality.load_balancing_weight.value = 1
    address = locality.lb_endpoints.add().endpoint.address.socket_address
    address.address, address.port_value = "127.0.0.1", port
    return Resource.of(Kind.ENDPOINT, name, message)


async def colour(name):
    """A service that says its name; returns its server and port."""

    async def say(_request, _context):
        return name.encode()

    server = grpc.aio.server()
    handlers: dict[str, Any] = {"Say": grpc.unary_unary_rpc_method_handler(say)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Colour", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, port


@pytest.fixture
async def colours():
    """Two services, by name."""
    found = {name: await colour(name) for name in ("red", "blue")}
    yield {name: port for name, (_, port) in found.items()}
    for server, _ in found.values():
        await server.stop(0)


async def test_grpc_follows_a_swap_without_a_failed_call(colours, tmp_path):
    """Weights are kept; a new cluster is there before a route names it; no call fails on the way."""
    source = Snapshots()
    server = AdsServer(AdsConfig("127.0.0.1:0", timing=Timing(drain=0.1)), source, CollectorRegistry())
    port = await server.start()
    bootstrap = tmp_path / "bootstrap.json"
    authority = {"server_uri": f"127.0.0.1:{port}", "channel_creds": [{"type": "insecure"}]}
    bootstrap.write_text(json.dumps({"xds_servers": [authority], "node": {"id": str(WEB)}}))
    source.set(WEB, snapshot(listener(), routes(red=100), cluster("red"), at("red", colours["red"])))
    client = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.control_plane.xds.ads.grpc_client", NAME, str(CALLS)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "GRPC_XDS_BOOTSTRAP": str(bootstrap)},
    )
    assert client.stdin is not None
    assert client.stdout is not None
    try:
        assert json.loads(await asyncio.wait_for(client.stdout.readline(), 60)) == {"red": CALLS}
        source.set(WEB, snapshot(listener(), routes(blue=100), cluster("blue"), at("blue", colours["blue"])))
        answers: dict[str, int] = {}
        for _ in range(100):
            client.stdin.write(b"more\n")
            answers = json.loads(await asyncio.wait_for(client.stdout.readline(), 60))
            if answers == {"blue": CALLS}:
                break
        assert answers == {"blue": CALLS}
        [connection] = server.connections.list()
        assert not any(each.refusal for each in connection.kinds.values())
    finally:
        client.stdin.close()
        await asyncio.wait_for(client.wait(), 60)
        await server.stop(0)
