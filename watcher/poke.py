"""Telling workflows: signal-with-start for a resource that exists, a plain signal for one that is gone."""

from dataclasses import dataclass
from typing import Protocol

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from watcher.index import Name
from workflows import names
from workflows.messages import Change, Gone


@dataclass(frozen=True)
class Absence:
    """News that a resource is gone."""

    name: Name
    gone: Gone


class Workflows(Protocol):
    """Where changes go."""

    async def tell(self, change: Change) -> None:
        """Start the resource's workflow if it does not run, and tell it."""

    async def tell_gone(self, absence: Absence) -> None:
        """Tell the resource's workflow, if it runs, that Kubernetes no longer has the resource."""

    async def running(self) -> frozenset[Name]:
        """The resources of this cluster whose workflows run."""


class TemporalWorkflows:
    """Workflows on a Temporal server."""

    def __init__(self, client: Client, cluster: str, task_queue: str) -> None:
        self._client = client
        self._cluster = cluster
        self._task_queue = task_queue

    async def tell(self, change: Change) -> None:
        """One atomic signal-with-start: a running workflow is signalled, otherwise a new run begins with the signal."""
        name = Name.of(change.snapshot)
        await self._client.start_workflow(
            names.WORKFLOWS[name.kind],
            names.NO_STATE,
            id=self._id(name),
            task_queue=self._task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=names.CHANGED,
            start_signal_args=[change],
            static_summary=names.summary(name.kind, name.namespace, name.name),
        )

    async def tell_gone(self, absence: Absence) -> None:
        """A workflow that does not run any more has finished its clean-up: nothing to tell."""
        try:
            await self._client.get_workflow_handle(self._id(absence.name)).signal(names.GONE, absence.gone)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def running(self) -> frozenset[Name]:
        """One visibility query; only for the comparison at start, as visibility lags behind."""
        prefix = names.cluster_prefix(self._cluster)
        query = f"ExecutionStatus = 'Running' AND WorkflowId STARTS_WITH '{prefix}'"
        ids = [found.id async for found in self._client.list_workflows(query)]
        parsed = (names.parse_workflow_id(self._cluster, id) for id in ids)
        return frozenset(Name(*name) for name in parsed if name is not None)

    def _id(self, name: Name) -> str:
        return names.workflow_id(self._cluster, name.kind, name.namespace, name.name)
