"""Cloud Map: pods that become ready at once, until all are instances; then all of them go. On a whole local stack.

python -m benchmarks.cloud_map [--pods 500] [--writes-per-second 4] [--reads-per-second 1]

Temporal's history tells how many calls, batches, messages and workflow tasks it took. The least possible: a call for
each pod, at the limit.
"""

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from typing import Any

import boto3
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from activities import names as activity_names
from benchmarks.cluster import SIDE_BY_SIDE, Cluster, mesh, node
from benchmarks.processes import spent, usage
from deploy.local.stack import LocalStack, StackSettings
from resources.cloud_map import CloudMapService
from resources.kinds import Kind
from workflows import names

NAMESPACE = "bench"
SERVICE = CloudMapService(namespace="bench.local", name="cart")
STATUS_PATCH = "application/merge-patch+json"


class Bench:
    """One stack, one node in one service."""

    def __init__(self, stack: LocalStack, cluster: Cluster, temporal: Client) -> None:
        environment = stack.environment
        self.stack = stack
        self.cluster = cluster
        self.temporal = temporal
        self.cloud_map = boto3.client(
            "servicediscovery",
            endpoint_url=environment["AWS_ENDPOINT_URL_SERVICEDISCOVERY"],
            region_name=environment["AWS_REGION"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        )

    async def prepare(self) -> None:
        """The namespace, the mesh and the node; returns when the service exists."""
        self.cloud_map.create_http_namespace(Name=SERVICE.namespace)
        await self.cluster.create_namespace(NAMESPACE)
        cart = node("cart", NAMESPACE, "shop")
        discovery = {"namespaceName": SERVICE.namespace, "serviceName": SERVICE.name}
        cart["spec"]["serviceDiscovery"] = {"cloudMap": discovery}
        await self.cluster.create([mesh("shop"), cart])
        await self.cluster.settled(Kind.VIRTUAL_NODE, 1)
        await self._until(lambda: bool(self.cloud_map.list_services()["Services"]))

    async def arrive(self, count: int) -> float:
        """Pods, ready at once; seconds until all are registered."""
        start = time.monotonic()
        await _side_by_side(self._run_pod(number) for number in range(count))
        print(f"  pods created and ready after {time.monotonic() - start:.1f} s")
        await self._until(lambda: self._registered() == count)
        return time.monotonic() - start

    async def leave(self, count: int) -> float:
        """All pods begin to terminate; seconds until none is registered."""
        start = time.monotonic()
        await _side_by_side(self._end_pod(number) for number in range(count))
        await self._until(lambda: self._registered() == 0)
        return time.monotonic() - start

    async def counts(self) -> Counter[str]:
        """What the history of the service's workflow says so far, over all its runs."""
        found: Counter[str] = Counter()
        id = names.cloud_map_id("default", SERVICE)
        async for run in self.temporal.list_workflows(f"WorkflowId = '{id}'"):
            history = await self.temporal.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
            for event in history.events:
                _count(event, found)
        return found

    def _registered(self) -> int:
        (service,) = self.cloud_map.list_services()["Services"]
        pages = self.cloud_map.get_paginator("list_instances").paginate(ServiceId=service["Id"])
        return sum(len(page["Instances"]) for page in pages)

    async def _run_pod(self, number: int) -> None:
        identity = {"name": "APPMESH_VIRTUAL_NODE_NAME", "value": f"mesh/shop/virtualNode/cart-{NAMESPACE}"}
        pod = {
            "metadata": {"name": f"cart-{number}", "labels": {"app": "cart", "pod-template-hash": "6f7c9d"}},
            "spec": {"nodeName": "machine", "containers": [{"name": "envoy", "image": "envoy", "env": [identity]}]},
        }
        status = {
            "phase": "Running",
            "podIP": f"10.0.{number // 250}.{number % 250}",
            "conditions": [{"type": "Ready", "status": "True"}],
        }
        path = f"/api/v1/namespaces/{NAMESPACE}/pods"
        await self.cluster.api.request("POST", path, pod)
        await self.cluster.api.request("PATCH", f"{path}/cart-{number}/status", {"status": status}, STATUS_PATCH)

    async def _end_pod(self, number: int) -> None:
        await self.cluster.api.request("DELETE", f"/api/v1/namespaces/{NAMESPACE}/pods/cart-{number}")

    async def _until(self, holds: Any) -> None:
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - only asking tells
            await asyncio.sleep(0.25)


def _count(event: HistoryEvent, found: Counter[str]) -> None:
    match event.event_type:
        case EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            found["workflow tasks"] += 1
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            found["messages"] += 1
        case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            name = event.activity_task_scheduled_event_attributes.activity_type.name
            changes = name in (activity_names.REGISTER_INSTANCES, activity_names.DEREGISTER_INSTANCES)
            found["batches" if changes else "other calls"] += 1


async def _side_by_side(work: Any) -> None:
    gate = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(each: Any) -> None:
        async with gate:
            await each

    await asyncio.gather(*(one(each) for each in work))


async def main() -> None:
    """Run what was asked for on a fresh stack."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pods", type=int, default=500)
    parser.add_argument("--writes-per-second", type=float)
    parser.add_argument("--reads-per-second", type=float)
    asked = parser.parse_args()
    limits = {"WRITES": asked.writes_per_second, "READS": asked.reads_per_second}
    environment = {f"MESHWRIGHT_CLOUD_MAP_{name}_PER_SECOND": str(limit) for name, limit in limits.items() if limit}
    with (
        tempfile.TemporaryDirectory(prefix="meshwright-bench-") as directory,
        LocalStack(directory, StackSettings(environment=environment)) as stack,
    ):
        cluster = await Cluster.connect(stack.environment["KUBECONFIG"])
        try:
            bench = Bench(stack, cluster, await Client.connect(stack.environment["TEMPORAL_ADDRESS"]))
            await bench.prepare()
            for what, run in (("arrive", bench.arrive), ("leave", bench.leave)):
                before, used = await bench.counts(), usage(stack)
                took = await run(asked.pods)
                made = await bench.counts() - before
                least = f"{asked.pods / asked.writes_per_second:.0f} s" if asked.writes_per_second else "none"
                print(f"{asked.pods} pods {what}: {took:.1f} s (least under the limit: {least}); {dict(made)}")
                print(f"  CPU / memory: {spent(used, usage(stack))}")
        finally:
            await cluster.close()


if __name__ == "__main__":
    asyncio.run(main())
