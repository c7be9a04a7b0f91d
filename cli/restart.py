"""`meshwright restart`: stop a part of the local stack and start it again."""

from typing import Annotated

import typer

from cli.up import DIRECTORY, Directory, ended
from deploy.local.errors import LocalStackError
from deploy.local.stack import LocalStack


def restart(
    parts: Annotated[list[str], typer.Argument(metavar="PART...", help="Names of parts, or `all`.")],
    directory: Directory = DIRECTORY,
) -> None:
    """Restart parts of the local stack, and return when they answer again."""
    stack = LocalStack(directory)
    try:
        names = [] if parts == ["all"] else parts
        stack.restart(*names)
        for name, status in stack.status.parts.items():
            if not names or name in names:
                print(f"  {name:<16}ready after {status.ready_after:.1f} s (pid {status.pid})")
    except LocalStackError as error:
        raise ended("restart", error) from error
