"""`meshwright import`: a recorded App Mesh account into an App Mesh API."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Config, setting

if TYPE_CHECKING:
    from cli.account import Held

_PATHS = typer.Argument(metavar="PATH...", help="Files of answers of the AWS CLI, directories of such, or - .")
_DRY_RUN = typer.Option("--dry-run", help="Show the calls that would be made, and make none.")


def import_dump(
    paths: Annotated[list[str], _PATHS],
    dry_run: Annotated[bool, _DRY_RUN] = False,
    app_mesh_endpoint: Annotated[str | None, setting("app_mesh_endpoint")] = None,
    app_mesh_region: Annotated[str | None, setting("app_mesh_region")] = None,
    config: Config = None,
) -> None:
    """Bring an App Mesh API to hold what was dumped: what `aws appmesh describe-*` printed, of all seven kinds.

    All files are read and checked before the first call. What is missing is created, what differs is updated, what is
    equal is left alone, and nothing is deleted; so an import that broke off can be run again.

    Exit code 0: done. 1: the API refuses a call. 2: a dump cannot be read, or App Mesh cannot be asked.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    from cli.clients import app_mesh
    from cli.importing import due, make
    from cli.settings import SettingsError, load

    wanted = _dumped(paths)
    settings = load({"app_mesh_endpoint": app_mesh_endpoint, "app_mesh_region": app_mesh_region, "config": config})
    api = app_mesh(settings)
    made = 0
    try:
        for each in wanted:
            for call in due(api, each):
                print(call)
                made += 1
                if not dry_run:
                    make(api, call)
    except ClientError as error:
        print(f"meshwright: {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    except BotoCoreError as error:
        raise SettingsError(f"App Mesh: {error}") from error
    finally:
        api.close()
    print(f"{made} calls {'due' if dry_run else 'made'} for {len(wanted)} objects", file=sys.stderr)


def _dumped(paths: list[str]) -> "tuple[Held, ...]":
    from cli.dumps import Answer, UnusableDump, answers, held
    from cli.settings import SettingsError

    found: list[Answer] = []
    try:
        for path in paths:
            place = Path(path)
            files = sorted(place.rglob("*.json")) if place.is_dir() else [place]
            if not files:
                raise SettingsError(f"{path}: no .json file in there")
            for file in files:
                found += answers(str(file), sys.stdin.read() if path == "-" else file.read_text())
        return held(found)
    except UnusableDump as error:
        raise SettingsError(str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{getattr(error, 'filename', path)}: {getattr(error, 'strerror', None) or error}"
        ) from error
