"""Waiting for a condition instead of sleeping: ask again until the answer is right, or else show the last.

A deadline here is a safety net and never a statement about speed.
"""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL = 0.05
"""Seconds between two questions."""

PATIENCE = 120.0
"""Seconds that anything may take on a busy machine, recovery from a killed process included."""


def until(
    ask: Callable[[], T],
    accept: Callable[[T], object] = bool,
    what: str = "",
    within: float = PATIENCE,
    every: float = POLL,
) -> T:
    """Ask until the answer is accepted, and return it.

    Args:
        ask: Looks at the world; what it returns is shown on failure.
        accept: Whether the answer is the one that is waited for.
        what: What is waited for, in words.
        within: Seconds after which the wait fails.
        every: Seconds between two questions; 0 asks as fast as it can.
    """
    deadline = time.monotonic() + within
    while True:
        answer = ask()
        if accept(answer):
            return answer
        assert time.monotonic() < deadline, f"waited {within:g} s for {what or 'a condition'}; at last: {answer!r}"
        time.sleep(every)
