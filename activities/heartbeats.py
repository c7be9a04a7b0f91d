"""Signs of life for calls that take long: so that a call which died with its worker is soon made again.

Without them Temporal could only wait for the time limit of the call, which has to be as long as a slow answer. A call
that is answered quickly, as nearly all are, gives no sign and costs nothing more.
"""

import asyncio
from collections.abc import Collection
from typing import Any

from temporalio import activity
from temporalio.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)


class SignsOfLife(Interceptor):
    """Heartbeats for activities that have a heartbeat timeout, three in each, as long as they run."""

    def __init__(self, but_not: Collection[str] = ()) -> None:
        """Leave out activities of these types: they tell their progress themselves, and would have it overwritten."""
        self._but_not = frozenset(but_not)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Put the heartbeats around every activity."""
        return _Alive(next, self._but_not)


class _Alive(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, but_not: frozenset[str]) -> None:
        super().__init__(next)
        self._but_not = but_not

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        # Not `activity.heartbeat`: while a synchronous activity runs, that one may only be called from its thread.
        self._outbound = outbound
        super().init(outbound)

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        if info.heartbeat_timeout is None or info.activity_type in self._but_not:
            return await self.next.execute_activity(input)
        self._plan_next(info.heartbeat_timeout.total_seconds() / 3)
        try:
            return await self.next.execute_activity(input)
        finally:
            self._planned.cancel()

    def _plan_next(self, seconds: float) -> None:
        self._planned = asyncio.get_running_loop().call_later(seconds, self._beat, seconds)

    def _beat(self, seconds: float) -> None:
        self._outbound.heartbeat()
        self._plan_next(seconds)
