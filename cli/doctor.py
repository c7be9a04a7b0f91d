"""`meshwright doctor`: whether every part of the installation can do what it must, and what to do where it cannot."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.options import Config, TaskQueue, TemporalAddress, TemporalNamespace, setting

if TYPE_CHECKING:
    from cli.diagnosis import Finding

_PROCESS = typer.Option(
    "--process", help="Whose rights in Kubernetes are asked for: watcher, worker, injector; all when none is named."
)
_AS = typer.Option("--as", metavar="USER", help="Ask for the rights of another: system:serviceaccount:NAMESPACE:NAME.")
_OUTPUT = typer.Option("--output", "-o", help="A table for people; JSON or YAML for programs.")
_STYLES = {"ok": "green", "warning": "yellow", "failed": "red"}


def doctor(
    process: Annotated[list[str] | None, _PROCESS] = None,
    impersonated: Annotated[str | None, _AS] = None,
    output: Annotated[Literal["table", "json", "yaml"], _OUTPUT] = "table",
    temporal_address: TemporalAddress = None,
    temporal_namespace: TemporalNamespace = None,
    task_queue: TaskQueue = None,
    app_mesh_endpoint: Annotated[str | None, setting("app_mesh_endpoint")] = None,
    app_mesh_region: Annotated[str | None, setting("app_mesh_region")] = None,
    cloud_map_endpoint: Annotated[str | None, setting("cloud_map_endpoint")] = None,
    injector_webhook: Annotated[str | None, setting("injector_webhook")] = None,
    config: Config = None,
) -> None:
    """Check Kubernetes, Temporal, the App Mesh API and Cloud Map: connection, rights, versions. Only reads.

    Each finding that is not ok comes with what to do. A part that does not answer is such a finding.

    Exit code 0: nothing has failed (there may be warnings). 1: something has. 2: a setting cannot be used.
    """
    import asyncio

    from cli.diagnosis import Verdict, findings
    from cli.examination import examine
    from cli.rights import PROCESSES
    from cli.settings import SettingsError, load

    for unknown in set(process or ()) - set(PROCESSES):
        raise SettingsError(f"--process {unknown}: there is {', '.join(PROCESSES)}")
    given = {
        "temporal_address": temporal_address,
        "temporal_namespace": temporal_namespace,
        "task_queue": task_queue,
        "app_mesh_endpoint": app_mesh_endpoint,
        "app_mesh_region": app_mesh_region,
        "cloud_map_endpoint": cloud_map_endpoint,
        "injector_webhook": injector_webhook,
        "config": config,
    }
    facts = asyncio.run(examine(load(given), process or PROCESSES, impersonated))
    found = findings(facts)
    print_findings(found, output)
    if any(each.verdict is Verdict.FAILED for each in found):
        raise typer.Exit(1)


def print_findings(found: "Sequence[Finding]", output: str) -> None:
    """Print them in one of the forms."""
    import dataclasses

    from cli.structured import structured
    from cli.tables import Cell, Rows

    if output == "table":
        rows = []
        for each in found:
            said = each.said + (f"\n→ {each.remedy}" if each.remedy else "")
            rows.append((each.part, each.check, Cell(each.verdict.value, _STYLES[each.verdict.value]), said))
        Rows(("PART", "CHECK", "", "FOUND"), rows, folds=frozenset({"CHECK", "FOUND"})).print()
        return
    plain: list[dict[str, Any]] = [{**dataclasses.asdict(each), "verdict": each.verdict.value} for each in found]
    print(structured(plain, output))
