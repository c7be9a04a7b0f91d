"""Telling workflows: signal-with-start for a resource that exists, a plain signal for one that is gone."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from watcher.index import Name
from watcher.searching import Searchability
from workflows import names, search_attributes
from workflows.messages import Change, Gone

log = structlog.get_logger(__name__)

TASK_TIMEOUT = timedelta(seconds=4)
"""How long a workflow task that died with its worker is waited for. One takes milliseconds."""


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

    def __init__(
        self, client: Client, cluster: str, task_queue: str, searchability: Searchability | None = None
    ) -> None:
        self._client = client
        self._cluster = cluster
        self._task_queue = task_queue
        self._searchability = searchability or Searchability(client)

    async def tell(self, change: Change) -> None:
        """One atomic signal-with-start: a running workflow is signalled, otherwise a new run begins with the signal."""
        searchable = await self._searchability.given()
        try:
            await self._signal_with_start(change, searchable)
        except RPCError as error:
            if error.status is not RPCStatusCode.INVALID_ARGUMENT or not self._searchability.refused():
                raise
            await self._signal_with_start(change, searchable=False)

    async def _signal_with_start(self, change: Change, searchable: bool) -> None:
        name = Name.of(change.snapshot)
        found_by = search_attributes.of_resource(name.kind, name.namespace, name.name, change.snapshot.spec)
        await self._client.start_workflow(
            names.WORKFLOWS[name.kind],
            names.NO_STATE,
            id=self._id(name),
            task_queue=self._task_queue,
            task_timeout=TASK_TIMEOUT,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=names.CHANGED,
            start_signal_args=[change.model_copy(update={"searchable": searchable})],
            search_attributes=search_attributes.at_start(found_by) if searchable else None,
            memo=names.memo(self._cluster, name.kind, name.namespace, name.name),
            static_summary=names.summary(name.kind, name.namespace, name.name),
            static_details=names.details(name.kind, name.namespace, name.name),
        )
        log.info(
            "told",
            workflow_id=self._id(name),
            resource=str(name),
            generation=change.snapshot.generation,
            because=change.because,
            poke=change.poke,
        )

    async def tell_gone(self, absence: Absence) -> None:
        """A workflow that does not run any more has finished its clean-up: nothing to tell."""
        try:
            await self._client.get_workflow_handle(self._id(absence.name)).signal(names.GONE, absence.gone)
            log.info("told that it is gone", workflow_id=self._id(absence.name), resource=str(absence.name))
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
