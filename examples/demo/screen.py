"""The demo's page: chapters with a title line, indented text, and statements that are checked before they are printed.

Colours and the live table appear on a terminal only; in a pipe or a file the same words come as plain lines.
"""

import time
from collections.abc import Callable, Collection, Iterable

from rich.console import Console, RenderableType
from rich.text import Text

from examples.demo.cluster import Key, State
from examples.demo.errors import Untrue
from examples.demo.progress import LiveTable, PlainLines, Progress

PLAIN_WIDTH = 120
"""Columns to use where no terminal says how many it has."""

INDENT = 3
"""Columns between the margin and what a chapter shows."""


class Screen:
    """Where the demo prints."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or standard_console()
        self._chapter = 0
        self._started = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the demo began."""
        return time.monotonic() - self._started

    def title(self, text: str) -> None:
        """Begin a chapter."""
        self._chapter += 1
        self.console.print()
        self.console.print(Text(f"{self._chapter}  {text}", style="bold"))

    def show(self, content: RenderableType) -> None:
        """Text, a table or a tree, as part of the chapter."""
        with self.console.capture() as captured:
            if isinstance(content, str):  # never wrapped: it may be a command or an address to copy
                self.console.print(Text(content), soft_wrap=True)
            else:
                self.console.print(content, width=self.console.width - INDENT)
        for line in captured.get().splitlines():
            self.console.file.write(f"{' ' * INDENT}{line.rstrip()}\n")
        self.console.file.flush()

    def headline(self, text: str) -> None:
        """A line at the margin."""
        self.console.print(Text(text, style="bold"))

    def state(self, statement: str, holds: bool, otherwise: str | Callable[[], str] = "") -> None:
        """Print what is true.

        Raises:
            Untrue: it is not; `otherwise` says what is so instead.
        """
        if not holds:
            instead = otherwise if isinstance(otherwise, str) else otherwise()
            raise Untrue(f"not true: {statement}" + (f"\n{instead}" if instead else ""))
        self.show(Text.assemble(("✓ ", "bold green"), statement))

    def failure(self, message: str, hints: Iterable[str]) -> None:
        """Why the demo ends early, and where to look."""
        first, *rest = message.splitlines()
        self.console.print()
        self.console.print(Text.assemble(("✗  ", "bold red"), (first, "bold")))
        for line in [*rest, *hints]:
            self.show(line)

    def progress(self, keys: Collection[Key], milestone: Callable[[State], bool]) -> Progress:
        """Something that shows how these resources come along; in a pipe only their milestones. A context manager."""
        if self.console.is_terminal:
            return LiveTable(self.console, INDENT)
        return PlainLines(self.show, keys, milestone)


def standard_console() -> Console:
    """Standard output, as wide as its terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PLAIN_WIDTH)
