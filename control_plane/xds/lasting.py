"""Tasks that last as long as the process. One that ends by itself has a fault of ours, and is not begun again.

Nobody would see that it is gone: all else would go on beside it, from a state that never changes any more. So whoever
runs them looks at `fault`, and ends the process where there is one: what is started afresh has the whole again.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger("control_plane.xds")


class LastingTasks:
    """Tasks side by side, until they are stopped."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self.fault: BaseException | None = None
        """Why the first that ended by itself did so; None: all run, or were stopped."""

    def start(self, name: str, run: Coroutine[Any, Any, None]) -> None:
        """Begin another one; the name is for the log."""
        task = asyncio.create_task(run, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    async def stop(self) -> None:
        """Cancel all, and wait until they have ended."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._stopping:
            return
        error = None if task.cancelled() else task.exception()
        fault = error or RuntimeError(f"{task.get_name()} has ended, and should not")
        log.error("a part of the data plane has ended", part=task.get_name(), exc_info=fault)
        self.fault = self.fault or fault
