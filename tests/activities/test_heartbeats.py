"""Signs of life: a call that takes long is known to be under way; one that tells its progress is left alone."""

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment
from temporalio.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
)

from activities.heartbeats import SignsOfLife


class Outbound(ActivityOutboundInterceptor):
    """Counts heartbeats, and says when there were some."""

    def __init__(self, until: int) -> None:
        self.enough = asyncio.Event()
        self.beats = 0
        self._until = until

    def heartbeat(self, *details: Any) -> None:
        """Count it; it has to come from the event loop."""
        assert threading.current_thread() is threading.main_thread()
        self.beats += 1
        if self.beats >= self._until:
            self.enough.set()


class Call(ActivityInboundInterceptor):
    """The activity itself; ends when it is let go."""

    def __init__(self, ends: asyncio.Event) -> None:
        self._ends = ends

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        """Nothing to prepare."""

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        """Last until it is let go."""
        await self._ends.wait()
        return "answer"


async def run(type: str, limit: timedelta | None, ends: asyncio.Event, outbound: Outbound) -> object:
    """An activity of this type, with signs of life around it."""
    alive = SignsOfLife(but_not=["Batch"]).intercept_activity(Call(ends))
    alive.init(outbound)
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, activity_type=type, heartbeat_timeout=limit)

    async def body() -> object:
        return await alive.execute_activity(ExecuteActivityInput(fn=body, args=[], executor=None, headers={}))

    return await environment.run(body)


async def test_a_long_call_gives_signs_of_life_until_it_ends() -> None:
    """Several of them in a heartbeat timeout; none after the answer."""
    outbound = Outbound(until=3)
    answer = await run("CreateRoute", timedelta(milliseconds=30), outbound.enough, outbound)
    assert answer == "answer"
    assert outbound.beats >= 3


@pytest.mark.parametrize(
    ("type", "limit"), [("Batch", timedelta(milliseconds=3)), ("CreateRoute", None)], ids=["progress", "no-timeout"]
)
async def test_others_are_left_alone(type: str, limit: timedelta | None) -> None:
    """What tells its progress by heartbeats would have it overwritten."""
    outbound, ends = Outbound(until=1), asyncio.Event()
    asyncio.get_running_loop().call_later(0.02, ends.set)
    assert await run(type, limit, ends, outbound) == "answer"
    assert outbound.beats == 0
