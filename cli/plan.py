"""`meshwright plan`: the App Mesh calls that reconciles would make now, before they are made."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.options import Cluster, Config, setting
from cli.resource_argument import named, path

if TYPE_CHECKING:
    from cli.forecast import Forecast
    from cli.manifests import Manifest
    from cli.settings import Settings
    from watcher.index import Index, Name

_RESOURCES = typer.Argument(metavar="[KIND/NAME]...", help="Only these resources of the cluster.", show_default=False)
_NAMESPACE = typer.Option("--namespace", "-n", help="The resources' namespace; without any named: only this one.")
_FILES = typer.Option("--filename", "-f", help="As if this were applied: a file, a directory, or -; may be repeated.")
_OUTPUT = typer.Option("--output", "-o", help="A list for people; JSON or YAML with the specs.")


def plan(
    resources: Annotated[list[str] | None, _RESOURCES] = None,
    filename: Annotated[list[str] | None, _FILES] = None,
    namespace: Annotated[str | None, _NAMESPACE] = None,
    output: Annotated[Literal["text", "json", "yaml"], _OUTPUT] = "text",
    app_mesh_endpoint: Annotated[str | None, setting("app_mesh_endpoint")] = None,
    app_mesh_region: Annotated[str | None, setting("app_mesh_region")] = None,
    cluster: Cluster = None,
    config: Config = None,
) -> None:
    """Show the calls that reconciles would make now, each resource compared with what App Mesh holds. Only reads.

    With files: as if they were applied. Calls of one number go side by side, and what is planned counts as done for
    what depends on it.

    Exit code 0: nothing stands in the way. 1: a resource waits or would be refused. 2: Kubernetes or App Mesh cannot be
    asked, or a file cannot be read or holds what the API server would not take.
    """
    import asyncio

    from cli.forecast import concerned
    from cli.settings import SettingsError, load

    given = {
        "app_mesh_endpoint": app_mesh_endpoint,
        "app_mesh_region": app_mesh_region,
        "cluster": cluster,
        "config": config,
    }
    settings = load(given)
    index = asyncio.run(_index())
    wanted = {named(each, namespace or "default") for each in resources or ()}
    for missing in (name for name in wanted if index.get(name) is None):
        raise SettingsError(f"there is no {path(missing)}")
    if filename:
        wanted |= concerned(index, _applied(index, filename))
    elif not wanted:
        from watcher.index import Name

        wanted = {Name.of(each) for each in index.all() if namespace in (None, each.key.namespace)}
    found = _forecasts(settings, index, wanted)
    print_forecasts(found, output)
    if not all(each.outcome.achieved for each in found):
        raise typer.Exit(1)


def print_forecasts(found: "Sequence[Forecast]", output: str) -> None:
    """Print them in one of the forms."""
    from cli.structured import structured

    if output == "text":
        for each in found:
            print("\n".join(lines(each)))
        print(f"{sum(len(each.plan.steps) for each in found)} calls for {len(found)} resources", file=sys.stderr)
        return
    plain = [_plain(each) for each in found]
    print(structured(plain, output))


def lines(forecast: "Forecast") -> list[str]:
    """The resource, and below it its calls: those of one number go side by side."""
    outcome = forecast.outcome
    waits = "" if outcome.achieved else ": ".join(filter(None, (outcome.reason, outcome.message)))
    said = waits or ("" if forecast.plan.steps else "no calls")
    heading = path(forecast.name) + (f": {said}" if said else "")
    stages = enumerate(forecast.plan.stages, 1)
    return [heading, *(f"  {number}. {step.summary}" for number, stage in stages for step in stage)]


def _plain(forecast: "Forecast") -> dict[str, Any]:
    name, outcome = forecast.name, forecast.outcome
    return {
        "kind": name.kind.value,
        "namespace": name.namespace,
        "name": name.name,
        "reason": outcome.reason.value,
        "message": outcome.message,
        "stages": [
            [
                {"operation": step.operation, "summary": step.summary, **step.object.identity, "spec": step.spec}
                for step in stage
            ]
            for stage in forecast.plan.stages
        ],
    }


async def _index() -> "Index":
    """All resources of the cluster."""
    from cli.resources import cluster, listed
    from resources.kinds import Kind
    from watcher.index import Index
    from workflows.messages import Snapshot

    index = Index()
    async with cluster() as client:
        for each in await listed(client):
            index.put(Snapshot.of(Kind(each["kind"]), each))
    return index


def _applied(index: "Index", files: list[str]) -> "list[Name]":
    """The resources that the files would change, put into the index."""
    from cli.forecast import with_manifest
    from cli.manifests import UnreadableManifest, read
    from cli.validation import as_stored, is_ours
    from resources.kinds import Kind

    try:
        manifests = [each for each in read(files) if is_ours(each)]
    except UnreadableManifest as error:
        print(f"meshwright: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    for each in manifests:
        if (wrong := _unfit(each)) is not None:
            told = f"{each.file}:{each.line(wrong[0])}: {wrong[0]}: {wrong[1]}"
            print(f"meshwright: {told}; see meshwright validate", file=sys.stderr)
            raise typer.Exit(2)
    changed = (with_manifest(index, Kind(each.kind), as_stored(each)) for each in manifests)
    return [name for name in changed if name is not None]


def _unfit(manifest: "Manifest") -> tuple[str, str] | None:
    """The first thing for which the API server would refuse it without a look at what it says; or None."""
    from cli.envelope import mistakes
    from cli.shape import misshapen
    from resources.kinds import API_VERSION, Kind

    if manifest.object["apiVersion"] != API_VERSION or manifest.kind not in set(Kind):
        return "kind", f"no {API_VERSION}"
    spec = manifest.object.get("spec") or {}
    return next(mistakes(manifest.object), None) or next(misshapen(Kind(manifest.kind), spec), None)


def _forecasts(settings: "Settings", index: "Index", wanted: "set[Name]") -> "list[Forecast]":
    from temporalio.exceptions import ApplicationError

    from activities.appmesh import AppMeshActivities
    from cli.clients import app_mesh
    from cli.forecast import AppMesh, Forecaster
    from cli.settings import SettingsError

    forecaster = Forecaster(index, AppMesh(AppMeshActivities(app_mesh(settings))), settings.cluster)
    try:
        return list(forecaster.forecasts(wanted))
    except ApplicationError as error:
        raise SettingsError(f"App Mesh: {error.message}") from error
