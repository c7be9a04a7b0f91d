"""`meshwright export`: what an App Mesh API holds, as manifests that adopt it."""

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Config, setting

if TYPE_CHECKING:
    from cli.exported import Exported

_MESH = typer.Option("--mesh", help="Only this mesh; may be repeated.")
_NAMESPACE = typer.Option(
    "--namespace", "-n", help="Where resources go for which App Mesh's tags name no other; else as services' names say."
)
_LOSSY = typer.Option(
    "--lossy", help="Write also what would take something from App Mesh as a manifest, not a comment."
)


def export(
    mesh: Annotated[list[str] | None, _MESH] = None,
    namespace: Annotated[str | None, _NAMESPACE] = None,
    lossy: Annotated[bool, _LOSSY] = False,
    app_mesh_endpoint: Annotated[str | None, setting("app_mesh_endpoint")] = None,
    app_mesh_region: Annotated[str | None, setting("app_mesh_region")] = None,
    config: Config = None,
) -> None:
    """Print what App Mesh holds as manifests (YAML): applying them adopts it, and writes nothing. Only reads.

    What the three kinds cannot say is told in comments and on standard error. A manifest that would take something away
    when it is applied is written as a comment, unless --lossy is given.

    Exit code 0: all of it can be said. 1: something cannot. 2: App Mesh cannot be asked.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    from cli.account import read
    from cli.clients import app_mesh
    from cli.exported import by_mesh, exported
    from cli.settings import SettingsError, load

    settings = load({"app_mesh_endpoint": app_mesh_endpoint, "app_mesh_region": app_mesh_region, "config": config})
    api = app_mesh(settings)
    try:
        held = list(read(api, mesh or ()))
    except (BotoCoreError, ClientError) as error:
        raise SettingsError(f"App Mesh: {error}") from error
    finally:
        api.close()
    for missing in set(mesh or ()) - {each.mesh for each in held}:
        raise SettingsError(f"there is no mesh {missing}")
    found = [each for group in by_mesh(held) for each in exported(group, namespace)]
    print("".join(texts(found, lossy)), end="")
    losses = [loss for each in found for loss in each.losses]
    for loss in losses:
        print(f"meshwright: not in the manifests: {loss}", file=sys.stderr)
    if losses:
        raise typer.Exit(1)


def texts(found: "Iterable[Exported]", lossy: bool) -> "Iterator[str]":
    """One YAML document for each, with what it cannot say above it."""
    from cli.structured import as_yaml

    for each in found:
        if each.losses:
            yield "".join(_comment(f"Cannot be said: {loss}") for loss in each.losses)
        if each.manifest is None:
            continue
        text = as_yaml(each.manifest)
        if not each.losses or lossy:
            yield "---\n" + text
        else:
            yield "# Applying this would take it away, so it is left out (--lossy writes it):\n"
            yield _comment(text)


def _comment(text: str) -> str:
    """Every line of it: App Mesh takes names that have line ends, and nobody's name is to be a manifest."""
    return "".join(f"# {line}\n" for line in text.splitlines())
