"""`meshwright status --watch`: what is shown of it, on a terminal and in a pipe. Pure, save for the printing.

A terminal shows the whole as it stands, over and over; where it is too low for all rows, those that nobody has to look
at go first. A pipe gets one table, and then each row that has changed.
"""

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from cli.standing import Standing, sorted_standings
from cli.standings import table
from cli.tables import Rows

GONE = "Gone"
"""Said in place of a phase when a resource is no longer there."""

Seen = Mapping[tuple[str, str, str], Standing]


async def watch(changes: AsyncIterator[list[dict[str, Any]]]) -> None:
    """Show all resources, again with every change, for as long as there are any."""
    if sys.stdout.isatty():
        await _on_a_terminal(changes)
    else:
        await _in_a_pipe(changes)


async def _on_a_terminal(changes: AsyncIterator[list[dict[str, Any]]]) -> None:
    with Live(auto_refresh=False) as live:
        async for resources in changes:
            live.update(fitted(sorted_standings(resources), live.console), refresh=True)


async def _in_a_pipe(changes: AsyncIterator[list[dict[str, Any]]]) -> None:
    seen: Seen | None = None
    async for resources in changes:
        found = sorted_standings(resources)
        news = table(found) if seen is None else news_of(seen, found)
        if news.rows or seen is None:
            news.print()
            sys.stdout.flush()
        seen = _by_place(found)


def fitted(found: Sequence[Standing], console: Console) -> Rows | Group:
    """All rows, or as many as the terminal has room for: who waits or fails before who is active, and how many more."""
    height = max(console.height - 1, 2)  # a line is the cursor's
    if len(found) < height and _lines(table(found), console) <= height:
        return table(found)
    urgent = sorted(found, key=lambda each: each.settled)
    fits, over = 0, min(len(urgent), height)
    while fits < over:  # how many lines a row takes is known only when it is laid out
        middle = (fits + over + 1) // 2
        if _lines(table(urgent[:middle]), console) < height:
            fits = middle
        else:
            over = middle - 1
    return Group(table(urgent[:fits]), Text(_more(urgent[fits:])))


def news_of(seen: Seen, found: Sequence[Standing]) -> Rows:
    """The rows of what stands otherwise than before, and of what has gone; without headings."""
    now = _by_place(found)
    rows = table([each for place, each in now.items() if seen.get(place) != each])
    gone = table([each for place, each in seen.items() if place not in now])
    left = [(resource, mesh, GONE, "", "") for resource, mesh, *_ in gone.rows]
    return Rows(rows.headings, [*rows.rows, *left], folds=rows.folds, headed=False)


def _by_place(found: Sequence[Standing]) -> Seen:
    return {(each.kind, each.namespace, each.name): each for each in found}


def _lines(rows: Rows, console: Console) -> int:
    return len(console.render_lines(rows, console.options, pad=False))


def _more(hidden: Sequence[Standing]) -> str:
    unsettled = sum(not each.settled for each in hidden)
    return f"and {len(hidden)} more, {'all of them active' if not unsettled else f'{unsettled} of them not active'}"
