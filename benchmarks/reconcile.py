"""Reconciling, from `kubectl apply` to Active, on a whole local stack.

python -m benchmarks.reconcile [--services 100] [--writes-per-second 8] [--singles 30] [--idle 60]
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence

from benchmarks.cluster import Cluster, calls, made, mesh, node, service
from benchmarks.processes import spent, usage
from deploy.local.stack import LocalStack, StackSettings
from resources.kinds import Kind

NAMESPACE = "bench"


async def singles(cluster: Cluster, metrics: str, count: int) -> None:
    """One service with three routes at a time, mesh and nodes there: apply -> Active; then one weight edit each."""
    await cluster.create([mesh("single"), *(node(f"n{i}", NAMESPACE, "single") for i in range(3))])
    await cluster.settled(Kind.VIRTUAL_NODE, 3)
    before = calls(metrics)
    created, edited = [], []
    for i in range(count):
        manifest = service(f"single{i}", NAMESPACE, "single", ["n0", "n1", "n2"])
        waiting = asyncio.create_task(cluster.settled(Kind.VIRTUAL_SERVICE, i + 1))
        await asyncio.sleep(0)
        start = time.monotonic()
        await cluster.create([manifest])
        await waiting
        created.append(time.monotonic() - start)
    print(f"{count} services x 3 routes, one at a time: {_times(created)}; {_counts(before, calls(metrics))}")
    before = calls(metrics)
    for i in range(count):
        routes = service(f"single{i}", NAMESPACE, "single", ["n0", "n1", "n2"])["spec"]["routes"]
        routes[0]["http"]["action"]["weightedTargets"][0]["weight"] = 7
        start = time.monotonic()
        generation = await cluster.patch(Kind.VIRTUAL_SERVICE, NAMESPACE, f"single{i}", {"spec": {"routes": routes}})
        await cluster.reached(Kind.VIRTUAL_SERVICE, f"single{i}", generation)
        edited.append(time.monotonic() - start)
    print(f"{count} weight edits, one at a time: {_times(edited)}; {_counts(before, calls(metrics))}")


async def bulk(cluster: Cluster, stack: LocalStack, metrics: str, count: int) -> None:
    """A mesh with `count` nodes and `count` services of three routes, all applied at once."""
    before, used, start = calls(metrics), usage(stack), time.monotonic()
    active = asyncio.gather(cluster.settled(Kind.VIRTUAL_NODE, count), cluster.settled(Kind.VIRTUAL_SERVICE, count))
    await cluster.create(
        [
            mesh("bulk"),
            *(node(f"n{i}", NAMESPACE, "bulk") for i in range(count)),
            *(service(f"s{i}", NAMESPACE, "bulk", [f"n{i}"]) for i in range(count)),
        ]
    )
    applied = time.monotonic() - start
    await active
    took = time.monotonic() - start
    after = calls(metrics)
    writes = made(before, after)[0]
    print(
        f"1 mesh + {count} nodes + {count} services x 3 routes at once: "
        f"applied {applied:.1f} s, all Active {took:.1f} s"
    )
    print(f"  {writes / took:.0f} writes/s; {_counts(before, after)}")
    print(f"  CPU / memory: {spent(used, usage(stack))}")


async def idle(stack: LocalStack, metrics: str, seconds: float) -> None:
    """Nothing happens for a while."""
    before, used = calls(metrics), usage(stack)
    await asyncio.sleep(seconds)
    print(f"idle for {seconds:.0f} s: {_counts(before, calls(metrics))}; CPU / memory: {spent(used, usage(stack))}")


def _times(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"p50 {statistics.median(ordered) * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms"


def _counts(before: dict[tuple[str, str], int], after: dict[tuple[str, str], int]) -> str:
    writes, reads, refused = made(before, after)
    return f"{writes} writes, {reads} reads, {refused} refused"


async def main() -> None:
    """Run what was asked for on a fresh stack."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, default=100)
    parser.add_argument("--singles", type=int, default=30)
    parser.add_argument("--writes-per-second", type=float)
    parser.add_argument("--idle", type=float, default=60)
    asked = parser.parse_args()
    environment = {}
    if asked.writes_per_second:
        environment["MESHWRIGHT_APP_MESH_WRITES_PER_SECOND"] = str(asked.writes_per_second)
    with tempfile.TemporaryDirectory(prefix="meshwright-bench-") as directory:
        start = time.monotonic()
        with LocalStack(directory, StackSettings(environment=environment)) as stack:
            print(f"stack up after {time.monotonic() - start:.1f} s")
            metrics = stack.environment["MESHWRIGHT_METRICS"].split(",")[-1]
            cluster = await Cluster.connect(stack.environment["KUBECONFIG"])
            try:
                await cluster.create_namespace(NAMESPACE)
                if asked.services:
                    await bulk(cluster, stack, metrics, asked.services)
                    if asked.idle:
                        await idle(stack, metrics, asked.idle)
                if asked.singles and not asked.services:
                    await singles(cluster, metrics, asked.singles)
            finally:
                await cluster.close()


if __name__ == "__main__":
    asyncio.run(main())
