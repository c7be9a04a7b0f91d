"""Which processes belong to a stack: asked before it stops, and again afterwards."""

from collections.abc import Iterable

import psutil

from deploy.local.layout import Layout
from deploy.local.process_identity import ProcessIdentity


def processes(layout: Layout) -> dict[str, ProcessIdentity]:
    """The stack's own processes, by part; the supervisor is one of them."""
    files = sorted(layout.run.glob("*.identity"))
    found = {file.stem: ProcessIdentity.read(file) for file in files}
    return {name: identity for name, identity in found.items() if identity is not None and identity.alive}


def running(known: dict[str, ProcessIdentity], layout: Layout) -> list[str]:
    """Those of `known` that still run, and whatever else was given the stack's directory when it was started."""
    named = [f"{name} (pid {identity.pid})" for name, identity in known.items() if identity.alive]
    return [*named, *_with_directory(str(layout.directory), {identity.pid for identity in known.values()})]


def _with_directory(directory: str, but: Iterable[int]) -> list[str]:
    mine = {psutil.Process().pid, *(parent.pid for parent in psutil.Process().parents()), *but}
    found = []
    for process in psutil.process_iter():
        if process.pid in mine:
            continue
        try:
            words = [*process.cmdline(), *process.environ().values()]
            if any(directory in word for word in words):
                found.append(f"{process.name()} (pid {process.pid})")
        except psutil.Error:  # gone by now, or somebody else's
            continue
    return found
