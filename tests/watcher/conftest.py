"""What the watcher's tests share: waiting for a condition on the event loop, and no waiting between retries."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from watcher import patience

Eventually = Callable[[Callable[[], object]], Awaitable[None]]


class Delays(Sequence[float]):
    """Three delays that take no time, and a list of which were taken."""

    def __init__(self) -> None:
        self.taken: list[int] = []

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: Any) -> Any:
        """Note it."""
        self.taken.append(index)
        return 0.0


@pytest.fixture(autouse=True)
def _no_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come at once."""
    monkeypatch.setattr(patience, "RETRY_SECONDS", (0.0,))


@pytest.fixture
def eventually() -> Eventually:
    """`turn_until`, for tests that wait."""
    return turn_until


async def turn_until(holds: Callable[[], object]) -> None:
    """Let the loop turn until something holds; what never holds fails within seconds."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - the condition is a plain fact of the objects under test
            await asyncio.sleep(0)
