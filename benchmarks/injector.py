"""How long does the webhook hold up a pod? Reviews straight to one process, and pods through the API server.

    python -m benchmarks.injector [--reviews 5000] [--nodes 1000] [--connections 8]

The real process with its TLS, which has heard of so many VirtualNodes from a real API server. Latency is measured one
review after the other on a connection that stays open, as the API server's does; throughput on several at once, by a
client that only moves bytes and takes its share of the machine. Pods are created by dry run, in a namespace with the
label and in one without.
"""

import argparse
import asyncio
import json
import ssl
import statistics
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import httpx

from benchmarks.processes import MIB, usage
from deploy.local.credentials import Credentials
from deploy.local.stack import LocalStack, StackSettings
from injector.annotations import SWITCH
from resources.kinds import API_VERSION, GROUP, VERSION

PARTS = ("etcd", "kube-apiserver", "injector")
LABELLED, PLAIN = "injected", "plain"


def pod(number: int, namespace: str = LABELLED) -> dict[str, Any]:
    """A pod of the Deployment that the VirtualNode of this number is for; two containers, a volume, some variables."""
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": f"node-{number}-abc",
        "uid": "1",
        "controller": True,
    }
    app = {
        "name": "app",
        "image": "registry.example/app:1",
        "ports": [{"containerPort": 8080}],
        "env": [{"name": f"SETTING_{each}", "value": "x" * 40} for each in range(20)],
        "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
    }
    metadata = {
        "name": f"pod-{number}",
        "namespace": namespace,
        "labels": {"pod-template-hash": "abc"},
        "ownerReferences": [owner],
    }
    spec = {"containers": [app, app | {"name": "logs", "ports": []}], "volumes": [{"name": "scratch", "emptyDir": {}}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def request_bytes(number: int) -> bytes:
    """A review of that pod as HTTP."""
    request = {
        "uid": str(number),
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "namespace": LABELLED,
        "operation": "CREATE",
        "object": pod(number),
    }
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    body = json.dumps(review).encode()
    head = f"POST /inject HTTP/1.1\r\nHost: injector\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


class Caller:
    """One connection that stays open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int, context: ssl.SSLContext) -> "Caller":
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, ssl=context))

    async def ask(self, request: bytes) -> float:
        """One review; how long it took, in seconds."""
        started = time.perf_counter()
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        body = await self._reader.readexactly(length)
        took = time.perf_counter() - started
        assert b"JSONPatch" in body, body[:500]
        return took

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        await self._writer.wait_closed()


async def reviews(port: int, context: ssl.SSLContext, count: int, nodes: int, connections: int) -> None:
    """Measure and print latency, then throughput."""
    requests = [request_bytes(number % nodes) for number in range(count)]
    caller = await Caller.open(port, context)
    for request in requests[:200]:
        await caller.ask(request)
    show("one after the other", [await caller.ask(request) for request in requests])
    await caller.close()
    callers = [await Caller.open(port, context) for _ in range(connections)]
    waiting = iter(requests)

    async def work(caller: Caller) -> list[float]:
        return [await caller.ask(request) for request in waiting]

    started = time.perf_counter()
    times = await asyncio.gather(*map(work, callers))
    took = time.perf_counter() - started
    show(f"{connections} at a time", [each for mine in times for each in mine])
    print(f"{count / took:24.0f} reviews/s on one process")
    for caller in callers:
        await caller.close()


def pods(client: httpx.Client, count: int, nodes: int) -> None:
    """Measure and print how long the API server takes for a pod."""
    for namespace in (PLAIN, LABELLED):
        path = f"/api/v1/namespaces/{namespace}/pods?dryRun=All"
        times = []
        for number in range(count):
            started = time.perf_counter()
            answer = client.post(path, json=pod(number % nodes, namespace)).raise_for_status().json()
            times.append(time.perf_counter() - started)
            assert ("initContainers" in answer["spec"]) is (namespace == LABELLED)
        show(f"pod, {namespace}", times)


def prepare(client: httpx.Client, nodes: int) -> None:
    """The namespaces and the VirtualNodes."""
    for name, labels in ((LABELLED, {SWITCH: "enabled"}), (PLAIN, {})):
        client.post("/api/v1/namespaces", json={"metadata": {"name": name, "labels": labels}}).raise_for_status()
    path = f"/apis/{GROUP}/{VERSION}/namespaces/{LABELLED}/virtualnodes"
    for number in range(nodes):
        node = {
            "apiVersion": API_VERSION,
            "kind": "VirtualNode",
            "metadata": {"name": f"node-{number}"},
            "spec": {
                "meshName": "bench",
                "listeners": [{"portMapping": {"port": 8080, "protocol": "http"}}],
                "serviceDiscovery": {"dns": {"hostName": f"node-{number}.{LABELLED}"}},
            },
        }
        client.post(path, json=node).raise_for_status()
    last = f"/api/v1/namespaces/{LABELLED}/pods?dryRun=All"
    while "initContainers" not in client.post(last, json=pod(nodes - 1)).raise_for_status().json()["spec"]:
        time.sleep(0.05)


def show(what: str, times: Sequence[float]) -> None:
    """A line of the table."""
    centiles = statistics.quantiles(times, n=100)
    print(f"{what:24} p50 {centiles[49] * 1000:6.2f} ms   p99 {centiles[98] * 1000:6.2f} ms   ({len(times)})")


def main() -> None:
    """Start the parts, measure, print."""
    parser = argparse.ArgumentParser(description="Measure the injection webhook.")
    parser.add_argument("--reviews", type=int, default=5000)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=8)
    options = parser.parse_args()
    settings = StackSettings(parts=PARTS, fast=True, environment={"MESHWRIGHT_LOG_LEVEL": "warning"})
    with tempfile.TemporaryDirectory() as directory, LocalStack(directory, settings) as stack:
        context = Credentials(stack.layout.credentials).client_context()
        ports = json.loads(stack.layout.ports.read_text())
        with httpx.Client(base_url=f"https://127.0.0.1:{ports['kube-apiserver']}", verify=context) as client:
            before = usage(stack, ("injector",))["injector"]
            prepare(client, options.nodes)
            asyncio.run(reviews(ports["injector"], context, options.reviews, options.nodes, options.connections))
            pods(client, min(options.reviews, 500), options.nodes)
        after = usage(stack, ("injector",))["injector"]
        print(f"memory {before.memory / MIB:.0f} MiB at the start, {after.memory / MIB:.0f} MiB at the end")


if __name__ == "__main__":
    main()
