"""How fast is the App Mesh API? Creates, describes, updates and deletes against a real process, over loopback.

    python -m benchmarks.control_plane [--requests 5000] [--connections 8] [--database-url URL]

All requests are signed and serialised before the clock starts, and the client only moves bytes, so what is measured is
the server (and the share of the machine that the client takes from it). The node's spec is an ordinary one: a listener
with health check, DNS discovery, ten backends.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

Address = tuple[str, int]

KEY = ("BENCHMARK", "not-a-secret")
REGION = "us-west-2"
SPEC = {
    "listeners": [
        {
            "portMapping": {"port": 8080, "protocol": "http"},
            "healthCheck": {
                "protocol": "http",
                "path": "/ping",
                "healthyThreshold": 2,
                "unhealthyThreshold": 2,
                "timeoutMillis": 2000,
                "intervalMillis": 5000,
            },
        }
    ],
    "serviceDiscovery": {"dns": {"hostname": "node.shop.svc.cluster.local"}},
    "backends": [{"virtualService": {"virtualServiceName": f"service-{n}.shop.svc.cluster.local"}} for n in range(10)],
}


def main() -> None:
    """Run the benchmark and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--database-url", help="instead of a new SQLite file; must be empty")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        url = arguments.database_url or f"sqlite:///{directory}/benchmark.db"
        with served(Path(directory), url) as (address, process):
            asyncio.run(measure(address, psutil.Process(process.pid), arguments.requests, arguments.connections))


@contextmanager
def served(directory: Path, database_url: str) -> Iterator[tuple[Address, "subprocess.Popen[bytes]"]]:
    """The address of a control plane in a process of its own, without quotas that matter, and the process."""
    quotas = directory / "quotas.yaml"
    quotas.write_text("virtual_nodes_per_mesh: 10000000\n")
    address = free_address()
    command = [sys.executable, "-m", "cli.main", "control-plane", "--control-plane-listen", "{}:{}".format(*address)]
    command += ["--database-url", database_url, "--quotas-file", str(quotas), "--log-format", "json"]
    environment = {**os.environ, "MESHWRIGHT_ACCESS_KEYS": ":".join(KEY)}
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stderr=log)
    try:
        wait_for(address, process)
        yield address, process
    finally:
        process.terminate()
        process.wait(30)


@dataclass(frozen=True)
class Measured:
    """What came of a load."""

    per_second: float
    p50: float
    p99: float
    cpu: float
    """Milliseconds of the server's for one request, as the latencies are."""


async def measure(address: Address, server: psutil.Process, requests: int, connections: int) -> None:
    """Print a line for each kind of request."""
    print(f"{connections} connections, {requests} requests; CPU is the server's, for one request")
    print(f"{'':10} {'requests/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'CPU ms':>8}")
    for title, load in loads(address, requests).items():
        found = await measured(address, server, load, connections)
        print(f"{title:10} {found.per_second:10.0f} {found.p50:8.2f} {found.p99:8.2f} {found.cpu:8.2f}")
    print(f"memory of the server: {server.memory_info().rss / 2**20:.0f} MiB")


def loads(address: Address, requests: int) -> dict[str, list[bytes]]:
    """Requests by what they do, signed; to be sent in this order."""
    nodes = "/v20190125/meshes/shop/virtualNodes"
    names = [f"node-{number}" for number in range(requests)]
    body = {"spec": SPEC}
    return {
        "mesh": [signed(address, "PUT", "/v20190125/meshes", {"meshName": "shop"})],
        "create": [
            signed(address, "PUT", nodes, {"virtualNodeName": name, "clientToken": name, **body}) for name in names
        ],
        "describe": [signed(address, "GET", f"{nodes}/{name}") for name in names],
        "list 100": [signed(address, "GET", nodes, query="limit=100") for _ in range(max(1, requests // 20))],
        "update": [signed(address, "PUT", f"{nodes}/{name}", {"clientToken": f"u-{name}", **body}) for name in names],
        "delete": [signed(address, "DELETE", f"{nodes}/{name}") for name in names],
    }


async def measured(address: Address, server: psutil.Process, load: list[bytes], connections: int) -> Measured:
    """Send a load."""
    used = sum(server.cpu_times()[:2])
    seconds, latencies = await run(address, load, connections)
    cpu = (sum(server.cpu_times()[:2]) - used) / len(load) * 1000
    latencies.sort()
    p50, p99 = (latencies[int(len(latencies) * share)] * 1000 for share in (0.5, 0.99))
    return Measured(len(load) / seconds, p50, p99, cpu)


async def run(address: Address, load: list[bytes], connections: int) -> tuple[float, list[float]]:
    """Send all requests over some connections, one after the other on each; total time and each one's latency."""
    waiting = iter(load)
    latencies: list[float] = []

    async def work() -> None:
        reader, writer = await asyncio.open_connection(*address)
        for request in waiting:
            sent = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(length)
            latencies.append(time.perf_counter() - sent)
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"{head!r} {body!r}")
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(connections)))
    return time.perf_counter() - began, latencies


def signed(address: Address, method: str, path: str, content: object | None = None, *, query: str = "") -> bytes:
    """A whole HTTP request, ready to be sent."""
    body = b"" if content is None else json.dumps(content).encode()
    target = f"{path}?{query}" if query else path
    request = AWSRequest(method, "http://{}:{}{}".format(*address, target), data=body)
    SigV4Auth(Credentials(*KEY), "appmesh", REGION).add_auth(request)
    headers = {"host": "{}:{}".format(*address), "content-length": str(len(body)), **dict(request.headers.items())}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def free_address() -> Address:
    """An address that nobody listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        return host, port


def wait_for(address: Address, process: "subprocess.Popen[bytes]") -> None:
    """Return once somebody listens there."""
    for _ in range(200):
        try:
            socket.create_connection(address, timeout=1).close()
        except ConnectionRefusedError:
            if process.poll() is not None:
                raise RuntimeError(f"the control plane ended with code {process.returncode}") from None
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the control plane does not listen")


if __name__ == "__main__":
    main()
