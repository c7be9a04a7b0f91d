"""The summary table: one row per case, printed at the end of the run."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Row:
    """One case. Times and counts are filled in by the test as far as it has them."""

    case: str
    converged: bool = False
    seconds: float | None = None
    """From the end of the fault until everything was as it should be."""
    writes: int | None = None
    """App Mesh writes that took effect, repeated ones included."""
    minimal: int | None = None
    """What it takes without faults."""

    @property
    def fault(self) -> str:
        """What struck: the case up to the colon, whichever dice were thrown."""
        return re.sub(r" \(seed \d+\)", "", self.case.partition(":")[0])

    @property
    def cells(self) -> tuple[str, ...]:
        """As text."""
        verdict = "converged" if self.converged else "FAILED"
        seconds = "" if self.seconds is None else f"{self.seconds:.1f} s"
        return self.case, verdict, seconds, _number(self.writes), _number(self.minimal)


class Table:
    """The rows of a run."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    @contextmanager
    def case(self, name: str) -> Iterator[Row]:
        """A row that counts as failed until the block has ended well."""
        row = Row(name)
        self.rows.append(row)
        yield row
        row.converged = True

    def lines(self) -> list[str]:
        """The table as text; empty without rows."""
        if not self.rows:
            return []
        cases = [("case", "verdict", "converged after", "writes", "minimal"), *(row.cells for row in self.rows)]
        return [*_table(cases), "", *_table([("fault", "converged", "p50", "max"), *self._faults()])]

    def _faults(self) -> Iterator[tuple[str, ...]]:
        """Each fault, then all of them: how many cases converged, and how long that took."""
        faults = dict.fromkeys(row.fault for row in self.rows)
        groups = {fault: [row for row in self.rows if row.fault == fault] for fault in faults} | {"all": self.rows}
        for fault, rows in groups.items():
            seconds = sorted(row.seconds for row in rows if row.seconds is not None)
            times = (f"{seconds[len(seconds) // 2]:.1f} s", f"{seconds[-1]:.1f} s") if seconds else ("", "")
            yield fault, f"{sum(row.converged for row in rows)} of {len(rows)}", *times


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """So far."""
        return time.monotonic() - self._began


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Aligned, with a rule below the first: words to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]

    def line(row: Sequence[str]) -> str:
        pairs = list(zip(row, widths, strict=True))
        cells = [text.ljust(width) for text, width in pairs[:2]] + [text.rjust(width) for text, width in pairs[2:]]
        return "  ".join(cells).rstrip()

    return [line(rows[0]), "  ".join("-" * width for width in widths), *map(line, rows[1:])]
