"""Parts made of small shell scripts: they start in a millisecond and do as told."""

from collections.abc import Callable
from dataclasses import replace

from deploy.local.layout import Layout
from deploy.local.part import Part

SERVE = "echo serving; exec sleep 1000"


def logs_line(layout: Layout, name: str, line: str = "serving") -> Callable[[], str | None]:
    """A probe that looks for a line in the part's log."""

    def ask() -> str | None:
        log = layout.log(name)
        return None if log.exists() and line in log.read_text() else f"no {line!r} yet"

    return ask


def scripted(layout: Layout, name: str, script: str = SERVE, **changes: object) -> Part:
    """A part that runs a shell script, and is ready once its log says `serving`."""
    part = Part(
        name=name,
        arguments=("/bin/sh", "-c", script),
        ready=logs_line(layout, name),
        environment={"PATH": "/usr/bin:/bin"},
        ready_within=5.0,
        stop_within=1.0,
    )
    return replace(part, **changes)  # type: ignore[arg-type]
