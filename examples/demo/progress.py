"""How resources come along: a table that changes in place on a terminal, a line for each change elsewhere."""

import time
from collections.abc import Callable, Collection, Mapping
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from examples.demo.cluster import Key, State

_STYLES = {"Active": "green", "gone": "dim", "applied": "dim"}


class Progress(Protocol):
    """Told again and again how everything stands; shows what is new."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, states: Mapping[Key, State]) -> None:
        """How everything stands now."""


class PlainLines:
    """A line for each resource that reaches a milestone."""

    def __init__(
        self,
        write: Callable[[Text], None],
        keys: Collection[Key],
        milestone: Callable[[State], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._width = max((len(key.name) for key in keys), default=0)
        self._milestone = milestone
        self._told: set[Key] = set()
        self._clock = clock
        self._started = clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, states: Mapping[Key, State]) -> None:
        """Write a line for each that is there now and was not before."""
        there = {key: state for key, state in states.items() if self._milestone(state)}
        for key, state in there.items():
            if key not in self._told:
                elapsed = f"{self._clock() - self._started:5.1f} s"
                self._write(Text(f"{elapsed}  {key.kind:<14}  {key.name:<{self._width}}  {state.sentence}"))
        self._told = set(there)


class LiveTable:
    """One table, drawn over and over; it stays on the screen as it was at the end."""

    def __init__(self, console: Console, indent: int) -> None:
        self._states: dict[Key, State] = {}
        self._indent = indent
        self._live = Live(console=console, auto_refresh=False, get_renderable=self._draw)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.refresh()
        self._live.stop()

    def show(self, states: Mapping[Key, State]) -> None:
        """Draw the table anew."""
        self._states.update(states)
        self._live.refresh()

    def _draw(self) -> Padding:
        return Padding(states_table(self._states), (0, 0, 0, self._indent), expand=False)


def states_table(states: Mapping[Key, State]) -> Table:
    """Kind, name and state of each resource."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for key, state in states.items():
        table.add_row(key.kind, key.name, Text(state.sentence, style=_STYLES.get(state.label, "yellow")))
    return table
