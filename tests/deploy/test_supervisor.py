import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from deploy.local.errors import LocalStackError, PartFailed
from deploy.local.layout import Layout
from deploy.local.part import Part
from deploy.local.process_identity import ProcessIdentity
from deploy.local.status import PartState, Phase, StackStatus
from deploy.local.supervisor import Supervisor
from tests.deploy.fake_parts import SERVE, scripted


class Watched:
    """A supervisor that runs, what it has said so far, and how it ended."""

    def __init__(self, layout: Layout, parts: Sequence[Part], pauses: Sequence[float]) -> None:
        self.supervisor = Supervisor(parts, layout, self._observe, pauses)
        self.history: list[str] = []
        self.error: BaseException | None = None
        self._layout = layout
        self._changed = asyncio.Event()

    @property
    def status(self) -> StackStatus:
        """The status as commands read it."""
        status = StackStatus.read(self._layout.status)
        assert status is not None
        return status

    async def until(self, condition: Callable[[StackStatus], object]) -> StackStatus:
        """The first status that meets the condition."""
        async with asyncio.timeout(10):
            while not condition(self.status):
                self._changed.clear()
                await self._changed.wait()
        return self.status

    def _observe(self, status: StackStatus) -> None:
        for name, part in status.parts.items():
            if (entry := f"{name} {part.state}") not in self.history:
                self.history.append(entry)
        self._changed.set()


@contextlib.asynccontextmanager
async def supervised(
    layout: Layout, parts: Sequence[Part], pauses: Sequence[float] = (0.0,), fails: bool = False
) -> AsyncIterator[Watched]:
    """Run a supervisor for the block; afterwards nothing of it may be left."""
    watched = Watched(layout, parts, pauses)
    running = asyncio.create_task(watched.supervisor.run())
    await asyncio.sleep(0)
    try:
        yield watched
    finally:
        watched.supervisor.stop()
        async with asyncio.timeout(10):
            await asyncio.gather(running, return_exceptions=True)
    watched.error = running.exception()
    assert (watched.error is not None) == fails
    assert {part.pid for part in watched.status.parts.values()} == {None}
    assert list(layout.run.glob("*.pid")) == []


def up(status: StackStatus) -> bool:
    """Every part answered."""
    return status.phase is Phase.UP


def failed(status: StackStatus) -> bool:
    """The start was given up."""
    return status.phase is Phase.FAILED


def runs(pid: int | None) -> bool:
    """Whether there is such a process."""
    return pid is not None and ProcessIdentity.of(pid) is not None


async def test_parts_start_after_what_they_need_answers(layout: Layout):
    """Not after it was started: after it answers."""
    parts = [scripted(layout, "user", needs=("base",)), scripted(layout, "base")]
    async with supervised(layout, parts) as stack:
        await stack.until(up)
        assert stack.history.index("base ready") < stack.history.index("user starting")


async def test_independent_parts_start_side_by_side(layout: Layout):
    """Each waits for a file that only the other makes: in sequence neither would ever answer."""
    folder = layout.directory

    def mutual(mine: str, other: str) -> str:
        return f"touch {folder}/{mine}; until [ -e {folder}/{other} ]; do sleep 0.01; done; {SERVE}"

    parts = [scripted(layout, "a", mutual("a", "b")), scripted(layout, "b", mutual("b", "a"))]
    async with supervised(layout, parts) as stack:
        await stack.until(up)


async def test_settling_is_done_before_dependents_start(layout: Layout):
    """What a part brings along (such as resource definitions) is there when others first use it."""
    settled: list[str] = []
    parts = [
        scripted(layout, "base", settle=lambda: settled.append("settled")),
        scripted(layout, "user", needs=("base",), settle=lambda: settled.append("user")),
    ]
    async with supervised(layout, parts) as stack:
        await stack.until(up)
    assert settled == ["settled", "user"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "asked-to-stop"])
async def test_a_part_that_dies_is_started_again(layout: Layout, number: signal.Signals):
    """However it went, and the others are left alone."""
    async with supervised(layout, [scripted(layout, "p"), scripted(layout, "other")]) as stack:
        before = (await stack.until(up)).parts
        assert before["p"].pid is not None
        os.kill(before["p"].pid, number)
        after = (await stack.until(lambda s: s.parts["p"].starts == 2 and s.parts["p"].state is PartState.READY)).parts
        assert after["p"].pid != before["p"].pid
        assert after["p"].failure is not None
        assert number.name in after["p"].failure
        assert after["other"] == before["other"]


async def test_pauses_grow_while_a_part_keeps_dying(layout: Layout):
    """A part that cannot live does not eat the machine: after the short pauses a long one comes."""
    died = layout.directory / "died"
    script = f"[ -e {died} ] && exit 3; {SERVE}"
    async with supervised(layout, [scripted(layout, "p", script)], pauses=(0.0, 0.0, 1000.0)) as stack:
        pid = (await stack.until(up)).parts["p"].pid
        assert pid is not None
        died.touch()
        os.kill(pid, signal.SIGKILL)
        # The first start, and one after each of the two short pauses.
        status = await stack.until(lambda s: s.parts["p"].starts == 3 and s.parts["p"].state is PartState.FAILED)
        assert status.parts["p"].failure is not None
        assert "exit code 3" in status.parts["p"].failure
        # A person who mended it need not wait for the pause to end.
        died.unlink()
        await stack.supervisor.restart(["p"])
        await stack.until(lambda s: s.parts["p"].state is PartState.READY)


async def test_a_failed_start_stops_everything_and_says_why(layout: Layout):
    """Until the stack was up once there is nobody to wait for a second try."""
    parts = [scripted(layout, "good"), scripted(layout, "bad", "echo no licence; exit 9", needs=("good",))]
    async with supervised(layout, parts, fails=True) as stack:
        good = (await stack.until(lambda s: s.parts["good"].pid)).parts["good"].pid
        status = await stack.until(lambda s: failed(s) and s.parts["good"].pid is None)
        assert not runs(good)
    assert isinstance(stack.error, PartFailed)
    assert "bad ended with exit code 9" in str(stack.error)
    assert "no licence" in str(stack.error)
    assert status.failure == str(stack.error)


async def test_a_failure_to_settle_is_a_failed_start(layout: Layout):
    """What could not be brought along is the reason that people see."""

    def refuse() -> None:
        raise LocalStackError("the API server refuses")

    async with supervised(layout, [scripted(layout, "p", settle=refuse)], fails=True) as stack:
        assert (await stack.until(failed)).failure == "the API server refuses"


async def test_whatever_goes_wrong_in_settling_is_a_failed_start(layout: Layout):
    """An error that nobody foresaw must not leave a stack that never comes up; the part is named."""

    def defect() -> None:
        raise ZeroDivisionError("by zero")

    async with supervised(layout, [scripted(layout, "p", settle=defect)], fails=True) as stack:
        await stack.until(failed)
    assert isinstance(stack.error, PartFailed)
    assert str(stack.error) == "p could not be set up: ZeroDivisionError: by zero"


async def test_a_failure_to_settle_later_starts_the_part_again(layout: Layout):
    """A part that dies once more while it is being settled takes nobody with it."""
    outcomes = iter([None, ConnectionResetError("by peer"), None])

    def settle() -> None:
        if (outcome := next(outcomes)) is not None:
            raise outcome

    parts = [scripted(layout, "p", settle=settle), scripted(layout, "other")]
    async with supervised(layout, parts) as stack:
        before = (await stack.until(up)).parts
        assert before["p"].pid is not None
        os.kill(before["p"].pid, signal.SIGKILL)
        after = (await stack.until(lambda s: s.parts["p"].starts == 3 and s.parts["p"].state is PartState.READY)).parts
        assert after["p"].failure == "p could not be set up: ConnectionResetError: by peer"
        assert after["other"] == before["other"]


async def test_users_are_stopped_before_what_they_use(layout: Layout):
    """While the user says goodbye its base still answers."""
    order = layout.directory / "order"
    parts = [
        scripted(
            layout, name, f"trap 'echo {name} >> {order}; exit 0' TERM; echo serving; while :; do sleep 0.01; done"
        )
        for name in ("base", "user")
    ]
    parts = [parts[0], scripted(layout, "user", parts[1].arguments[2], needs=("base",))]
    async with supervised(layout, parts) as stack:
        await stack.until(up)
    assert order.read_text().split() == ["user", "base"]


async def test_a_restart_changes_the_pid_of_that_part_only(layout: Layout):
    """And it is no failure: no pause, no complaint."""
    parts = [scripted(layout, "p"), scripted(layout, "other")]
    async with supervised(layout, parts, pauses=(1000.0,)) as stack:
        before = (await stack.until(up)).parts
        await stack.supervisor.restart(["p"])
        after = (await stack.until(lambda s: s.parts["p"].starts == 2 and s.parts["p"].state is PartState.READY)).parts
        assert runs(after["p"].pid)
        assert not runs(before["p"].pid)
        assert after["p"].failure is None
        assert after["other"] == before["other"]
        assert layout.pid("p").read_text() == f"{after['p'].pid}\n"


async def test_restarting_all_starts_in_order_again(layout: Layout):
    """The user waits for its base, as at the first start."""
    folder = layout.directory
    parts = [
        scripted(layout, "base", f"sleep 0.05; touch {folder}/base; {SERVE}"),
        scripted(layout, "user", f"[ -e {folder}/base ] || exit 5; {SERVE}", needs=("base",)),
    ]
    async with supervised(layout, parts, pauses=(1000.0,)) as stack:
        await stack.until(up)
        (folder / "base").unlink()
        layout.log("base").unlink()
        await stack.supervisor.restart(["base", "user"])
        await stack.until(lambda s: all(p.starts == 2 and p.state is PartState.READY for p in s.parts.values()))


async def test_stopping_in_mid_start_leaves_nothing(layout: Layout):
    """Whoever changes their mind early gets a clean machine as well."""
    async with supervised(layout, [scripted(layout, "p", "exec sleep 1000")]) as stack:
        pid = (await stack.until(lambda s: s.parts["p"].pid)).parts["p"].pid
    assert not runs(pid)
    assert list(layout.run.glob("*.pid")) == []


async def test_a_display_that_is_gone_does_not_stop_the_stack(layout: Layout):
    """A closed pipe is the reader's affair."""
    told = asyncio.Event()

    def broken(status: StackStatus) -> None:
        if up(status):
            told.set()
        raise BrokenPipeError

    supervisor = Supervisor([scripted(layout, "p")], layout, broken)
    running = asyncio.create_task(supervisor.run())
    await asyncio.wait_for(told.wait(), 10)
    supervisor.stop()
    await running


async def test_a_deleted_directory_stops_the_stack(layout: Layout):
    """Nobody could ever stop it otherwise: the pid files went with the directory."""
    supervisor = Supervisor([scripted(layout, "p")], layout)
    running = asyncio.create_task(supervisor.run())
    await asyncio.sleep(0)
    shutil.rmtree(layout.run)
    await asyncio.wait_for(running, 10)
