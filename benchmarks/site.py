"""A local stack with what a scenario needs of it: the cluster, the calls that were counted, what processes use."""

import asyncio
import contextlib
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import boto3
from botocore.credentials import Credentials

from benchmarks.cluster import Cluster, calls, made, mesh, node, service
from benchmarks.processes import Usage, usage
from cli.signing import signer
from deploy.local.stack import LocalStack, StackSettings
from resources.kinds import Kind
from watcher.feed import ChangeFeed

EVERYTHING = ("worker", "watcher", "control-plane", "temporal", "kube-apiserver", "etcd")
LIMITED = ("virtual_nodes", "virtual_routers", "virtual_services")
"""What App Mesh allows 200 of in a mesh; more would wait for ever."""
Calls = dict[tuple[str, str], int]


@dataclass(frozen=True)
class Bulk:
    """What came of resources that were all applied at once."""

    seconds: float
    writes: int
    reads: int
    refused: int
    before: dict[str, Usage]
    after: dict[str, Usage]

    def cpu(self, part: str) -> float:
        """CPU seconds of a part."""
        return self.after[part].cpu - self.before[part].cpu

    @property
    def counts(self) -> str:
        """The calls, in words."""
        return f"{self.writes} writes, {self.reads} reads, {self.refused} refused"

    @property
    def cpus(self) -> str:
        """Where the time went."""
        return ", ".join(f"{part} {self.cpu(part):.1f}" for part in EVERYTHING)


class Site:
    """A stack at work."""

    def __init__(self, stack: LocalStack, cluster: Cluster, feed: ChangeFeed) -> None:
        self.stack = stack
        self.cluster = cluster
        self._feed = feed
        self._metrics = stack.environment["MESHWRIGHT_METRICS"].split(",")[-1]

    def calls(self) -> Calls:
        """All App Mesh calls so far."""
        return calls(self._metrics)

    def app_mesh(self) -> Any:
        """A client of the App Mesh API, as somebody else's."""
        environment = self.stack.environment
        return boto3.Session(
            environment["AWS_ACCESS_KEY_ID"],
            environment["AWS_SECRET_ACCESS_KEY"],
            region_name=environment["AWS_REGION"],
        ).client("appmesh", endpoint_url=environment["AWS_ENDPOINT_URL_APP_MESH"])

    async def bulk(self, name: str, count: int, during: Callable[[], Any] | None = None) -> Bulk:
        """A mesh of this name with so many nodes and services of three routes, all applied at once, until Active."""
        await self.cluster.create_namespace(name)
        before, counted, start = usage(self.stack, EVERYTHING), self.calls(), time.monotonic()
        applied = [mesh(name)]
        applied += [node(f"{name}-n{i}", name, name) for i in range(count)]
        applied += [service(f"{name}-s{i}", name, name, [f"{name}-n{i}"]) for i in range(count)]
        active = asyncio.gather(
            self.cluster.settled(Kind.VIRTUAL_NODE, count, f"{name}-"),
            self.cluster.settled(Kind.VIRTUAL_SERVICE, count, f"{name}-"),
        )
        await self.cluster.create(applied)
        if during is not None:
            during()
        await active
        seconds = time.monotonic() - start
        return Bulk(seconds, *made(counted, self.calls()), before, usage(self.stack, EVERYTHING))

    async def revision(self) -> int:
        """Where the API's writes are now."""
        return (await self._feed.now()).revision

    async def until_written(self, revision: int, writes: int) -> None:
        """Wait until so many writes came after a revision; the API tells, so that waiting takes nothing from it."""
        while writes > 0:
            page = await self._feed.after(revision)
            writes, revision = writes - len(page.written), page.revision


@asynccontextmanager
async def site(**environment: str) -> AsyncIterator[Site]:
    """A fresh stack without quotas that matter; gone without a trace afterwards, also when we are told to end."""
    if (task := asyncio.current_task()) is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with tempfile.TemporaryDirectory(prefix="meshwright-bench-") as directory, contextlib.ExitStack() as things:
        quotas = Path(directory) / "quotas.yaml"
        quotas.write_text("".join(f"{name}_per_mesh: 100000\n" for name in LIMITED))
        environment["MESHWRIGHT_QUOTAS_FILE"] = str(quotas)
        stack = things.enter_context(LocalStack(directory, StackSettings(environment=environment)))
        cluster = await Cluster.connect(stack.environment["KUBECONFIG"])
        try:
            async with aiohttp.ClientSession() as session:
                yield Site(stack, cluster, _feed(session, stack.environment))
        finally:
            await cluster.close()


def _feed(session: aiohttp.ClientSession, environment: Mapping[str, str]) -> ChangeFeed:
    """What others than the benchmark write."""
    credentials = Credentials(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])
    sign = signer(credentials, environment["AWS_REGION"])
    return ChangeFeed(session, environment["AWS_ENDPOINT_URL_APP_MESH"], "benchmark", sign)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def median(values: Sequence[float]) -> float:
    """The one in the middle."""
    return statistics.median(values)


def sized(number: int, size: float) -> int:
    """So many at this size; one at least."""
    return max(1, round(number * size))
