"""The summary table: one row per case, printed at the end of the run."""

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
        head = ("case", "verdict", "converged after", "writes", "minimal")
        cells = [head, *(row.cells for row in self.rows)]
        widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
        lines = ["  ".join(_aligned(line, widths)).rstrip() for line in cells]
        return [lines[0], "  ".join("-" * width for width in widths), *lines[1:], "", *self._summary()]

    def _summary(self) -> Iterator[str]:
        seconds = sorted(row.seconds for row in self.rows if row.seconds is not None)
        good = sum(row.converged for row in self.rows)
        yield f"{good} of {len(self.rows)} cases converged"
        if seconds:
            yield f"time to converge after the fault: p50 {seconds[len(seconds) // 2]:.1f} s, max {seconds[-1]:.1f} s"


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


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Words to the left, numbers to the right."""
    pairs = list(zip(cells, widths, strict=True))
    return [text.ljust(width) for text, width in pairs[:2]] + [text.rjust(width) for text, width in pairs[2:]]
