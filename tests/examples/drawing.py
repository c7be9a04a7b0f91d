"""Rendering to text as the demo does it in a pipe."""

import io

from rich.console import Console, RenderableType

from examples.demo.screen import PLAIN_WIDTH, Screen


def screen_and_text(terminal: bool = False) -> tuple[Screen, io.StringIO]:
    """A screen, and where what it prints ends up."""
    text = io.StringIO()
    console = Console(
        file=text,
        width=PLAIN_WIDTH,
        highlight=False,
        force_terminal=terminal,
        color_system="standard" if terminal else None,
        _environ={},
    )
    return Screen(console), text


def drawn(content: RenderableType) -> str:
    """What `Screen.show` prints."""
    screen, text = screen_and_text()
    screen.show(content)
    return text.getvalue()
