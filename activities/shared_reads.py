"""One read for all who ask for the same at the same time.

When a mesh is applied with a hundred members, a hundred reconciles read it within a moment. Who asks while a read is
under way may not have its answer, which may be older than the question; but all of them can share the next one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedReads(Generic[T]):
    """Reads by key: at most one under way and one to come. Every answer was read after it was asked for."""

    def __init__(self, read: Callable[[str], Awaitable[T]]) -> None:
        self._read = read
        self._under_way: dict[str, asyncio.Task[T]] = {}
        self._to_come: dict[str, asyncio.Task[T]] = {}

    async def get(self, key: str) -> T:
        """What is there now. Answers are shared, so nobody may change them."""
        task = self._to_come.get(key)
        if task is None:
            before = self._under_way.get(key)
            task = asyncio.get_running_loop().create_task(self._after(before, key))
            if before is None:
                self._begin(key, task)
            else:
                self._to_come[key] = task
        # Shielded: one who gives up (a time limit has passed) must not take the answer from the others.
        return await asyncio.shield(task)

    async def _after(self, before: "asyncio.Task[T] | None", key: str) -> T:
        if before is not None:
            await asyncio.wait([before])
            self._begin(key, self._to_come.pop(key))
        return await self._read(key)

    def _begin(self, key: str, task: "asyncio.Task[T]") -> None:
        self._under_way[key] = task
        task.add_done_callback(lambda done: self._end(key, done))

    def _end(self, key: str, done: "asyncio.Task[T]") -> None:
        if self._under_way.get(key) is done:
            del self._under_way[key]
        if not done.cancelled():
            done.exception()  # whoever asked has been told; if all gave up, nobody need be
