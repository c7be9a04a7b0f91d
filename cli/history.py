"""`meshwright history`: what was done for a resource, reconcile by reconcile, from its workflow's history."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.options import Cluster, Config, TemporalAddress, TemporalNamespace, setting
from cli.resource_argument import Namespace, Resource, named, path

if TYPE_CHECKING:
    from temporalio.client import Client

    from cli.reconciles import Pending, Reconcile
    from cli.settings import Settings
    from cli.tables import Rows
    from watcher.index import Name

Run = tuple[str, list["Reconcile"]]
"""A run of the workflow: its id and the reconciles in it, oldest first."""

_LIMIT = typer.Option("--limit", min=1, help="Show this many, the newest; they end with the newest of all.")
_OUTPUT = typer.Option("--output", "-o", help="A table for people; JSON or YAML with every call.")


def history(
    resource: Resource,
    namespace: Namespace = "default",
    limit: Annotated[int, _LIMIT] = 10,
    output: Annotated[Literal["table", "json", "yaml"], _OUTPUT] = "table",
    temporal_address: TemporalAddress = None,
    temporal_namespace: TemporalNamespace = None,
    temporal_ui: Annotated[str | None, setting("temporal_ui")] = None,
    cluster: Cluster = None,
    config: Config = None,
) -> None:
    """Show the reconciles of a resource: when, why, of which generation, App Mesh calls, retries, and outcome.

    Also those of a resource that is gone, as long as Temporal keeps them.

    Exit code 0: there are some. 1: Temporal knows of none. 2: Temporal cannot be asked, or
    its histories are encrypted and payload_keys_file has not their key.
    """
    import asyncio

    from cli.settings import load

    given = {
        "temporal_address": temporal_address,
        "temporal_namespace": temporal_namespace,
        "temporal_ui": temporal_ui,
        "cluster": cluster,
        "config": config,
    }
    settings = load(given)
    name = named(resource, namespace)
    runs = asyncio.run(_read(settings, name, limit))
    if not runs:
        print(f"meshwright: Temporal knows of no reconcile of {path(name)}", file=sys.stderr)
        raise typer.Exit(1)
    print_history(runs, lambda run: _link(settings, name, run), output)


def print_history(runs: Sequence[Run], link: Any, output: str) -> None:
    """Print them in one of the forms; `link` tells the page of a run in Temporal's UI, or None."""
    import dataclasses

    from cli.structured import structured

    if output == "table":
        table([each for _, found in runs for each in found]).print()
        for page in filter(None, (link(run) for run, _ in runs)):
            print(page)
        return
    plain = [
        {
            **dataclasses.asdict(each),
            "began": _moment(each.began),
            "ended": _moment(each.ended),
            "retries": each.retries,
            "run": run,
            "link": link(run),
        }
        for run, found in runs
        for each in found
    ]
    print(structured(plain, output))


def table(found: "Sequence[Reconcile]") -> "Rows":
    """One line for each reconcile."""
    from cli.tables import Rows

    headings = ("WHEN", "TOOK", "GENERATION", "BECAUSE", "CALLS", "RETRIES", "OUTCOME")
    rows = [
        (
            _moment(each.began)[:19],
            "" if each.under_way else f"{each.ended - each.began:.3f} s",
            "" if each.generation is None else str(each.generation),
            "; ".join(each.because),
            calls_in_short(each),
            str(each.retries or ""),
            outcome(each),
        )
        for each in found
    ]
    return Rows(headings, rows, folds=frozenset({"BECAUSE", "CALLS", "OUTCOME"}))


def calls_in_short(reconcile: "Reconcile") -> str:
    """`CreateVirtualRouter, 3 CreateRoute`, in the order of the first of each; failed ones with what was said."""
    counts: dict[tuple[str, str], int] = {}
    for call in reconcile.calls:
        counts[call.name, call.failure] = counts.get((call.name, call.failure), 0) + 1
    words = (
        (f"{count} " if count > 1 else "") + name + (f" ({failure})" if failure else "")
        for (name, failure), count in counts.items()
    )
    return ", ".join(words)


def outcome(reconcile: "Reconcile") -> str:
    """In words, also when the status stayed as it was."""
    if reconcile.under_way:
        return "under way"
    return reconcile.outcome or "status as before"


def _moment(seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _link(settings: "Settings", name: "Name", run: str) -> str | None:
    """The page of a run in Temporal's UI; None where that is not known."""
    from urllib.parse import quote

    from workflows.names import workflow_id

    if settings.temporal_ui is None:
        return None
    id = quote(workflow_id(settings.cluster, name.kind, name.namespace, name.name), safe="")
    return f"{settings.temporal_ui.rstrip('/')}/namespaces/{settings.temporal_namespace}/workflows/{id}/{run}/history"


async def _read(settings: "Settings", name: "Name", limit: int) -> list[Run]:
    """The newest reconciles by run, oldest run first; those of the newest run last."""
    from temporalio.service import RPCError

    from cli.clients import temporal_now
    from cli.reconciles import UnreadableHistory, reconciles
    from cli.settings import SettingsError
    from workflows.names import workflow_id

    client = await temporal_now(settings)
    id = workflow_id(settings.cluster, name.kind, name.namespace, name.name)
    found: list[Run] = []
    left = limit
    try:
        for run in await _runs(client, id):
            handle = client.get_workflow_handle(id, run_id=run)
            events = [event async for event in handle.fetch_history_events()]
            these = await reconciles(events, client.data_converter, await _pending(client, id, run))
            if these:
                found.insert(0, (run, these[-left:]))
            left -= len(these)
            if left <= 0:
                break
    except RPCError as error:
        raise SettingsError(f"Temporal: {error.message}") from error
    except UnreadableHistory as error:
        raise SettingsError(
            "histories are encrypted; set payload_keys_file (MESHWRIGHT_PAYLOAD_KEYS_FILE) "
            f"to the workers' file of keys: {error}"
        ) from error
    return found


async def _runs(client: "Client", id: str) -> list[str]:
    """Ids of the runs of a workflow, newest first: that one asked for by id, as lists lag behind."""
    from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
    from temporalio.service import RPCError, RPCStatusCode

    try:
        newest = (await client.get_workflow_handle(id).describe()).run_id
    except RPCError as error:
        unknown = any(each.Is(NamespaceNotFoundFailure.DESCRIPTOR) for each in error.grpc_status.details)
        if error.status is RPCStatusCode.NOT_FOUND and not unknown:
            return []
        raise
    quoted = id.replace("\\", "\\\\").replace("'", "\\'")
    listed = [each async for each in client.list_workflows(f"WorkflowId = '{quoted}'")]
    listed.sort(key=lambda each: each.start_time, reverse=True)
    return list(dict.fromkeys([newest, *(each.run_id for each in listed)]))


async def _pending(client: "Client", id: str, run: str) -> "dict[str, Pending]":
    """What is known of the run's activities that have not ended."""
    from cli.reconciles import Pending, words

    found = await client.get_workflow_handle(id, run_id=run).describe()
    return {
        each.activity_id: Pending(each.attempt, await words(each.last_failure, client.data_converter))
        for each in found.raw_description.pending_activities
    }
