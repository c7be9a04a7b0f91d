"""Tasks that last: what becomes known of one that does not."""

import asyncio

import pytest
from structlog.testing import capture_logs

from control_plane.xds.lasting import LastingTasks


async def fail() -> None:
    """A task with a bug."""
    raise KeyError("Instances")


async def end() -> None:
    """A task that is done, and should never be."""


async def give_up() -> None:
    """A task that something in it has cancelled."""
    raise asyncio.CancelledError


async def last() -> None:
    """A task as it should be."""
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("task", "says"),
    [
        pytest.param(fail, "KeyError('Instances')", id="fails"),
        pytest.param(end, "RuntimeError('looking has ended, and should not')", id="ends"),
        pytest.param(give_up, "RuntimeError('looking has ended, and should not')", id="is cancelled"),
    ],
)
async def test_a_task_that_ends_by_itself_is_a_fault(task, says):
    """It is logged with its name and exception, and the first one stands; the others go on until they are stopped."""
    tasks = LastingTasks()
    with capture_logs() as logs:
        tasks.start("lasting", last())
        tasks.start("looking", task())
        assert tasks.fault is None
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        first = tasks.fault
        await tasks.stop()
    assert repr(first) == says
    assert tasks.fault is first
    assert [(each["part"], each["exc_info"]) for each in logs] == [("looking", first)]


async def test_tasks_that_are_stopped_have_no_fault():
    """And none is left over."""
    tasks = LastingTasks()
    with capture_logs() as logs:
        tasks.start("lasting", last())
        await tasks.stop()
        await asyncio.sleep(0)
    assert tasks.fault is None
    assert logs == []
    assert asyncio.all_tasks() == {asyncio.current_task()}
