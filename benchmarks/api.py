"""The control plane's part of the table: requests a second, and whether ten thousand nodes slow single writes down."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

import psutil

from benchmarks.control_plane import loads, measured, served
from benchmarks.report import Plot, Report, Row
from benchmarks.site import sized
from tests.control_plane.postgres import PostgresMissing, new_database, postgres_server

NODES, DESCRIBES, CONNECTIONS = 10000, 5000, 8
STEPS = 10


async def api(report: Report, size: float) -> None:
    """On SQLite, which the targets are for, and on PostgreSQL where it is installed."""
    lines = {}
    for database in ("SQLite", "PostgreSQL"):
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            url = f"sqlite:///{directory}/benchmark.db"
            if database == "PostgreSQL":
                try:
                    url = new_database(stack.enter_context(postgres_server()))
                except PostgresMissing as error:
                    report.add(Row("control plane on PostgreSQL", f"not measured: {error}"))
                    continue
            lines[database] = await _one(report, size, database, directory, url)
    up = "creates a second"
    report.plots.append(Plot("control-plane", "Creating nodes in one mesh", "nodes that there are", up, lines))


async def _one(report: Report, size: float, database: str, directory: Path, url: str) -> list[tuple[float, float]]:
    targeted = database == "SQLite"
    with served(directory, url) as (address, process):
        server = psutil.Process(process.pid)
        count = sized(NODES, size)
        load = loads(address, count)
        await measured(address, server, load["mesh"], 1)
        step = max(1, count // STEPS)
        points = []
        for start in range(0, count, step):
            found = await measured(address, server, load["create"][start : start + step], CONNECTIONS)
            points.append((float(min(start + step, count)), found.per_second))
            cpu = found.cpu
        described = await measured(address, server, load["describe"][: sized(DESCRIBES, size)], CONNECTIONS)
    rates = [rate for _, rate in points]
    what = f"control plane on {database}"
    for name, rate, target, milliseconds in (
        ("creates", sorted(rates)[len(rates) // 2], 400, cpu),
        ("describes", described.per_second, 1500, described.cpu),
    ):
        note = f"{milliseconds:.2f} ms of CPU each"
        if targeted:
            report.at_least(f"{what}: {name}", rate, target, "a second", note)
        else:
            report.add(Row(f"{what}: {name}", f"{rate:.0f} a second; {note}"))
    slower = rates[0] / rates[-1]
    report.at_most(f"{what}: the last of {count} nodes took longer than the first", slower, 1.25, "times")
    return points
