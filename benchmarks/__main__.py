"""Runs the scenarios of the performance page and prints their table.

    python -m benchmarks                      every scenario, at the size that targets are for (20 to 60 minutes)
    python -m benchmarks small hundred        some of them
    python -m benchmarks --size 0.05          everything, smaller: to see that it runs
    python -m benchmarks --write              also write docs/explanation/performance.md and its pictures

The other modules of this folder measure one thing each, in more detail: `python -m benchmarks.xds --help`.
"""

import argparse
import asyncio
import os
import platform
import subprocess
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from benchmarks.api import api
from benchmarks.report import PAGE, Report, Row
from benchmarks.scenarios import growth, hundred, limited, small, thousand

Scenario = Callable[[Report, float], Awaitable[None]]
SCENARIOS: dict[str, tuple[Scenario, float]] = {
    "small": (small, 180),
    "hundred": (hundred, 600),
    "limited": (limited, 240),
    "thousand": (thousand, 900),
    "api": (api, 600),
    "growth": (growth, 2400),
}
"""What each name runs, and the seconds after which it is given up."""


def main() -> int:
    """Run what was asked for; 1 when a scenario could not be run. A missed target is no failure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"out of: {', '.join(SCENARIOS)}")
    parser.add_argument("--size", type=float, default=1.0, help="of everything that is counted")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE}")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    report, failed, before = Report(), False, pace()
    for name in asked.names or SCENARIOS:
        scenario, limit = SCENARIOS[name]
        print(f"== {name}", flush=True)
        start = time.monotonic()
        try:
            asyncio.run(_within(limit, scenario(report, asked.size)))
        except Exception:
            failed = True
            traceback.print_exc()
            report.add(Row(f"scenario {name}", "did not end", "", met=False))
        print(f"   ({time.monotonic() - start:.0f} s)", flush=True)
    if asked.write:
        facts = {"date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "commit": _commit(), "machine": _machine()}
        report.write(PAGE, **facts, pace=before, pace_after=pace())
        print(f"{PAGE} is written")
    return 1 if failed else 0


async def _within(seconds: float, scenario: Awaitable[None]) -> None:
    async with asyncio.timeout(seconds):
        await scenario


def pace() -> float:
    """Milliseconds of CPU that a fixed piece of Python takes here and now: to compare runs and machines by."""
    start = time.process_time()
    total = 0
    for number in range(2_000_000):
        total += number % 7
    return (time.process_time() - start) * 1000


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return f"`{done.stdout.strip()}`" if done.returncode == 0 else "an unknown commit"


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main())
