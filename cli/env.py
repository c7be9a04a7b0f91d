"""`meshwright env`: what a shell needs to know to use the local stack."""

import sys

import typer

from cli.up import DIRECTORY, Directory
from deploy.local.stack import LocalStack


def env(directory: Directory = DIRECTORY) -> None:
    """Print `export NAME=value` lines for the local stack: eval "$(meshwright env)"."""
    stack = LocalStack(directory)
    try:
        print(stack.layout.env.read_text(), end="")
    except FileNotFoundError as error:
        print(f"meshwright env: no stack was started in {stack.layout.directory}", file=sys.stderr)
        raise typer.Exit(1) from error
