"""Asked to stop: SIGTERM and SIGINT as something that a coroutine can wait for, and what that ends.

A process that waits for others in the beginning has to wait by `unless`: to be stopped then is no fault, and must not
take as long as they do.
"""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Stopped(Exception):
    """Asked to stop before there was what was waited for."""


def stop_requested() -> asyncio.Event:
    """An event that is set by the first SIGTERM or SIGINT. A second one ends the process the hard way."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask(number: signal.Signals) -> None:
        stop.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask, number)
    return stop


async def unless(stop: asyncio.Event, waiting: Coroutine[Any, Any, T]) -> T:
    """What is waited for.

    Raises:
        Stopped: asked to stop before it was there; it is no longer waited for.
    """
    waited, stopping = asyncio.ensure_future(waiting), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({waited, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not waited.done():
            log.info("stopping")
            raise Stopped
        return waited.result()
    finally:
        for each in (waited, stopping):
            each.cancel()
        await asyncio.gather(waited, stopping, return_exceptions=True)
