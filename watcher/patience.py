"""How long the watcher waits before it asks again, and asking until there is an answer: the one place for both."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

log = structlog.get_logger(__name__)

T = TypeVar("T")

RETRY_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


def retry_delay(failures: int) -> float:
    """Seconds to wait after a failure, when there were so many in a row before it."""
    return RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]


async def until_answered(ask: Callable[[], Awaitable[T]], otherwise: str) -> T:
    """Ask until there is an answer, whatever the failures.

    Args:
        ask: asks once.
        otherwise: what a failure means, for the log.
    """
    failures = 0
    while True:
        try:
            return await ask()
        except Exception as error:  # whatever the reason: what is asked for is needed
            delay = retry_delay(failures)
            log.warning(otherwise, error=str(error)[:200], retry_in=delay)
            await asyncio.sleep(delay)
            failures += 1
