"""The local stack as one object: for the commands, and for tests, benchmarks and the demo.

::

    with LocalStack(directory, StackSettings(fast=True)) as stack:
        client = boto3.client("appmesh", **...)       # stack.environment says where everything is
        stack.kill("worker")                          # it comes back by itself
        stack.wait_ready("worker")

`start` returns when every part answers; `stop` when nothing of it is left. Both may be called from any process that
knows DIR: the object holds no state but a handle on the supervisor that it started itself.
"""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import deploy
from deploy.local import parts, ports, session
from deploy.local.errors import LocalStackError, NotUp, PartFailed, SettingMissing
from deploy.local.layout import Layout
from deploy.local.plan import Plan, StackSettings
from deploy.local.process import tail
from deploy.local.process_identity import ProcessIdentity
from deploy.local.site import require_external
from deploy.local.status import PartState, Phase, StackStatus
from deploy.local.supervisor import RESTART_SIGNAL, Observer
from deploy.local.toolchain import Toolchain

__all__ = ["LocalStack", "StackSettings"]

_POLL = 0.02
_STOP_WITHIN = 45.0


class LocalStack:
    """A stack in a directory, up or not."""

    def __init__(
        self,
        directory: Path | str = ".meshwright",
        settings: StackSettings | None = None,
        toolchain: Toolchain | None = None,
    ) -> None:
        self.layout = Layout.at(Path(directory))
        self.settings = settings or StackSettings()
        self._toolchain = toolchain
        self._supervisor: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "LocalStack":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def is_up(self) -> bool:
        """Whether a supervisor is at work in the directory."""
        return session.is_up(self.layout)

    @property
    def environment(self) -> dict[str, str]:
        """What DIR/env exports.

        Raises:
            NotUp: no stack was ever started in the directory.
        """
        try:
            lines = self.layout.env.read_text().splitlines()
        except FileNotFoundError as error:
            raise NotUp(f"no stack was started in {self.layout.directory}") from error
        words = (shlex.split(line)[1] for line in lines)
        return {name: value for name, _, value in (word.partition("=") for word in words)}

    @property
    def status(self) -> StackStatus:
        """What the supervisor says.

        Raises:
            NotUp: there is none.
        """
        status = StackStatus.read(self.layout.status)
        if status is None or not self.is_up:
            raise NotUp(f"no stack is up in {self.layout.directory}")
        return status

    def plan(self) -> Plan:
        """Settings with a program for each part that needs one; may download or build, telling its progress."""
        # What can be known to be wrong is told now, and not after a build of ten minutes.
        require_external(self.settings.external, self._caller())
        if "kubernetes" in self.settings.external:
            session.require_kubeconfig(Path(self._caller()["KUBECONFIG"]))
        ports.require_distinct(self.settings.ports)
        names = parts.chosen(self.settings.parts, self.settings.external)
        needed = [parts.BINARIES[name] for name in names if name in parts.BINARIES]
        toolchain = self._toolchain or Toolchain.from_environment(self._caller())
        return Plan(self.settings, toolchain.resolve(needed))

    def start(self, observe: Observer | None = None) -> bool:
        """Start the stack under a supervisor of its own; False when it was up already.

        Raises:
            LocalStackError: a part did not come up; nothing is left running then.
        """
        self.layout.create()
        if started := not self.is_up:
            plan = self.plan()
            plan.write(self.layout.plan)
            self.layout.status.unlink(missing_ok=True)
            self._spawn()
        try:
            self._wait_up(observe if started else None)
        except KeyboardInterrupt:
            if started:
                self.stop()
            raise
        return started

    async def run(self, observe: Observer | None = None) -> None:
        """Run the stack inside this process until it is interrupted.

        Raises:
            LocalStackError: it is already up, or a part did not come up.
        """
        self.layout.create()
        if self.is_up:
            raise session.AlreadyUp(f"the stack in {self.layout.directory} is already up")
        await session.run(self.layout, self.plan(), self._caller(), observe)

    def stop(self) -> bool:
        """Stop everything that was started in the directory, whatever became of its supervisor; False if nothing ran.

        Only processes that are certainly ours are signalled.
        """
        if not self.layout.run.exists():
            return False
        ran = self.is_up
        if ran and (supervisor := self._find_supervisor()) is not None:
            supervisor.end(within=_STOP_WITHIN)
        if self._supervisor is not None:
            self._supervisor.terminate()  # it may not have taken the lock yet, and then nobody has told it
            self._supervisor.wait()
            self._supervisor = None
        with session.held(self.layout.lock, patience=2.0):
            left = session.clear_leftovers(self.layout)
            self.layout.status.unlink(missing_ok=True)
        return ran or left > 0

    def restart(self, *names: str, within: float = 90.0) -> None:
        """Stop these parts and wait until they answer again; without a name, all of them.

        Raises:
            NotUp: the stack is not up.
            SettingMissing: it has no such part.
            PartFailed: a part did not come back in time.
        """
        before = self.status
        asked = names or tuple(before.parts)
        if unknown := sorted(set(asked) - set(before.parts)):
            raise SettingMissing(f"this stack has no part {unknown[0]!r}; it has {', '.join(before.parts)}")
        for name in asked:
            self.layout.restart_request(name).touch()
        supervisor = self._find_supervisor()
        if supervisor is None or not supervisor.signal(RESTART_SIGNAL):
            raise NotUp(f"no stack is up in {self.layout.directory}")
        for name in asked:
            self._wait(name, within, more_starts_than=before.parts[name].starts)

    def kill(self, part: str, number: int = signal.SIGKILL) -> int:
        """Send a signal to a part, as an accident would; its pid. After a deadly signal the process is gone.

        Raises:
            NotUp: the part does not run.
        """
        identity = ProcessIdentity.read(self.layout.identity(part))
        if identity is None or not identity.signal(number):
            raise NotUp(f"{part} does not run in {self.layout.directory}")
        if number in (signal.SIGKILL, signal.SIGTERM):
            identity.wait_gone(_STOP_WITHIN)  # even SIGKILL takes a moment for a process with much memory
        return identity.pid

    def wait_ready(self, part: str | None = None, within: float = 60.0) -> None:
        """Wait until a part (or each) runs and answers; a part that was just killed does not count as ready.

        Raises:
            NotUp: the stack is not up.
            PartFailed: it did not answer in time.
        """
        for name in [part] if part else list(self.status.parts):
            self._wait(name, within)

    def log(self, part: str) -> Path:
        """The part's log file."""
        return self.layout.log(part)

    def _wait(self, name: str, within: float, more_starts_than: int = 0) -> None:
        deadline = time.monotonic() + within
        while True:
            found = self.status.parts[name]
            identity = ProcessIdentity.read(self.layout.identity(name))
            alive = identity is not None and identity.pid == found.pid and identity.alive
            if found.state is PartState.READY and alive and found.starts > more_starts_than:
                return
            if time.monotonic() > deadline:
                raise PartFailed(found.failure or f"{name} did not answer within {within:g} s")
            time.sleep(_POLL)

    def _find_supervisor(self) -> ProcessIdentity | None:
        """Who holds the lock. It says so a moment after it took the lock, so look more than once."""
        deadline = time.monotonic() + 2.0
        while self.is_up and time.monotonic() < deadline:
            identity = ProcessIdentity.read(self.layout.identity(session.SUPERVISOR))
            if identity is not None and identity.alive:
                return identity
            time.sleep(_POLL)
        return None

    def _caller(self) -> Mapping[str, str]:
        return {**os.environ, **self.settings.environment}

    def _spawn(self) -> None:
        root = str(Path(deploy.__file__).parents[1])
        caller = dict(self._caller())
        path = caller.get("PYTHONPATH")
        caller["PYTHONPATH"] = f"{root}{os.pathsep}{path}" if path else root
        with self.layout.log(session.SUPERVISOR).open("ab") as output:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-P", "-m", "deploy.local", str(self.layout.directory)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=caller,
                start_new_session=True,
            )

    def _wait_up(self, observe: Observer | None) -> None:
        seen: StackStatus | None = None
        while True:
            # The order matters: who has ended by now will not write any more.
            ended = self._supervisor is not None and self._supervisor.poll() is not None
            status = StackStatus.read(self.layout.status)
            if status is not None and status != seen:
                seen = status
                if observe is not None:
                    observe(status)
            if status is not None and status.phase is Phase.UP and self.is_up:
                return
            if ended or (self._supervisor is None and not self.is_up):
                raise LocalStackError((status and status.failure) or self._last_words())
            time.sleep(_POLL)

    def _last_words(self) -> str:
        log = self.layout.log(session.SUPERVISOR)
        return "\n    ".join([f"the supervisor ended; the last lines of {log}:", *tail(log)])
