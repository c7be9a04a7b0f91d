import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from deploy.local.errors import PartFailed
from deploy.local.layout import Layout
from deploy.local.process import Process, tail
from deploy.local.process_identity import ProcessIdentity
from tests.deploy.fake_parts import scripted


async def test_a_started_part_has_a_pid_file_a_log_and_answers(layout: Layout):
    """The contract of `run/` and `log/`: scripts read the pid with `cat`."""
    process = await Process.start(scripted(layout, "p"), layout)
    await process.wait_ready()
    assert layout.pid("p").read_text() == f"{process.pid}\n"
    assert "serving" in layout.log("p").read_text()
    await process.stop()
    assert not layout.pid("p").exists()
    assert ProcessIdentity.of(process.pid) is None


async def test_an_early_end_is_told_with_exit_code_and_last_words(layout: Layout):
    """Not as a time-out: the reason is in the exit code and in the log, and only this run's lines are shown."""
    layout.log("p").write_text("from the run before\n")
    process = await Process.start(scripted(layout, "p", "echo the disk is full >&2; exit 7"), layout)
    with pytest.raises(PartFailed) as failed:
        await process.wait_ready()
    assert "p ended with exit code 7" in str(failed.value)
    assert "the disk is full" in str(failed.value)
    assert "from the run before" not in str(failed.value)
    await process.stop()


async def test_a_killed_part_is_told_by_the_signal(layout: Layout):
    """Killed by SIGKILL reads better than exit code -9."""
    process = await Process.start(scripted(layout, "p"), layout)
    await process.wait_ready()
    os.kill(process.pid, signal.SIGKILL)
    await process.wait_ended()
    assert "p was killed by SIGKILL" in process.obituary()
    await process.stop()


async def test_a_part_that_never_answers_fails_with_what_it_lacked(layout: Layout):
    """The time-out names what the probe was told last."""
    process = await Process.start(scripted(layout, "p", "exec sleep 1000", ready_within=0.1), layout)
    with pytest.raises(PartFailed, match=r"p did not answer within 0.1 s: no 'serving' yet; it logged nothing"):
        await process.wait_ready()
    await process.stop()


async def test_a_program_that_cannot_be_executed_is_named(layout: Layout):
    """The message says which file, and why."""
    with pytest.raises(PartFailed, match="p: /no/such/program is not a program that can be run"):
        await Process.start(scripted(layout, "p", arguments=("/no/such/program",)), layout)


async def test_a_part_that_ignores_the_polite_signal_is_killed_with_its_children(layout: Layout):
    """After `stop_within` nothing of its process group is left."""
    script = "trap '' TERM; sleep 1000 & echo child $!; echo serving; while :; do sleep 0.02; done"
    process = await Process.start(scripted(layout, "p", script, stop_within=0.1), layout)
    await process.wait_ready()
    child = int(layout.log("p").read_text().split()[1])
    await process.stop()
    assert ProcessIdentity.of(process.pid) is None
    orphan = ProcessIdentity.of(child)
    assert orphan is None or await asyncio.to_thread(orphan.wait_gone, 5)


async def test_a_part_ends_with_its_supervisor(layout: Layout):
    """However the supervisor ended: the kernel sees to it."""
    supervisor = f"""
import asyncio
from pathlib import Path
from deploy.local.layout import Layout
from deploy.local.part import Part
from deploy.local.process import Process
part = Part("p", ("/bin/sh", "-c", "exec sleep 1000"), lambda: None, {{"PATH": "/usr/bin:/bin"}})
async def supervise():
    process = await Process.start(part, Layout.at(Path({str(layout.directory)!r})))
    print("started", flush=True)
    await process.wait_ended()
asyncio.run(supervise())
"""
    running = await asyncio.create_subprocess_exec(sys.executable, "-c", supervisor, stdout=asyncio.subprocess.PIPE)
    assert running.stdout is not None
    assert await running.stdout.readline() == b"started\n"
    part = ProcessIdentity.read(layout.identity("p"))
    assert part is not None
    assert part.alive
    running.kill()
    await running.wait()
    assert await asyncio.to_thread(part.wait_gone, 10)


async def test_sweeping_twice_leaves_the_next_run_its_pid_file(layout: Layout):
    """A run that ended must not take away what the next one wrote."""
    first = await Process.start(scripted(layout, "p"), layout)
    await first.stop()
    second = await Process.start(scripted(layout, "p"), layout)
    first.sweep()
    assert layout.pid("p").read_text() == f"{second.pid}\n"
    await second.stop()


def test_the_tail_is_the_last_lines_after_an_offset(tmp_path: Path):
    """Empty lines say nothing; a missing log has no lines."""
    log = tmp_path / "log"
    log.write_text("old\n" + "\n".join(f"line {number}\n" for number in range(30)))
    assert tail(log, offset=4, lines=2) == ["line 28", "line 29"]
    assert tail(tmp_path / "none") == []
