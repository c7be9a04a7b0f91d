"""Waiting for a condition instead of sleeping."""

import time
from collections.abc import Callable


def eventually(condition: Callable[[], object], within: float = 10.0) -> None:
    """Return as soon as the condition holds; fail when it does not in time."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"not within {within:g} s"
        time.sleep(0.01)
