"""`meshwright status`: how every resource stands, and what each one waits for."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from cli.standing import Standing

_NAMESPACE = typer.Option("--namespace", "-n", help="Only this namespace (meshes have none, and are always shown).")
_WATCH = typer.Option(
    "--watch", "-w", help="Stay, and show every change, until interrupted; in a pipe, a line for each."
)
_OUTPUT = typer.Option("--output", "-o", help="A table for people; JSON or YAML with everything.")


def status(
    namespace: Annotated[str | None, _NAMESPACE] = None,
    watch: Annotated[bool, _WATCH] = False,
    output: Annotated[Literal["table", "json", "yaml"], _OUTPUT] = "table",
) -> None:
    """Show every Mesh, VirtualNode and VirtualService: phase, reason, and what it waits for.

    Exit code 0: all are active. 1: some are not. 2: the cluster cannot be asked.
    """
    import asyncio
    from contextlib import suppress

    if watch:
        if output != "table":
            raise typer.BadParameter("a table is all that can be watched", param_hint="--output")
        with suppress(KeyboardInterrupt):
            asyncio.run(_watch(namespace))
        return

    from cli.standings import print_standings

    found = asyncio.run(_ask(namespace))
    print_standings(found, output)
    if not all(each.settled for each in found):
        raise typer.Exit(1)


async def _ask(namespace: str | None) -> "list[Standing]":
    from cli.resources import cluster, listed
    from cli.standing import sorted_standings

    async with cluster() as client:
        return sorted_standings(await listed(client, namespace))


async def _watch(namespace: str | None) -> None:
    from cli import logs, status_watch
    from cli.resources import cluster, followed, listed

    logs.only_warnings()
    async with cluster() as client:
        await listed(client, namespace)  # what is wrong with the connection is said before the screen is taken
        await status_watch.watch(followed(client, namespace))
