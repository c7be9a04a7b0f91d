"""One run of one part: started, watched until it answers, stopped.

The rule a newcomer would break: start processes from the main thread only. The kernel ties "die with the parent" to
the thread that forked, and a worker thread that ends would take the part along.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from deploy.local.errors import PartFailed
from deploy.local.layout import Layout
from deploy.local.part import Part
from deploy.local.process_identity import ProcessIdentity

_POLL = 0.03
_TAIL_LINES = 15
_LOG_LIMIT = 50 * 1024 * 1024


class Process:
    """A started part."""

    def __init__(self, part: Part, layout: Layout, child: asyncio.subprocess.Process, log_offset: int) -> None:
        self.part = part
        self._layout = layout
        self._child = child
        self._log_offset = log_offset
        self._swept = False

    @classmethod
    async def start(cls, part: Part, layout: Layout) -> "Process":
        """Start the part in a session of its own, its output appended to its log, its pid written down.

        Raises:
            PartFailed: the program cannot be executed.
        """
        if not os.access(part.arguments[0], os.X_OK):
            raise PartFailed(f"{part.name}: {part.arguments[0]} is not a program that can be run")
        log = layout.log(part.name)
        if log.exists() and log.stat().st_size > _LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as output:
            offset = output.tell()
            try:
                child = await asyncio.create_subprocess_exec(
                    *_tied_to_us(part.arguments),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=dict(part.environment),
                    start_new_session=True,
                )
            except OSError as error:
                raise PartFailed(f"{part.name}: cannot run {part.arguments[0]}: {error.strerror}") from error
        layout.pid(part.name).write_text(f"{child.pid}\n")
        if identity := ProcessIdentity.of(child.pid):
            identity.write(layout.identity(part.name))
        return cls(part, layout, child, offset)

    @property
    def pid(self) -> int:
        """Process id; also the id of the process group."""
        return self._child.pid

    async def wait_ready(self) -> None:
        """Wait until the part answers.

        Raises:
            PartFailed: it ended first, or did not answer in time; with the reason and the last lines of its log.
        """
        deadline = time.monotonic() + self.part.ready_within
        while True:
            lacking = await asyncio.to_thread(self.part.ready)
            if self._child.returncode is not None:
                raise PartFailed(self.obituary())
            if lacking is None:
                return
            if time.monotonic() > deadline:
                raise PartFailed(
                    f"{self.part.name} did not answer within {self.part.ready_within:g} s: {lacking}{self._tail()}"
                )
            await asyncio.sleep(_POLL)

    async def wait_ended(self) -> None:
        """Wait until the process ends, for whatever reason."""
        await self._child.wait()

    def obituary(self) -> str:
        """How the process ended, with its last words."""
        code = self._child.returncode or 0
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return f"{self.part.name} {how}{self._tail()}"

    async def stop(self) -> None:
        """Stop the process: politely, then for certain. Also ends what it left behind in its process group."""
        if self._child.returncode is None:
            self._child.terminate()
            try:
                await asyncio.wait_for(self._child.wait(), self.part.stop_within)
            except TimeoutError:
                self._child.kill()
                await self._child.wait()
        self.sweep()

    def sweep(self) -> None:
        """End leftovers of the process group, and forget the pid. Once only: the next run has the same files."""
        if self._swept:
            return
        self._swept = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._layout.pid(self.part.name).unlink(missing_ok=True)
        self._layout.identity(self.part.name).unlink(missing_ok=True)

    def _tail(self) -> str:
        log = self._layout.log(self.part.name)
        lines = tail(log, self._log_offset)
        if not lines:
            return f"; it logged nothing ({log})"
        return f"; the last lines of {log}:\n" + "\n".join(f"    {line}" for line in lines)


def tail(log: Path, offset: int = 0, lines: int = _TAIL_LINES) -> list[str]:
    """The last lines of a log, of what was written after `offset`."""
    try:
        with log.open("rb") as content:
            end = content.seek(0, os.SEEK_END)
            content.seek(max(offset, end - 64 * 1024))
            text = content.read().decode(errors="replace")
    except FileNotFoundError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]


def _tied_to_us(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The command line, run so that the kernel sends SIGTERM to it when the supervisor is gone.

    `setpriv` sets this up and then becomes the program, under the same pid. It comes with every usual Linux; where it
    is missing, the next `down` or `up` clears away what a killed supervisor left.
    """
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return (setpriv, "--pdeathsig", "TERM", "--", *arguments) if setpriv else arguments
