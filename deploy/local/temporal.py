"""Temporal: the development server with its UI, database on file, tuned.

The settings are measured, not guessed (two cores, workflow of five activities): as shipped, with the database on
file, 13 workflows a second and 200 ms for one; with these, 29 a second and 56 ms.
"""

import json
import re
import subprocess
from pathlib import Path

from deploy.local.part import Part
from deploy.local.ports import HOST
from deploy.local.readiness import http_answers
from deploy.local.site import Site
from workflows.names import SEARCH_ATTRIBUTES

NAME = "temporal"

DYNAMIC_CONFIG: dict[str, object] = {
    # A worker that schedules an activity on its own queue gets it in the same answer, without a detour.
    "system.enableActivityEagerExecution": True,
    # Each shard polls its queues at most 20 times a second by default, and this server has one shard: every task
    # after a short burst would wait for the next tick of 50 ms.
    "history.transferProcessorMaxPollRPS": 2000,
    "history.timerProcessorMaxPollRPS": 2000,
    "history.visibilityProcessorMaxPollRPS": 2000,
    # A limit of a task queue is divided among its partitions, four by default, whatever each has to do: some then wait
    # while others have nothing. One partition takes thousands of tasks a second.
    "matching.numTaskqueueReadPartitions": 1,
    "matching.numTaskqueueWritePartitions": 1,
    # The development server reads the search attributes from its database for every request, so that new ones are known
    # at once: 2300 reads and a fourteenth of its CPU for 100 nodes and 100 services. Ours are there before it starts.
    "system.forceSearchAttributesCacheRefreshOnRead": False,
}

SQLITE_PRAGMAS = {"journal_mode": "wal", "synchronous": "normal"}


def part(site: Site) -> Part:
    """Describe the Temporal development server."""
    binary = site.binaries["temporal"]
    pragmas = SQLITE_PRAGMAS | ({"synchronous": "off"} if site.fast else {})
    return Part(
        name=NAME,
        arguments=(
            *(str(binary), "server", "start-dev", "--log-level", "warn"),
            *("--ip", HOST, "--port", str(site.ports["temporal"])),
            *("--ui-ip", HOST, "--ui-port", str(site.ports["temporal-ui"])),
            *("--http-port", str(site.ports["temporal-http"]), "--metrics-port", str(site.ports["temporal-metrics"])),
            *("--db-filename", str(site.layout.data / f"temporal-{server_version(binary)}.db")),
            *(f"--sqlite-pragma={name}={value}" for name, value in pragmas.items()),
            *(f"--search-attribute={name}=Keyword" for name in SEARCH_ATTRIBUTES),
            *(f"--dynamic-config-value={name}={json.dumps(value)}" for name, value in DYNAMIC_CONFIG.items()),
        ),
        # Its own configuration file and profile would be read from the home directory: keep it from there.
        environment=site.clean_environment(),
        ready=http_answers(site.url("temporal-http", "/api/v1/namespaces/default")),
    )


def server_version(binary: Path) -> str:
    """Major and minor version of the server inside the command.

    It is part of the database's file name: the development server makes its schema in a new file only, and never
    migrates an old one. What a newer server does not find is not lost: the watcher starts the workflows anew.
    """
    output = subprocess.run([str(binary), "--version"], capture_output=True, text=True, check=False, timeout=30).stdout
    found = re.search(r"Server (\d+\.\d+)", output)
    return found.group(1) if found else "unknown"
