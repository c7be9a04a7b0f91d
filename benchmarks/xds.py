"""How long until every sidecar has a changed route? One change pushed to many connected clients, over loopback.

    python -m benchmarks.xds [--proxies 10 100 1000] [--services 100] [--delta] [--pushes 5]

The ADS server runs in a process of its own and is given finished snapshots, so compiling is not in the numbers: a
snapshot has a cluster with endpoints for each service, one listener, and one route configuration with a host for each
service, in which one route changes. The clients accept whatever they get, and take their share of the machine.
"""

import argparse
import asyncio
import contextlib
import json
import random
import statistics
import subprocess
import sys
import time
from typing import Any

import grpc
import psutil
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)
from envoy.service.discovery.v3 import ads_pb2_grpc
from envoy.service.discovery.v3.discovery_pb2 import DeltaDiscoveryRequest, DiscoveryRequest
from prometheus_client import CollectorRegistry

from control_plane.xds.ads.connections import Connection, Connections
from control_plane.xds.ads.server import AdsConfig, AdsServer
from control_plane.xds.ads.source import Snapshots
from control_plane.xds.proxies import ProxyId
from control_plane.xds.snapshot import Kind, Resource, Snapshot

MIB = 1024 * 1024
HANGS_SECONDS = 1200  # the clients, all on the same machine, take minutes to connect when there are thousands
ROUTES = "rds_egress_http_80"


def proxy(number: int) -> ProxyId:
    """The proxies are named by number."""
    return ProxyId("bench", "virtualNode", f"node-{number}")


def fixed_resources(services: int) -> dict[Kind, dict[str, Resource]]:
    """All but the routes."""
    clusters, endpoints = {}, {}
    for number in range(services):
        name = f"cds_egress_bench_service-{number}_http_8080"
        cluster = Cluster(name=name, type=Cluster.EDS, eds_cluster_config={"eds_config": {"ads": {}}})
        load = ClusterLoadAssignment(cluster_name=name)
        address = load.endpoints.add().lb_endpoints.add().endpoint.address.socket_address
        address.address, address.port_value = "10.0.0.1", 8080
        clusters[name] = Resource.of(Kind.CLUSTER, name, cluster)
        endpoints[name] = Resource.of(Kind.ENDPOINT, name, load)
    manager = HttpConnectionManager(stat_prefix="egress", rds={"route_config_name": ROUTES})
    listener = Listener(name="lds_egress")
    listener.filter_chains.add().filters.add(name="http").typed_config.Pack(manager)
    return {
        Kind.CLUSTER: clusters,
        Kind.ENDPOINT: endpoints,
        Kind.LISTENER: {"lds_egress": Resource.of(Kind.LISTENER, "lds_egress", listener)},
    }


def routes(clusters: list[str], edition: int) -> Resource:
    """A host for each cluster; the first route has another timeout in each edition."""
    message = RouteConfiguration(name=ROUTES)
    for name in clusters:
        host = message.virtual_hosts.add(name=name, domains=[name, f"{name}:80"])
        host.routes.add(match={"prefix": "/"}, route={"cluster": name})
    message.virtual_hosts[0].routes[0].route.timeout.seconds = 1 + edition
    return Resource.of(Kind.ROUTE, ROUTES, message)


class Round:
    """Waits until so many connections have accepted something newer than this revision."""

    def __init__(self, connections: Connections, after: int, proxies: int) -> None:
        self.done = asyncio.Event()
        self.stop = connections.listen(self._changed)
        self._after, self._proxies = after, proxies
        self._accepted: set[str] = set()

    def _changed(self, connection: Connection) -> None:
        if connection.synced > self._after:
            self._accepted.add(connection.id)
            if len(self._accepted) == self._proxies:
                self.done.set()


async def serve(services: int, proxies: int) -> None:
    """The server's process: tells its port, then pushes one change for each line, and tells what that took."""
    source = Snapshots()
    server = AdsServer(AdsConfig("127.0.0.1:0"), source, CollectorRegistry())
    process = psutil.Process()
    fixed = fixed_resources(services)
    empty = process.memory_info().rss
    say({"port": await server.start(), "rss": empty})
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    edition = 0
    while await lines.readline():
        edition += 1
        changed = {ROUTES: routes(list(fixed[Kind.CLUSTER]), edition)}
        snapshots = [Snapshot({**fixed, Kind.ROUTE: changed}) for _ in range(proxies)]
        round_ = Round(server.connections, source.revision, proxies)
        begun, cpu = time.perf_counter(), time.process_time()
        for number, snapshot in enumerate(snapshots):
            source.set(proxy(number), snapshot)
        await asyncio.wait_for(round_.done.wait(), HANGS_SECONDS)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
        say({"seconds": seconds, "cpu": cpu, "rss": process.memory_info().rss})
        round_.stop()
    await server.stop(0)


def say(what: dict[str, Any]) -> None:
    """A line of JSON to the parent."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def follow(number: int, port: int, delta: bool) -> None:
    """One client, which comes back as Envoy does: a server that has a thousand waiting to be let in turns some away."""
    while True:
        with contextlib.suppress(grpc.aio.AioRpcError):
            await converse(number, port, delta)
        await asyncio.sleep(random.uniform(0.5, 2))


async def converse(number: int, port: int, delta: bool) -> None:
    """One stream: accepts whatever it gets, and asks for what that names."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", [("grpc.use_local_subchannel_pool", 1)]) as channel:
        stub = ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel)
        request = DeltaDiscoveryRequest if delta else DiscoveryRequest
        names_field = "resource_names_subscribe" if delta else "resource_names"
        call = stub.DeltaAggregatedResources() if delta else stub.StreamAggregatedResources()
        await call.write(request(node={"id": str(proxy(number))}, type_url=Kind.CLUSTER))
        asked: dict[str, list[str]] = {}
        while (response := await call.read()) is not grpc.aio.EOF:
            kind = response.type_url
            answer = request(type_url=kind, response_nonce=response.nonce)
            if not delta:
                answer.version_info = response.version_info
                answer.resource_names.extend(asked.get(kind, ()))
            await call.write(answer)
            if kind == Kind.CLUSTER and Kind.ENDPOINT not in asked:
                bodies = [each.resource if delta else each for each in response.resources]
                asked[Kind.ENDPOINT] = [Cluster.FromString(each.value).name for each in bodies]
                asked[Kind.ROUTE] = [ROUTES]
                for more in (Kind.ENDPOINT, Kind.LISTENER, Kind.ROUTE):
                    await call.write(request(type_url=more, **{names_field: asked.get(more, [])}))


async def measure(services: int, proxies: int, delta: bool, pushes: int) -> None:
    """Start a server, connect, push, print one line of the table."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.xds",
        "--serve",
        "--services",
        str(services),
        "--proxies",
        str(proxies),
    ]
    server = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdin is not None
    assert server.stdout is not None
    started = json.loads(await server.stdout.readline())
    clients = [asyncio.create_task(follow(each, started["port"], delta)) for each in range(proxies)]
    took = []
    for _ in range(pushes + 1):
        server.stdin.write(b"push\n")
        took.append(json.loads(await server.stdout.readline()))
    first, rest = took[0], took[1:]
    seconds = statistics.median(each["seconds"] for each in rest)
    cpu = statistics.median(each["cpu"] for each in rest)
    each = (took[-1]["rss"] - started["rss"]) / proxies / 1024
    print(
        f"{proxies:8} {services:8} {first['seconds']:9.2f} {seconds:9.3f} {cpu:9.3f}"
        f" {first['cpu'] / proxies * 1000:9.2f} {started['rss'] / MIB:9.0f} {each:9.0f}",
        flush=True,
    )
    for client in clients:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)
    server.stdin.close()
    await asyncio.wait_for(server.wait(), 60)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proxies", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--services", type=int, default=100)
    parser.add_argument("--delta", action="store_true")
    parser.add_argument("--pushes", type=int, default=5)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(given.services, given.proxies[0]))
        return
    print("                     connect  last ACK      CPU   connect    empty      each")
    print(" proxies services          s         s        s    CPU ms      MiB  KiB more")
    for proxies in given.proxies:
        asyncio.run(measure(given.services, proxies, given.delta, given.pushes))


if __name__ == "__main__":
    main()
