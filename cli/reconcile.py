"""`meshwright reconcile`: have a resource, or all of them, looked at now, and wait for what comes of it."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import Cluster, Config, TaskQueue, TemporalAddress, TemporalNamespace
from cli.resource_argument import Namespace, OptionalResource, named, path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubernetes.aio.client import ApiClient
    from temporalio.client import WorkflowHandle

    from cli.settings import Settings
    from cli.settling import Verdict
    from watcher.index import Name
    from workflows.messages import Change

POLL_SECONDS = 0.2
_ALL = typer.Option("--all", help="All resources of the cluster, as after a backup of App Mesh's state was restored.")
_WAIT = typer.Option("--wait", "-w", help="Stay until it is Active and connected proxies have it, or it is refused.")
_TIMEOUT = typer.Option("--timeout", min=0, help="Seconds to wait at most.")


def reconcile(
    resource: OptionalResource = None,
    namespace: Namespace = "default",
    all: Annotated[bool, _ALL] = False,
    wait: Annotated[bool, _WAIT] = False,
    timeout: Annotated[float, _TIMEOUT] = 60,
    temporal_address: TemporalAddress = None,
    temporal_namespace: TemporalNamespace = None,
    task_queue: TaskQueue = None,
    cluster: Cluster = None,
    config: Config = None,
) -> None:
    """Have a resource, or all, compared with App Mesh now, whatever is known, and what differs put right.

    A resource that is being deleted is waited for until it is gone.

    Exit code 0: it was asked for; with --wait: it is so. 1: it is refused, or was not so in time. 2: Kubernetes or
    Temporal cannot be asked, or there is no such resource.
    """
    import asyncio

    from cli import logs
    from cli.settings import load

    if (resource is None) is not all:
        raise typer.BadParameter("either KIND/NAME or --all is expected", param_hint="KIND/NAME")
    given = {
        "temporal_address": temporal_address,
        "temporal_namespace": temporal_namespace,
        "task_queue": task_queue,
        "cluster": cluster,
        "config": config,
    }
    logs.only_warnings()
    name = named(resource, namespace) if resource is not None else None
    outcomes = asyncio.run(_reconcile(name, load(given), timeout if wait else None))
    if failed := [_tell(name, found, timeout) for name, found in outcomes].count(False):
        if all:
            print(f"meshwright: {failed} of {len(outcomes)} are not as they should be", file=sys.stderr)
        raise typer.Exit(1)


def _tell(name: "Name", found: "Verdict | None", timeout: float) -> bool:
    """Say what came of it; whether that is what was asked for."""
    from cli.settling import Rest

    if found is None:
        print(f"{path(name)}: asked for")
        return True
    if found.rest is Rest.REACHED:
        print(f"{path(name)}: {found.said}")
        return True
    late = f"not reached in {timeout:g} s: " if found.rest is Rest.UNDER_WAY else ""
    print(f"meshwright: {path(name)}: {late}{found.said}", file=sys.stderr)
    return False


async def _reconcile(
    name: "Name | None", settings: "Settings", patience: float | None
) -> "list[tuple[Name, Verdict | None]]":
    """What came of each (of all, when there is no name); None where nobody waits for that (no patience, in seconds)."""
    import time

    from temporalio.service import RPCError

    from cli.clients import temporal_now
    from cli.resources import cluster
    from cli.settings import SettingsError
    from watcher.index import Name
    from watcher.poke import TemporalWorkflows
    from watcher.searching import Searchability
    from workflows.names import workflow_id

    async with cluster() as client:
        changes = list(await _pokes(client, name))
        temporal = await temporal_now(settings)
        try:
            searchability = Searchability(temporal, settings.search_attributes)
            workflows = TemporalWorkflows(temporal, settings.cluster, settings.task_queue, searchability)
            for change in changes:
                await workflows.tell(change)
            told = [Name.of(change.snapshot) for change in changes]
            if patience is None:
                return [(name, None) for name in told]
            ends = time.monotonic() + patience
            outcomes: list[tuple[Name, Verdict | None]] = []
            for name in told:
                id = workflow_id(settings.cluster, name.kind, name.namespace, name.name)
                outcomes.append((name, await _outcome(client, name, temporal.get_workflow_handle(id), ends)))
            return outcomes
        except RPCError as error:
            raise SettingsError(f"Temporal: {error.message}") from error


async def _pokes(client: "ApiClient", name: "Name | None") -> "Iterator[Change]":
    """What the workflows are to be told: what the watcher tells when it cannot say what is in doubt."""
    from cli.resources import listed
    from cli.settings import SettingsError
    from resources.kinds import Kind
    from watcher.index import Index
    from workflows.messages import Change, Snapshot

    index = Index()
    for each in await listed(client):
        index.put(Snapshot.of(Kind(each["kind"]), each))
    snapshots = list(index.all())
    if name is not None:
        snapshot = index.get(name)
        if snapshot is None:
            raise SettingsError(f"there is no {path(name)}")
        snapshots = [snapshot]
    changes = (Change(snapshot=each, because="meshwright reconcile", doubt_all=True) for each in snapshots)
    return map(index.with_relatives, changes)


async def _outcome(client: "ApiClient", name: "Name", workflow: "WorkflowHandle[Any, Any]", ends: float) -> "Verdict":
    """The verdict once there is a last one, or when the monotonic clock shows `ends`; stderr gets each word before."""
    import asyncio
    import time

    from cli.settling import Rest, Verdict, verdict

    taken_up = False
    told = ""
    while True:
        # Until its workflow has come to rest the status is that of an earlier reconcile, which may have gone otherwise.
        taken_up = taken_up or await _is_at_rest(workflow)
        found = verdict(await _read(client, name)) if taken_up else Verdict(Rest.UNDER_WAY, "its workflow is at work")
        if found.rest is not Rest.UNDER_WAY or time.monotonic() >= ends:
            return found
        if taken_up and found.said != told:
            told = found.said
            print(f"{path(name)}: {told}", file=sys.stderr)
        await asyncio.sleep(POLL_SECONDS)


async def _is_at_rest(workflow: "WorkflowHandle[Any, Any]") -> bool:
    """Whether no task of the workflow is due or under way; a signal that was accepted makes one due at once."""
    found = (await workflow.describe()).raw_description
    return not found.pending_activities and not found.HasField("pending_workflow_task")


async def _read(client: "ApiClient", name: "Name") -> dict[str, Any] | None:
    """The resource as it is now; None when there is none."""
    from kubernetes.aio.client.exceptions import ApiException

    from activities.resource_api import ClusterApi, resource_path

    try:
        found = await ClusterApi(client).request("GET", resource_path(name.kind, name.namespace, name.name))
    except ApiException as error:
        if error.status == 404:
            return None
        raise
    return {**found, "kind": name.kind.value}
