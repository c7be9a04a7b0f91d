"""The commands of the documentation: read from its ```console blocks, and run in a shell as a reader would.

A block is a transcript: a line that begins with `$ ` is a command (and goes on while lines end with a backslash), what
follows it is what it prints. A command that prints nothing in the page may print anything. Before a block may stand
`<!-- not run: REASON -->`, where it needs what no test has.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_BLOCK = re.compile(
    r"(?P<before>[^\n]*\n\s*\n?)?^(?P<indent> *)```console\n(?P<body>.*?)^ *```$", re.MULTILINE | re.DOTALL
)
_NOT_RUN = re.compile(r"<!-- not run: (?P<why>.+?) -->")
_MARK = "--- it ended with"


@dataclass(frozen=True)
class Command:
    """What a page says one types, and what one then reads."""

    text: str
    prints: str
    line: int
    """Where in the page."""


@dataclass(frozen=True)
class Block:
    """One transcript."""

    commands: tuple[Command, ...]
    not_run: str | None
    """Why no test runs it."""
    line: int


class Failed(AssertionError):
    """A command did not do what the page says."""


def blocks(markdown: str) -> Iterator[Block]:
    """The transcripts of a page."""
    for found in _BLOCK.finditer(markdown):
        line = markdown[: found.start("body")].count("\n") + 1
        why = _NOT_RUN.search(found["before"] or "")
        indent = len(found["indent"])
        lines = [text[indent:] for text in found["body"].splitlines()]
        yield Block(tuple(_commands(lines, line)), why["why"] if why else None, line)


def _commands(lines: list[str], first: int) -> Iterator[Command]:
    at = 0
    while at < len(lines):
        if not lines[at].startswith("$ "):
            raise ValueError(f"line {first + at}: a transcript begins with a command")
        begun, text = at, lines[at][2:]
        while text.endswith("\\") and at + 1 < len(lines):
            at += 1
            text += "\n" + lines[at]
        at += 1
        printed = []
        while at < len(lines) and not lines[at].startswith("$ "):
            printed.append(lines[at])
            at += 1
        yield Command(text, "\n".join(printed).strip(), first + begun)


class Shell:
    """One shell, in which what a page says happens in order. It ends with the block, and so does all that it began."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self._log = directory / "shell.log"
        self._out = self._log.open("wb")
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-m"],
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=self._out,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> "Shell":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._shell.stdin is not None
        self._shell.stdin.write("kill $(jobs -p) 2> /dev/null; wait; exit\n")
        self._shell.stdin.close()
        self._shell.wait(60)
        self._out.close()

    def run(self, command: Command) -> str:
        """Run a command to its end; what it printed.

        Raises:
            Failed: it failed, or printed something else than the page says.
        """
        assert self._shell.stdin is not None
        begun = self._log.stat().st_size
        self._shell.stdin.write(f"{command.text}\necho '{_MARK}' $?\n")
        self._shell.stdin.flush()
        printed, code = self._until_mark(begun)
        if code != 0:
            raise Failed(f"line {command.line}: `{command.text}` ended with {code}:\n{printed[-3000:]}")
        if command.prints and command.prints not in printed:
            raise Failed(
                f"line {command.line}: `{command.text}` should print\n{command.prints}\nand printed\n{printed}"
            )
        return printed

    def _until_mark(self, begun: int) -> tuple[str, int]:
        while True:
            said = self._log.read_bytes()[begun:].decode(errors="replace")
            printed, mark, code = said.rpartition(_MARK)
            if mark and code.endswith("\n"):
                return printed.strip(), int(code)
            try:
                self._shell.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
            raise Failed(f"the shell itself ended:\n{said[-3000:]}")


def checkout(directory: Path) -> Path:
    """A folder that looks like a clone of this repository, in which commands may leave what they make."""
    for each in ROOT.iterdir():
        if each.name not in (".git", ".meshwright", "build", "dist"):
            (directory / each.name).symlink_to(each)
    return directory


def environment() -> dict[str, str]:
    """A reader's: nothing of what a developer may have set for Meshwright."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TEMPORAL_", "KUBE"))}
    return {name: value for name, value in kept.items() if not name.startswith("MESHWRIGHT_") or name in _PROGRAMS}


_PROGRAMS = {f"MESHWRIGHT_{name}" for name in ("ETCD", "KUBE_APISERVER", "KUBECTL", "TEMPORAL", "ENVOY", "HELM")}
