"""Tables as commands print them: fitted to a terminal, and one line for each row to whatever else reads them.

A command says what the rows are and which columns may be folded; how wide they come out is decided here alone, so that
`grep` and `awk` never meet half a row.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

_UNBOUNDED = 1_000_000
"""Columns: more than any line has."""


@dataclass(frozen=True)
class Cell:
    """What stands in a place that has a colour; plain text needs none."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Rows:
    """A table, to be printed, or given to rich."""

    headings: tuple[str, ...]
    rows: Sequence[Sequence[str | Cell]]
    folds: frozenset[str] = frozenset()
    """Headings of the columns that take several lines where the terminal is too narrow; the others are cut off."""
    headed: bool = True
    """Whether the headings are printed: not below rows that were printed before."""

    def __rich__(self) -> "Table":
        return self._table(self.rows)

    def print(self) -> None:
        """Print it, for a person or for a pipe. `COLUMNS` is obeyed in both."""
        from rich.console import Console

        if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
            Console().print(self)
            return
        console = Console(width=_UNBOUNDED)
        with console.capture() as captured:
            console.print(self._table([[_in_one_line(cell) for cell in row] for row in self.rows]))
        for line in captured.get().splitlines():
            print(line.rstrip())

    def _table(self, rows: Sequence[Sequence[str | Cell]]) -> "Table":
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, show_header=self.headed)
        for heading in self.headings:
            table.add_column(heading, no_wrap=heading not in self.folds, overflow="fold")
        for row in rows:
            cells = (Cell(each) if isinstance(each, str) else each for each in row)
            table.add_row(*(Text(each.text, style=each.style) for each in cells))  # no markup: names may have brackets
        return table


def _in_one_line(cell: str | Cell) -> Cell:
    text, style = (cell, "") if isinstance(cell, str) else (cell.text, cell.style)
    return Cell(" ".join(text.split()), style)
