"""`meshwright graph`: the mesh as a drawing, from the cluster or from manifests."""

import sys
from typing import Annotated, Any, Literal

import typer

_NAMESPACE = typer.Option("--namespace", "-n", help="Only this namespace of the cluster.")
_FILES = typer.Option("--filename", "-f", help="Draw manifests instead: a file, a directory, or -; may be repeated.")
_OUTPUT = typer.Option("--output", "-o", help="Mermaid (Markdown viewers draw it), DOT (Graphviz), or SVG (browsers).")


def graph(
    filename: Annotated[list[str] | None, _FILES] = None,
    namespace: Annotated[str | None, _NAMESPACE] = None,
    output: Annotated[Literal["mermaid", "dot", "svg"], _OUTPUT] = "mermaid",
) -> None:
    """Draw services, routers, routes with their weights, and nodes; dashed arrows are calls of backends.

    Exit code 2: the cluster cannot be asked, or a file cannot be read.
    """
    import asyncio

    from cli import graphs
    from cli.svg import svg

    resources = _from_files(filename) if filename else asyncio.run(_from_cluster(namespace))
    drawn = graphs.graph(resources)
    print({"mermaid": graphs.mermaid, "dot": graphs.dot, "svg": svg}[output](drawn))


def _from_files(paths: list[str]) -> list[dict[str, Any]]:
    from cli.manifests import UnreadableManifest, read
    from cli.validation import as_stored, is_ours, is_sound

    try:
        return [as_stored(each) for each in read(paths) if is_ours(each) and is_sound(each)]
    except UnreadableManifest as error:
        print(f"meshwright: {error}", file=sys.stderr)
        raise typer.Exit(2) from error


async def _from_cluster(namespace: str | None) -> list[dict[str, Any]]:
    from cli.resources import cluster, listed

    async with cluster() as client:
        return await listed(client, namespace)
