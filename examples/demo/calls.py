"""Which App Mesh calls were made: the control plane's own counter, and the difference between two looks at it."""

import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families
from rich.table import Table

from examples.demo.errors import DemoError

_COUNTER = "appmesh_api_requests_total"
SUCCESS = "200"
_READS = ("Describe", "List")


@dataclass(frozen=True)
class Calls:
    """How often each operation was called, by operation and outcome: `200` or an error's code."""

    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @classmethod
    def parse(cls, exposition: str) -> "Calls":
        """From the text of the control plane's `/metrics`."""
        return cls(
            {
                (sample.labels["operation"], sample.labels["code"]): int(sample.value)
                for family in text_string_to_metric_families(exposition)
                for sample in family.samples
                if sample.name == _COUNTER
            }
        )

    def since(self, before: "Calls") -> "Calls":
        """What was called after an earlier look."""
        grown = {key: count - before.counts.get(key, 0) for key, count in self.counts.items()}
        return Calls({key: count for key, count in grown.items() if count})

    @property
    def reads(self) -> int:
        """Calls that ask."""
        return sum(count for (operation, _), count in self.counts.items() if operation.startswith(_READS))

    @property
    def writes(self) -> int:
        """Calls that change something, or would have."""
        return sum(self.counts.values()) - self.reads

    @property
    def refused(self) -> int:
        """Calls that App Mesh answered with an error."""
        return sum(count for (_, code), count in self.counts.items() if code != SUCCESS)

    @property
    def total(self) -> str:
        """`14 writes, 0 reads`."""
        return f"{_plural(self.writes, 'write')}, {_plural(self.reads, 'read')}"


def fetch(environment: Mapping[str, str]) -> Calls:
    """The counter as it stands.

    Raises:
        DemoError: the control plane does not answer.
    """
    url = f"{environment['AWS_ENDPOINT_URL_APP_MESH']}/metrics"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=10) as answer:
            return Calls.parse(answer.read().decode())
    except OSError as error:
        raise DemoError(f"{url} does not answer: {error}") from error


def table(calls: Calls) -> Table:
    """Operation and count, one line each, with what was refused."""
    rows = Table.grid(padding=(0, 3, 0, 0))
    rows.add_column(no_wrap=True)
    rows.add_column(justify="right", no_wrap=True)
    rows.add_column(no_wrap=True, style="yellow")
    for operation in dict.fromkeys(operation for operation, _ in calls.counts):
        codes = {code: count for (name, code), count in calls.counts.items() if name == operation}
        refused = ", ".join(f"{count} refused: {code}" for code, count in codes.items() if code != SUCCESS)
        rows.add_row(operation, str(sum(codes.values())), refused)
    rows.add_row("in all", calls.total, "")
    return rows


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
