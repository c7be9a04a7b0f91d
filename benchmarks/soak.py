"""Does anything grow? Resources are made, edited and deleted for a while, and memory and histories are looked at.

    python -m benchmarks.soak [--minutes 10] [--services 20]

A tenth of the time is for warming up. From then on no process of ours may grow by more than a tenth and 8 MiB, and in
the end nothing may be left in App Mesh. Exit code 1 when something grew.
"""

import argparse
import asyncio
import random
import sys
import time

from benchmarks.cluster import mesh, node, service
from benchmarks.processes import MIB, usage
from benchmarks.site import Site, site
from resources.kinds import Kind

PLACE = "soak"


async def soak(minutes: float, services: int) -> dict[str, tuple[float, float]]:
    """Memory in MiB of each of our processes, after warming up and at the end; all resources are gone by then."""
    async with site() as at:
        await at.cluster.create_namespace(PLACE)
        await at.cluster.create([mesh(PLACE), *(node(f"n{i}", PLACE, PLACE) for i in range(services))])
        await at.cluster.settled(Kind.VIRTUAL_NODE, services)
        end, chance, rounds = time.monotonic() + minutes * 60, random.Random(1), 0
        warm, start = None, time.monotonic()
        while time.monotonic() < end or warm is None:
            await _round(at, services, chance)
            rounds += 1
            memory = _memory(at)
            if warm is None and time.monotonic() - start > minutes * 6:
                warm = memory
            print(f"{time.monotonic() - start:6.0f} s, {rounds} rounds: {_shown(memory)}", flush=True)
        for kind, names in ((Kind.VIRTUAL_NODE, [f"n{i}" for i in range(services)]), (Kind.MESH, [PLACE])):
            for name in names:
                await at.cluster.remove(kind, None if kind is Kind.MESH else PLACE, name)
        left = at.app_mesh().list_meshes()["meshes"]
        if left:
            raise RuntimeError(f"left in App Mesh: {left}")
        return {part: (warm[part], memory[part]) for part in memory}


async def _round(at: Site, services: int, chance: random.Random) -> None:
    """Every service is made, edited some times, and deleted."""
    names = [f"s{i}" for i in range(services)]
    await at.cluster.create([service(name, PLACE, PLACE, [f"n{i}"]) for i, name in enumerate(names)])
    await at.cluster.settled(Kind.VIRTUAL_SERVICE, services)
    for name in names:
        for _ in range(chance.randint(1, 3)):
            routes = service(name, PLACE, PLACE, ["n0"], chance.randint(1, 4))["spec"]["routes"]
            generation = await at.cluster.patch(Kind.VIRTUAL_SERVICE, PLACE, name, {"spec": {"routes": routes}})
        await at.cluster.reached(Kind.VIRTUAL_SERVICE, name, generation)
    await asyncio.gather(*(at.cluster.remove(Kind.VIRTUAL_SERVICE, PLACE, name) for name in names))


def _memory(at: Site) -> dict[str, float]:
    return {part: used.memory / MIB for part, used in usage(at.stack).items()}


def _shown(memory: dict[str, float]) -> str:
    return ", ".join(f"{part} {used:.0f} MiB" for part, used in memory.items())


def main() -> int:
    """Soak, and say what grew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--services", type=int, default=20)
    asked = parser.parse_args()
    memory = asyncio.run(soak(asked.minutes, asked.services))
    grew = {part: found for part, found in memory.items() if found[1] > found[0] * 1.1 + 8}
    for part, (warm, end) in memory.items():
        print(f"{part}: {warm:.0f} MiB after warming up, {end:.0f} at the end{' - GREW' if part in grew else ''}")
    return 1 if grew else 0


if __name__ == "__main__":
    sys.exit(main())
