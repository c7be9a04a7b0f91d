"""Keeps the parts running: starts them in order, starts again what dies, stops everything at the end.

One supervisor per DIR, in a process of its own (`up --detach`) or inside the `up` that stays in the foreground. One
asyncio task per part walks wait → start → answer → end → pause, round and round. Commands talk to it by signals:
SIGTERM, SIGINT and SIGHUP (a closed terminal) stop the stack, SIGUSR1 says that there are restart requests in `run/`.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Sequence

from deploy.local.errors import LocalStackError, PartFailed
from deploy.local.layout import Layout
from deploy.local.part import Part
from deploy.local.parts import stop_order
from deploy.local.process import Process
from deploy.local.status import PartState, PartStatus, Phase, StackStatus

PAUSES = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds between the death of a part and its next start, growing while it keeps dying."""

STEADY_AFTER = 20.0
"""A run this long is a success: the next pause is the shortest again."""

RESTART_SIGNAL = signal.SIGUSR1
"""Tells a supervisor to look for restart requests."""

Observer = Callable[[StackStatus], None]
"""Told each time the status changes."""


class Supervisor:
    """The parts of one stack, and their life."""

    def __init__(
        self,
        parts: Sequence[Part],
        layout: Layout,
        observe: Observer | None = None,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._parts = {part.name: part for part in parts}
        self._layout = layout
        self._observe = observe
        self._pauses = pauses
        self._status = StackStatus(parts={name: PartStatus() for name in self._parts})
        self._answers = {name: asyncio.Event() for name in self._parts}
        self._running: dict[str, Process] = {}
        self._restarting: dict[str, asyncio.Event] = {name: asyncio.Event() for name in self._parts}
        self._stop = asyncio.Event()
        self._fatal: BaseException | None = None

    def stop(self) -> None:
        """Ask for the end; `run` returns when everything has stopped."""
        self._stop.set()

    async def run(self) -> None:
        """Run the stack until `stop`.

        Raises:
            LocalStackError: a part failed before the stack was up for the first time; the others are stopped.
        """
        self._report()
        tasks = [asyncio.create_task(self._keep(part), name=part.name) for part in self._parts.values()]
        tasks.append(asyncio.create_task(self._announce()))
        for task in tasks:
            task.add_done_callback(self._notice_defect)
        try:
            await self._stop.wait()
        finally:
            self._stop.set()
            self._status.phase = Phase.FAILED if self._fatal else Phase.STOPPING
            self._report()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._stop_all()
        if self._fatal:
            raise self._fatal

    async def restart(self, names: Sequence[str]) -> None:
        """Stop these parts, users first; their keepers start them again at once, in order."""
        for name in names:
            self._restarting[name].set()
            self._answers[name].clear()
        for group in stop_order([self._parts[name] for name in names]):
            await asyncio.gather(*(self._running[part.name].stop() for part in group if part.name in self._running))

    async def _keep(self, part: Part) -> None:
        status = self._status.parts[part.name]
        deaths = 0
        while True:
            self._change(part, state=PartState.WAITING, pid=None)
            for need in part.needs:
                await self._answers[need].wait()
            self._restarting[part.name].clear()
            started = time.monotonic()
            try:
                await self._run_once(part)
            except LocalStackError as error:
                if self._status.phase is Phase.STARTING and not self._restarting[part.name].is_set():
                    self._give_up(part, error)
                    return
                status.failure = str(error)
            self._answers[part.name].clear()
            if self._restarting[part.name].is_set():
                deaths = 0
                status.failure = None
                continue
            deaths = 0 if time.monotonic() - started > STEADY_AFTER else deaths
            self._change(part, state=PartState.FAILED, pid=None)
            with contextlib.suppress(TimeoutError):  # a restart request ends the pause
                pause = self._pauses[min(deaths, len(self._pauses) - 1)]
                await asyncio.wait_for(self._restarting[part.name].wait(), pause)
            deaths += 1

    async def _run_once(self, part: Part) -> None:
        """One run, from start to end. Returns only by way of an error, or when a restart ended it."""
        started = time.monotonic()
        process = await Process.start(part, self._layout)
        self._running[part.name] = process
        status = self._status.parts[part.name]
        self._change(part, state=PartState.STARTING, pid=process.pid, starts=status.starts + 1, ready_after=None)
        try:
            await process.wait_ready()
            await _settle(part)
            self._change(part, state=PartState.READY, ready_after=round(time.monotonic() - started, 3))
            self._answers[part.name].set()
            await process.wait_ended()
            if not self._restarting[part.name].is_set():
                raise PartFailed(process.obituary())
        except asyncio.CancelledError:
            raise  # the stack stops: users before what they use, so not here
        except BaseException:
            await process.stop()
            raise
        finally:
            if not self._stop.is_set():
                process.sweep()
                self._running.pop(part.name, None)

    async def _announce(self) -> None:
        for answers in self._answers.values():
            await answers.wait()
        self._status.phase = Phase.UP
        self._report()

    def _give_up(self, part: Part, error: LocalStackError) -> None:
        self._fail(error)
        self._change(part, state=PartState.FAILED, pid=None)

    def _notice_defect(self, task: asyncio.Task[None]) -> None:
        """A task that ends with an error of its own is a defect of ours; the stack must not limp on without it."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if self._fatal is None:
            self._fatal = error
            self._status.failure = str(error)
        self._stop.set()

    async def _stop_all(self) -> None:
        for group in stop_order(list(self._parts.values())):
            await asyncio.gather(*(self._stop_one(part) for part in group))

    async def _stop_one(self, part: Part) -> None:
        if process := self._running.pop(part.name, None):
            await process.stop()
        if self._status.parts[part.name].state is not PartState.FAILED:
            self._change(part, state=PartState.STOPPED, pid=None)

    def _change(self, part: Part, **news: object) -> None:
        status = self._status.parts[part.name]
        for name, value in news.items():
            setattr(status, name, value)
        self._report()

    def _report(self) -> None:
        # Neither a terminal that was closed nor a DIR that was deleted may keep the parts from being stopped.
        try:
            self._status.write(self._layout.status)
        except OSError:
            self._stop.set()
        if self._observe is not None:
            with contextlib.suppress(OSError):
                self._observe(self._status)


async def _settle(part: Part) -> None:
    """Do what the part wants done when it is up; whatever goes wrong there is a failure of the part, not of the stack.

    Raises:
        LocalStackError: something went wrong.
    """
    if part.settle is None:
        return
    try:
        await asyncio.to_thread(part.settle)
    except LocalStackError:
        raise
    except Exception as error:
        raise PartFailed(f"{part.name} could not be set up: {type(error).__name__}: {error}") from error


async def supervise(supervisor: Supervisor, layout: Layout, names: Sequence[str]) -> None:
    """Run a supervisor under this process's signals."""
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    def take_requests() -> None:
        asked = [name for name in names if layout.restart_request(name).exists()]
        for name in asked:
            layout.restart_request(name).unlink(missing_ok=True)
        task = loop.create_task(supervisor.restart(asked))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.stop)
    loop.add_signal_handler(RESTART_SIGNAL, take_requests)
    await supervisor.run()
