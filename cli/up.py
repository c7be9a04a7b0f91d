"""`meshwright up`: start the local stack, and stay with it or leave it to a supervisor."""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.errors import LocalStackError, SettingMissing
from deploy.local.plan import StackSettings
from deploy.local.session import AlreadyUp
from deploy.local.stack import LocalStack
from deploy.local.status import PartState, Phase, StackStatus

Directory = Annotated[
    Path, typer.Option("--dir", envvar="MESHWRIGHT_DIR", help="Where the stack keeps everything.", file_okay=False)
]
DIRECTORY = Path(".meshwright")
_HIGHEST_PORT = 65535


def up(
    directory: Directory = DIRECTORY,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return as soon as every part answers.")] = False,
    external: Annotated[
        str,
        typer.Option(
            envvar="MESHWRIGHT_EXTERNAL",
            help="Use what the environment names instead of an own one: app-mesh (AWS_ENDPOINT_URL_APP_MESH), "
            "kubernetes (KUBECONFIG), temporal (TEMPORAL_ADDRESS); comma-separated.",
        ),
    ] = "",
    parts: Annotated[
        str, typer.Option(envvar="MESHWRIGHT_PARTS", help="Start only these parts; comma-separated. Default: all.")
    ] = "",
    ports: Annotated[
        str,
        typer.Option(
            "--ports", envvar="MESHWRIGHT_PORTS", help="Fixed ports, as in temporal-ui=8233,control-plane=8080."
        ),
    ] = "",
    fast: Annotated[
        bool, typer.Option(envvar="MESHWRIGHT_FAST", help="Do not wait for the disk: for tests, not for data.")
    ] = False,
) -> None:
    """Start the local stack: etcd, kube-apiserver, Temporal, control plane, Cloud Map, watcher, worker.

    Missing programs are downloaded or built first. What was stored in the directory before is there again.
    """
    display = Display()
    try:
        settings = _settings(external, parts, ports, fast)
        stack = LocalStack(directory, settings)
        if detach:
            started = stack.start(display.show)
            print(_summary(stack) if started else _already_up(stack))
        else:
            display.on_up = lambda: print(f"{_summary(stack)}\nCtrl-C stops it.", flush=True)
            asyncio.run(stack.run(display.show))
            print("Stopped.")
    except AlreadyUp:
        print(_already_up(LocalStack(directory)))
    except LocalStackError as error:
        raise ended("up", error) from error


def ended(command: str, error: LocalStackError) -> typer.Exit:
    """Says why a command ends, and how: with 2 where it was used wrongly, else with 1."""
    print(f"meshwright {command}: {error}", file=sys.stderr)
    return typer.Exit(2 if isinstance(error, SettingMissing) else 1)


class Display:
    """Prints a line when something changes for a part."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._seen: dict[str, tuple[PartState, int]] = {}
        self._was_up = False
        self.on_up: Callable[[], None] = lambda: None

    def show(self, status: StackStatus) -> None:
        """Print what is new."""
        for name, part in status.parts.items():
            now = (part.state, part.starts)
            if self._seen.get(name) == now:
                continue
            self._seen[name] = now
            if part.state is PartState.READY:
                again = f", start {part.starts}" if part.starts > 1 else ""
                print(f"  {name:<16}ready after {part.ready_after:.1f} s (pid {part.pid}{again})", flush=True)
            elif part.state is PartState.FAILED and status.phase is Phase.UP:
                print(f"  {part.failure}\n  {name:<16}is started again", flush=True)
        if status.phase is Phase.UP and not self._was_up:
            self._was_up = True
            print(f"Up after {time.monotonic() - self._started:.1f} s.", flush=True)
            self.on_up()


def _already_up(stack: LocalStack) -> str:
    down = [name for name, part in stack.status.parts.items() if part.state is not PartState.READY]
    lacking = f", but {', '.join(down)} does not answer at the moment; see {stack.layout.logs}" if down else ""
    return f"The stack in {stack.layout.directory} is already up{lacking}."


def _summary(stack: LocalStack) -> str:
    environment = stack.environment
    lines = [f'Use it from a shell:  eval "$(meshwright env --dir {stack.layout.directory})"']
    if ui := environment.get("MESHWRIGHT_TEMPORAL_UI"):
        lines.append(f"Temporal UI:          {ui}")
    return "\n".join(lines)


def _settings(external: str, parts: str, ports: str, fast: bool) -> StackSettings:
    names = _words(parts)
    fixed: dict[str, int] = {}
    for word in _words(ports):
        name, _, number = word.partition("=")
        if not (number.isascii() and number.isdigit() and 0 < int(number) <= _HIGHEST_PORT):
            raise SettingMissing(f"--ports: {word!r} is not NAME=NUMBER, a number from 1 to {_HIGHEST_PORT}")
        fixed[name] = int(number)
    settings = StackSettings(external=frozenset(_words(external)), ports=fixed, fast=fast)
    return settings if not names else StackSettings(names, settings.external, fixed, fast)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
