"""Memory and CPU of the stack's parts, by /proc through psutil."""

from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from deploy.local.stack import LocalStack

OURS = ("worker", "watcher", "control-plane")
MIB = 1024 * 1024


@dataclass(frozen=True)
class Usage:
    """Of one process with its children: resident memory in bytes, CPU seconds since it started."""

    memory: int
    cpu: float


def usage(stack: LocalStack, parts: tuple[str, ...] = OURS) -> dict[str, Usage]:
    """What the parts use now."""
    found = {}
    for part in parts:
        process = psutil.Process(int(stack.layout.pid(part).read_text()))
        family = [process, *process.children(recursive=True)]
        times = [member.cpu_times() for member in family]
        found[part] = Usage(
            memory=sum(member.memory_info().rss for member in family),
            cpu=sum(time.user + time.system for time in times),
        )
    return found


def spent(before: Mapping[str, Usage], after: Mapping[str, Usage]) -> str:
    """`worker 1.2 s / 90 MiB, ...`: CPU in between, memory at the end."""
    return ", ".join(
        f"{part} {after[part].cpu - before[part].cpu:.2f} s / {after[part].memory / MIB:.0f} MiB" for part in after
    )
