"""`meshwright down`: stop a local stack, and leave nothing of it running."""

from cli.up import DIRECTORY, Directory, ended
from deploy.local.errors import LocalStackError
from deploy.local.stack import LocalStack


def down(directory: Directory = DIRECTORY) -> None:
    """Stop the local stack of a directory; what it stored is kept."""
    stack = LocalStack(directory)
    try:
        ran = stack.stop()
    except LocalStackError as error:
        raise ended("down", error) from error
    print(f"The stack in {stack.layout.directory} is down." if ran else f"Nothing runs in {stack.layout.directory}.")
