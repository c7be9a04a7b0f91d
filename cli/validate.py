"""`meshwright validate`: what is wrong with manifests, before they are applied and without a cluster."""

import sys
from typing import Annotated, Literal

import typer

_FILES = typer.Option("--filename", "-f", help="A file, a directory, or - for standard input; may be repeated.")
_STRICT = typer.Option("--strict", help="Fail on warnings too.")
_OUTPUT = typer.Option("--output", "-o", help="Lines for people and editors; JSON or YAML for programs.")


def validate(
    filename: Annotated[list[str], _FILES],
    strict: Annotated[bool, _STRICT] = False,
    output: Annotated[Literal["text", "json", "yaml"], _OUTPUT] = "text",
) -> None:
    """Check manifests offline: schema, unknown fields, App Mesh's bounds, names, and references within the files.

    Exit code 0: nothing is wrong. 1: something is. 2: a file cannot be read.
    """
    import dataclasses

    from cli.manifests import UnreadableManifest, read
    from cli.structured import structured
    from cli.validation import Severity, findings, is_ours

    try:
        manifests = list(read(filename))
    except UnreadableManifest as error:
        print(f"meshwright: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    found = findings(manifests)
    errors = sum(each.severity is Severity.ERROR for each in found)
    if output != "text":
        print(structured([dataclasses.asdict(each) for each in found], output))
    else:
        for each in found:
            print(each)
        ours = sum(map(is_ours, manifests))
        print(f"{ours} resources, {errors} errors, {len(found) - errors} warnings", file=sys.stderr)
    if errors or (strict and found):
        raise typer.Exit(1)
