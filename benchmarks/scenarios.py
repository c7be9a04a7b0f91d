"""The scenarios of the table, on a whole local stack. Each takes a size that 1.0 makes the one that targets are for."""

import asyncio
import itertools
import json
import time
from typing import Any

import psutil

from benchmarks.cluster import made, mesh, node, service
from benchmarks.processes import MIB, usage
from benchmarks.report import Plot, Report
from benchmarks.site import EVERYTHING, Bulk, Site, median, percentile, site, sized
from resources.kinds import Kind

HUNDRED, THOUSAND = 100, 1000


async def small(report: Report, size: float) -> None:
    """A mesh, a node and a service with three routes, in each order; then one weight at a time."""
    async with site() as at:
        await _one_of_each(at, "first", (0, 1, 2))  # connections are made, and code is read, once
        in_api, active, counts = [], [], set()
        orders = list(itertools.permutations(range(3)))[: sized(6, size)]
        for number, order in enumerate(orders):
            took = await _one_of_each(at, f"order{number}", order)
            in_api.append(took[0])
            active.append(took[1])
            counts.add(took[2])
        report.at_most("mesh, node, service x 3 routes, any order: in the API (slowest order)", max(in_api), 0.2)
        report.at_most("the same: conditions True (slowest order)", max(active), 0.3)
        report.exactly("the same: writes and reads", ", ".join(f"{w}+{r}" for w, r in sorted(counts)), "7+0")
        await _edits(at, report, sized(30, size))


async def _one_of_each(at: Site, name: str, order: tuple[int, ...]) -> tuple[float, float, tuple[int, int]]:
    await at.cluster.create_namespace(name)
    applied = [mesh(name), node(f"{name}-n", name, name), service(f"{name}-s", name, name, [f"{name}-n"])]
    active = [asyncio.create_task(at.cluster.settled(kind, 1, name)) for kind in Kind]
    await asyncio.sleep(0.5)  # the watches are open, and the stack rests
    before = at.calls()
    written = asyncio.create_task(at.until_written(await at.revision(), 7))
    start = time.monotonic()
    for number in order:
        await at.cluster.create([applied[number]])
    await written
    in_api = time.monotonic() - start
    await asyncio.gather(*active)
    return in_api, time.monotonic() - start, made(before, at.calls())[:2]


async def _edits(at: Site, report: Report, count: int) -> None:
    seconds, before = [], at.calls()
    for number in range(count):
        edited = _weighed("order0", 2 + number)
        written = asyncio.create_task(at.until_written(await at.revision(), 1))
        start = time.monotonic()
        generation = await at.cluster.patch(Kind.VIRTUAL_SERVICE, "order0", "order0-s", edited)
        await written
        seconds.append(time.monotonic() - start)
        await at.cluster.reached(Kind.VIRTUAL_SERVICE, "order0-s", generation)
    writes, reads, _ = made(before, at.calls())
    report.at_most("one weight, until it is in the API (median)", median(seconds) * 1000, 40, "ms")
    report.exactly(f"{count} such edits: writes and reads", f"{writes}+{reads}", f"{count}+0")


def _weighed(name: str, weight: int) -> dict[str, Any]:
    """A patch of a service of that mesh, namespace and name."""
    routes = service(f"{name}-s", name, name, [f"{name}-n"])["spec"]["routes"]
    routes[0]["http"]["action"]["weightedTargets"][0]["weight"] = weight
    return {"spec": {"routes": routes}}


async def hundred(report: Report, size: float) -> None:
    """A hundred nodes and services at once; idle with them; drift; a worker that is killed half way."""
    count = sized(HUNDRED, size)
    async with site() as at:
        done = await at.bulk("bulk", count)
        _tell(report, done, count, 9)
        await _idle(at, report, 60 * min(1, size * 2))
        await _drift(at, report)
        await _kill(at, report, count)


def _tell(report: Report, done: Bulk, count: int, limit: float | None) -> None:
    what = f"{count} nodes + {count} services x 3 routes at once"
    note = f"{done.writes / done.seconds:.0f} writes/s"
    if limit is not None:
        report.at_most(f"{what}: all Active", done.seconds, limit, note=note)
    report.exactly(f"{what}: calls", done.counts, f"{count * 6 + 1} writes, 0 reads, 0 refused")
    report.at_most(f"{what}: CPU of all parts", sum(map(done.cpu, EVERYTHING)), 2 * (limit or 1e9), note=done.cpus)


async def _idle(at: Site, report: Report, seconds: float) -> None:
    await asyncio.sleep(2)
    before, used = at.calls(), usage(at.stack)
    await asyncio.sleep(seconds)
    after, calls = usage(at.stack), made(before, at.calls())
    report.exactly("idle with them: App Mesh requests", calls[0] + calls[1], 0)
    cpu = sum(after[part].cpu - used[part].cpu for part in ("worker", "watcher")) * 60 / seconds
    report.at_most("idle with them: CPU of worker and watcher per minute", cpu, 0.6)
    for part, most in (("worker", 150), ("watcher", 90)):
        report.at_most(f"idle with them: memory of the {part}", after[part].memory / MIB, most, "MiB")


async def _drift(at: Site, report: Report) -> None:
    client = at.app_mesh()
    route = {"meshName": "bulk", "virtualRouterName": "bulk-s0-router-bulk", "routeName": "r0"}
    start = time.monotonic()
    client.delete_route(**route)
    while True:
        try:
            client.describe_route(**route)
            break
        except client.exceptions.NotFoundException:
            await asyncio.sleep(0.01)
    report.at_most("a route deleted by hand is there again", time.monotonic() - start, 1)


async def _kill(at: Site, report: Report, count: int) -> None:
    """Kill the worker after half of the writes, and look at how long its successor takes for the rest."""
    before, restarted = await at.revision(), []

    async def kill() -> None:
        await at.until_written(before, count * 3)
        killed = at.stack.kill("worker")
        while (found := _started(at, "worker", killed)) is None:  # noqa: ASYNC110 - the supervisor tells nobody
            await asyncio.sleep(0.02)
        restarted.append(found)

    killing = asyncio.create_task(kill())
    done = await at.bulk("killed", count)
    ended = time.time()
    await killing
    report.at_most("worker killed half way: all Active, from its restart", ended - restarted[0], 5)
    extra = done.writes - (count * 6 + 1)
    report.at_most("the same: writes made twice (at most those under way)", extra, 32, "writes")


def _started(at: Site, part: str, killed: int = 0) -> float | None:
    """When the process of a part began; None while there is none, or still the one that was killed."""
    try:
        process = psutil.Process(int(at.stack.layout.pid(part).read_text()))
        return process.create_time() if process.pid != killed else None
    except (psutil.NoSuchProcess, ValueError, FileNotFoundError):
        return None


async def limited(report: Report, size: float) -> None:
    """The same hundred, with eight writes a second allowed."""
    count = sized(HUNDRED, size)
    least = (count * 6 + 1) / 8
    async with site(MESHWRIGHT_APP_MESH_WRITES_PER_SECOND="8") as at:
        done = await at.bulk("limited", count)
    what = f"{count} nodes + {count} services at 8 writes/s ({least:.0f} s is the minimum)"
    report.at_most(f"{what}: all Active", done.seconds, least + 3, note=done.counts)


async def thousand(report: Report, size: float) -> None:
    """A thousand of each at once, a person's edits meanwhile, and restarts with all of them there."""
    count = sized(THOUSAND, size)
    async with site() as at:
        await _one_of_each(at, "person", (0, 1, 2))
        edits: list[float] = []
        stop = asyncio.Event()
        tasks: list[asyncio.Task[None]] = []
        done = await at.bulk(
            "many", count, lambda: tasks.append(asyncio.create_task(_edit_now_and_then(at, edits, stop)))
        )
        stop.set()
        await asyncio.gather(*tasks)
        what = f"{count} nodes + {count} services x 3 routes at once"
        report.at_most(f"{what}: all Active", done.seconds, 120, note=f"{done.writes / done.seconds:.0f} writes/s")
        report.at_most(f"{what}: CPU of all parts", sum(map(done.cpu, EVERYTHING)), 240, note=done.cpus)
        note = f"median {median(edits):.2f} s of {len(edits)}"
        report.at_most("a person's edit meanwhile, until Active (p99)", percentile(edits, 0.99), 5, note=note)
        for part in ("worker", "watcher"):
            report.at_most(f"memory of the {part} afterwards", done.after[part].memory / MIB, 250, "MiB")
        await _restarts(at, report)


async def _edit_now_and_then(at: Site, seconds: list[float], stop: asyncio.Event) -> None:
    weight = 2
    while not stop.is_set():
        weight = weight % 90 + 1
        start = time.monotonic()
        generation = await at.cluster.patch(Kind.VIRTUAL_SERVICE, "person", "person-s", _weighed("person", weight))
        await at.cluster.reached(Kind.VIRTUAL_SERVICE, "person-s", generation)
        seconds.append(time.monotonic() - start)
        await asyncio.sleep(1)


async def _restarts(at: Site, report: Report) -> None:
    before = at.calls()
    await asyncio.to_thread(at.stack.restart, "worker")
    generation = await at.cluster.patch(Kind.VIRTUAL_SERVICE, "person", "person-s", _weighed("person", 99))
    await at.cluster.reached(Kind.VIRTUAL_SERVICE, "person-s", generation)
    report.at_most("worker restarted with all of them: at work again", time.time() - (_started(at, "worker") or 0), 10)
    await asyncio.to_thread(at.stack.restart, "watcher")
    told = None
    async with asyncio.timeout(60):
        while (told := _told_at_start(at)) is None:  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.1)
    report.exactly("watcher restarted with all of them: workflows told", told, 0)
    report.exactly("both restarts: App Mesh writes beside the edit's", made(before, at.calls())[0] - 1, 0)


def _told_at_start(at: Site) -> int | None:
    """How many resources the youngest watcher found unsettled, by its log; None before it has listed them."""
    log = at.stack.layout.log("watcher").read_text().splitlines()
    begun = max((number for number, line in enumerate(log) if "all kinds listed" in line), default=None)
    starts = sum("all kinds listed" in line for line in log)
    if begun is None or starts < 2:
        return None
    try:
        return int(json.loads(log[begun])["unsettled"])
    except ValueError:
        return int(log[begun].split("unsettled=")[1].split()[0])


async def growth(report: Report, size: float) -> None:
    """Time, CPU and memory by the number of nodes and services."""
    seconds: list[tuple[float, float]] = []
    cpu: dict[str, list[tuple[float, float]]] = {part: [] for part in EVERYTHING}
    memory: dict[str, list[tuple[float, float]]] = {part: [] for part in EVERYTHING}
    for count in sorted({sized(number, size) for number in (100, 300, 1000, 3000)}):
        async with site() as at:
            done = await at.bulk("grow", count)
        seconds.append((count, done.seconds))
        for part in EVERYTHING:
            cpu[part].append((count, done.cpu(part)))
            memory[part].append((count, done.after[part].memory / MIB))
        print(f"    {count}: {done.seconds:.1f} s; CPU {done.cpus}", flush=True)
    across = "nodes, and as many services of three routes, applied at once"
    report.plots += [
        Plot("growth-time", "Until all are Active", across, "seconds", {"": seconds}),
        Plot("growth-cpu", "CPU until all are Active", across, "CPU seconds", cpu),
        Plot("growth-memory", "Memory when all are Active", across, "MiB", memory),
    ]
    # From the second size on: the first one has what every start costs in it.
    (small_count, short), (large_count, long) = seconds[min(1, len(seconds) - 1)], seconds[-1]
    report.at_most(
        f"seconds for each service, {large_count:.0f} against {small_count:.0f}",
        (long / large_count) / (short / small_count), 1.25, "times",
    )  # fmt: skip
