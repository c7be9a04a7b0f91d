"""docs/reference/metrics.md as data, and Prometheus's text format as data of the same shape."""

import re
from pathlib import Path
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
PROCESSES = {"Worker": "worker", "Watcher": "watcher", "Control plane": "control-plane", "Injector": "injector"}
UNLISTED = ("temporal_", "python_", "process_")
"""Beginnings of names that the page tells of as a whole."""
HELPERS = ("le", "quantile")
SDK_LABELS = frozenset({"namespace", "task_queue", "workflow_type"})


class Described(NamedTuple):
    """One row of the page, or one metric of a process."""

    type: str
    labels: frozenset[str]


def documented() -> dict[str, dict[str, Described]]:
    """Process → metric → what the page says of it."""
    found: dict[str, dict[str, Described]] = {}
    process = ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            process = PROCESSES[line.removeprefix("## ")]
            found[process] = {}
        elif row := re.match(r"\| `([a-z_]+)` \| (\w+) \|([^|]*)\|", line):
            found[process][row[1]] = Described(row[2], frozenset(re.findall(r"`(\w+)`", row[3])))
    return found


def exposed(text: str) -> dict[str, Described]:
    """Metric → what a process tells of it; of a metric without samples the labels are not known."""
    found = {}
    for family in text_string_to_metric_families(text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        if name.endswith("_created"):
            continue
        labels = frozenset().union(*(sample.labels for sample in family.samples)) - frozenset(HELPERS)
        type = "untyped" if family.type == "unknown" else family.type
        found[name] = Described(type, labels)
    return found
