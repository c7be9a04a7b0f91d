"""From `kubectl apply` to what an Envoy does: how long until a request is answered by what the edit says.

    python -m benchmarks.effect [--rounds 50] [--sotw]

A whole local stack with a front and two colours behind real Envoys. Each round is one edit of a weight, which turns all
traffic to the other colour; the front is then asked without a pause until that one answers. Beside it, how long until
the resource is Active, which is the controller's part of the way.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.cluster import Cluster, mesh, node, service
from deploy.local.stack import LocalStack, StackSettings
from deploy.local.toolchain import Toolchain
from examples.traffic.load import Target, ask
from examples.traffic.site import Site
from resources.kinds import Kind

PLACE = "effect"
SERVICE = f"color.{PLACE}.svc.cluster.local"
COLOURS = ("red", "green")
SLOWEST = 4
"""Of the rounds, how many are named."""


def colour(name: str, port: int) -> dict[str, Any]:
    """A node on this machine."""
    made = node(name, PLACE, PLACE)
    listeners = [{"portMapping": {"port": port, "protocol": "http"}}]
    return made | {
        "spec": made["spec"] | {"listeners": listeners, "serviceDiscovery": {"dns": {"hostName": "localhost"}}}
    }


def front() -> dict[str, Any]:
    """The node that calls."""
    made = node("front", PLACE, PLACE)
    backends = [{"virtualService": {"virtualServiceName": SERVICE}}]
    return made | {"spec": {"meshName": PLACE, "backends": backends}}


def turned_to(name: str) -> dict[str, Any]:
    """The service, with all its traffic to one colour; the other one stays among its targets."""
    made = service(SERVICE, PLACE, PLACE, COLOURS, 1)
    (route,) = made["spec"]["routes"]
    route["http"]["match"]["prefix"] = "/"
    for target in route["http"]["action"]["weightedTargets"]:
        target["weight"] = 1 if target["virtualNodeName"] == name else 0
    return made


async def answered_by(target: Target, name: str) -> None:
    """Ask until this colour answers."""
    while True:
        answer = await ask(target)
        if " 200 " in answer.start and answer.body.decode() == name:
            return


async def edit(cluster: Cluster, target: Target, name: str) -> tuple[float, float]:
    """Turn the service to a colour; seconds until that one answers, and until the resource is Active."""
    begun = time.perf_counter()

    async def active(generation: int) -> float:
        await cluster.reached(Kind.VIRTUAL_SERVICE, SERVICE, generation)
        return time.perf_counter() - begun

    async def effective() -> float:
        await answered_by(target, name)
        return time.perf_counter() - begun

    generation = await cluster.apply(turned_to(name))
    effect, settled = await asyncio.gather(effective(), active(generation))
    return effect, settled


async def measure(stack: LocalStack, site: Site, rounds: int) -> None:
    """Set up, edit so many times, print."""
    cluster = await Cluster.connect(stack.environment["KUBECONFIG"])
    try:
        await cluster.create_namespace(PLACE)
        numbers = {name: site.port() for name in COLOURS}
        nodes = [colour(name, port) for name, port in numbers.items()]
        for manifest in (mesh(PLACE), *nodes, turned_to("red"), front()):
            await cluster.apply(manifest)
        await cluster.settled(Kind.VIRTUAL_NODE, len(nodes) + 1)
        await cluster.settled(Kind.VIRTUAL_SERVICE, 1)
        for name, port in numbers.items():
            await asyncio.to_thread(partial(site.service, f"{name}-{PLACE}", port, says=name))
        egress = await asyncio.to_thread(site.caller, f"front-{PLACE}")
        await asyncio.to_thread(site.wait_ready)
        target = Target(egress, SERVICE)
        await answered_by(target, "red")
        for name in reversed(COLOURS):  # not measured: it waits for the other colour's Envoy to have come up
            await edit(cluster, target, name)
        taken = [await edit(cluster, target, COLOURS[(number + 1) % 2]) for number in range(rounds)]
    finally:
        await cluster.close()
    for what, seconds in zip(
        ("a request is led anew", "the resource is Active"), zip(*taken, strict=True), strict=True
    ):
        cut = statistics.quantiles(seconds, n=100, method="inclusive")
        slow = sorted(range(len(seconds)), key=seconds.__getitem__)[: -1 - SLOWEST : -1]
        which = ", ".join(f"{each + 1}: {seconds[each] * 1000:.0f} ms" for each in slow)
        print(f"{what:24} p50 {cut[49] * 1000:6.0f} ms   p99 {cut[98] * 1000:6.0f} ms   slowest rounds {which}")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--sotw", action="store_true")
    given = parser.parse_args()
    envoy = Toolchain.from_environment().resolve(["envoy"])["envoy"]
    with (
        tempfile.TemporaryDirectory(prefix="meshwright-bench-") as directory,
        LocalStack(Path(directory) / "stack", StackSettings()) as stack,
        Site(
            envoy, Path(directory) / "site", stack.environment["MESHWRIGHT_XDS_ADDRESS"], PLACE, delta=not given.sotw
        ) as site,
    ):
        asyncio.run(measure(stack, site, given.rounds))


if __name__ == "__main__":
    main()
