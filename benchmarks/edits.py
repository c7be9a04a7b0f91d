"""What each kind of edit costs, on a whole local stack: App Mesh writes and reads, and the time until it is Active.

python -m benchmarks.edits [--rounds 5]

`EDITS` is one story that goes from nothing to nothing. Its counts are exact, and a promise: `docs/reference/calls.md`
is made from them, and `tests/e2e/test_edit_costs.py` plays the story and counts.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.cluster import Cluster, calls, made, mesh, node, service
from deploy.local.stack import LocalStack, StackSettings
from resources.kinds import Kind
from workflows.planning.routing import ANNOTATION

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Service:
    """A service of the story. `weights` has one for each route; a route sends so much to `cart`, and 1 to `cart-v2`."""

    name: str = "cart"
    weights: tuple[int, ...] = (1, 1, 1)
    router: str | None = "cart-router"
    port: int = 8080
    in_place: bool = False

    def manifest(self, place: str) -> Manifest:
        """The resource, in a mesh and a namespace of this name."""
        made = service(self.full_name(place), place, place, ["cart", "cart-v2"], len(self.weights))
        if self.in_place:
            made["metadata"]["annotations"] = {ANNOTATION: "in-place"}
        spec = made["spec"]
        if self.router is None:
            del spec["virtualRouter"], spec["routes"]
            return made | {"spec": spec | {"provider": {"virtualNode": {"virtualNodeName": "cart"}}}}
        listeners = [{"portMapping": {"port": self.port, "protocol": "http"}}]
        spec["virtualRouter"] = {"name": self.router, "listeners": listeners}
        for route, weight in zip(spec["routes"], self.weights, strict=True):
            route["name"] = f"{self.name}-{route['name']}"
            route["http"]["match"]["prefix"] = f"/{self.name}{route['http']['match']['prefix']}"
            route["http"]["action"]["weightedTargets"][0]["weight"] = weight
        return made

    def full_name(self, place: str) -> str:
        """As callers know it."""
        return f"{self.name}.{place}.svc.cluster.local"


@dataclass(frozen=True)
class Edit:
    """A step of the story: the services that there are after it, and the App Mesh calls that it takes."""

    name: str
    services: tuple[Service, ...]
    calls: Mapping[str, int] = field(default_factory=dict)
    differing: int = 0
    """Objects that are other afterwards than before, but for a suffix of a router's name: fewer calls cannot do."""
    why: str = ""
    """Why it takes more, where it does."""

    @property
    def writes(self) -> int:
        """How many of the calls change something, or try to."""
        return sum(self.calls.values()) - self.reads

    @property
    def reads(self) -> int:
        """How many of the calls look."""
        return sum(count for operation, count in self.calls.items() if operation.startswith(("Describe", "List")))


_SWAP = "a new router beside the live one, one turn of each service, and the old one goes: nobody meets half a change"
_BESIDE, _ON_NODE = Service(weights=(3, 3, 1)), Service(router=None)
_OTHER = Service(weights=(4, 4, 1), router="other", port=9090)
_SECOND = Service("second", weights=(1,), router="other", port=9090)
_CREATED = {"CreateVirtualRouter": 1, "CreateRoute": 3, "CreateVirtualService": 1}
_TURNED = {
    "CreateVirtualRouter": 1,
    "CreateRoute": 3,
    "UpdateVirtualService": 1,
    "DeleteRoute": 3,
    "DeleteVirtualRouter": 1,
}

EDITS = (
    Edit("a service with three routes is created", (Service(),), _CREATED, 5),
    Edit("it is applied again", (Service(),)),
    Edit("one weight changes", (Service(weights=(2, 1, 1)),), {"UpdateRoute": 1}, 1),
    Edit("one route more", (Service(weights=(2, 1, 1, 1)),), {"CreateRoute": 1}, 1),
    Edit("one route less", (Service(weights=(2, 1, 1)),), {"DeleteRoute": 1}, 1),
    Edit("two routes change", (_BESIDE,), _TURNED, 2, _SWAP),
    Edit(
        f"two routes change, with `{ANNOTATION}: in-place`",
        (Service(weights=(4, 4, 1), in_place=True),),
        {"UpdateRoute": 2},
        2,
    ),
    Edit("the router is renamed", (Service(weights=(4, 4, 1), router="other"),), _TURNED, 9),
    Edit("the router's port changes", (_OTHER,), {"UpdateVirtualRouter": 1}, 1),
    Edit(
        "a second service with one route shares it", (_OTHER, _SECOND), {"CreateRoute": 1, "CreateVirtualService": 1}, 2
    ),
    Edit(
        "two routes of the shared router change",
        (Service(weights=(5, 5, 1), router="other", port=9090), _SECOND),
        {**_TURNED, "CreateRoute": 4, "UpdateVirtualService": 2, "DeleteRoute": 4},
        2,
        _SWAP,
    ),
    Edit(
        "the second service is deleted",
        (Service(weights=(5, 5, 1), router="other", port=9090),),
        {"DeleteVirtualService": 1, "DeleteRoute": 1},
        2,
    ),
    Edit(
        "the service goes straight to a node",
        (_ON_NODE,),
        {"UpdateVirtualService": 1, "DeleteRoute": 3, "DeleteVirtualRouter": 1},
        5,
    ),
    Edit(
        "and back to a router",
        (Service(),),
        {"CreateVirtualRouter": 1, "CreateRoute": 3, "UpdateVirtualService": 1},
        5,
    ),
    Edit(
        "the service is deleted",
        (),
        {"DeleteVirtualService": 1, "DeleteRoute": 3, "DeleteVirtualRouter": 1},
        5,
    ),
)


def ground(place: str) -> list[Manifest]:
    """What the story begins on."""
    return [mesh(place), node("cart", place, place), node("cart-v2", place, place)]


async def play(cluster: Cluster, metrics: str, place: str) -> dict[str, tuple[float, int, int, int]]:
    """The story once: seconds, writes, reads and refused calls of each edit, by its name."""
    await cluster.create_namespace(place)
    counted = calls(metrics)
    for manifest in ground(place):
        await cluster.apply(manifest)
    await _until_made(metrics, counted, len(ground(place)))
    measured: dict[str, tuple[float, int, int, int]] = {}
    before: tuple[Service, ...] = ()
    for edit in EDITS:
        counted, start = calls(metrics), time.monotonic()
        for each in edit.services:
            generation = await cluster.apply(each.manifest(place))
            await cluster.reached(Kind.VIRTUAL_SERVICE, each.full_name(place), generation)
        for gone in {each.name for each in before} - {each.name for each in edit.services}:
            await cluster.remove(Kind.VIRTUAL_SERVICE, place, Service(gone).full_name(place))
        took = time.monotonic() - start
        # Those who share a router go on after the one that was edited is Active.
        await _until_made(metrics, counted, edit.writes)
        measured[edit.name] = (took, *made(counted, calls(metrics)))
        before = edit.services
    return measured


async def _until_made(metrics: str, before: dict[tuple[str, str], int], writes: int) -> None:
    async with asyncio.timeout(30):
        while made(before, calls(metrics))[0] < writes:  # noqa: ASYNC110 - another process's counter has no event
            await asyncio.sleep(0.02)


async def main() -> None:
    """Play the story some times over and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with (
        tempfile.TemporaryDirectory(prefix="meshwright-bench-") as directory,
        LocalStack(directory, StackSettings()) as stack,
    ):
        metrics = stack.environment["MESHWRIGHT_METRICS"].split(",")[-1]
        cluster = await Cluster.connect(stack.environment["KUBECONFIG"])
        try:
            played = [await play(cluster, metrics, f"round-{number}") for number in range(rounds)]
        finally:
            await cluster.close()
    print(f"{'edit':64}  writes  fewest  reads  refused  p50 until Active")
    for edit in EDITS:
        seconds, writes, reads, refused = zip(*(measured[edit.name] for measured in played), strict=True)
        counts = [f"{_counted(writes):>6}", f"{edit.differing:>6}", f"{_counted(reads):>5}", f"{_counted(refused):>7}"]
        print(f"{edit.name:64}  {'  '.join(counts)}  {statistics.median(seconds) * 1000:>7.0f} ms")


def _counted(rounds: tuple[int, ...]) -> str:
    """One number when it was always the same."""
    return str(rounds[0]) if len(set(rounds)) == 1 else f"{min(rounds)}-{max(rounds)}"


if __name__ == "__main__":
    asyncio.run(main())
