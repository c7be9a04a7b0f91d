"""Asked to stop: SIGTERM and SIGINT as something that a coroutine can wait for."""

import asyncio
import signal


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
