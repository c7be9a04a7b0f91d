"""Telling the workflows of Cloud Map services: signal-with-start while a node uses one, a plain signal after that."""

from typing import Protocol

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from resources.cloud_map import CloudMapService
from watcher.searching import Searchability
from workflows import names, search_attributes
from workflows.cloud_map_messages import Tidings


class CloudMapWorkflows(Protocol):
    """Where tidings go."""

    async def tell(self, tidings: Tidings) -> str | None:
        """Tell the service's workflow; start it when a node uses the service.

        Returns:
            An id that is the workflow's from its start to its end; None when Temporal does not tell.
        """

    async def running(self) -> frozenset[CloudMapService]:
        """The services whose workflows run."""


class TemporalCloudMapWorkflows:
    """Workflows on a Temporal server."""

    def __init__(
        self, client: Client, cluster: str, task_queue: str, searchability: Searchability | None = None
    ) -> None:
        self._client = client
        self._cluster = cluster
        self._task_queue = task_queue
        self._searchability = searchability or Searchability(client)

    async def tell(self, tidings: Tidings) -> str | None:
        """A workflow that does not run and whose service nobody uses has cleaned up: nothing to tell."""
        searchable = await self._searchability.given()
        if tidings.nodes:
            try:
                return await self._signal_with_start(tidings, searchable)
            except RPCError as error:
                if error.status is not RPCStatusCode.INVALID_ARGUMENT or not self._searchability.refused():
                    raise
                return await self._signal_with_start(tidings, searchable=False)
        try:
            id = names.cloud_map_id(self._cluster, tidings.service)
            told = tidings.model_copy(update={"searchable": searchable})
            await self._client.get_workflow_handle(id).signal(names.TOLD, told)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        return None

    async def _signal_with_start(self, tidings: Tidings, searchable: bool) -> str | None:
        found_by = search_attributes.of_service(tidings.service)
        handle = await self._client.start_workflow(
            names.CLOUD_MAP_SERVICE,
            names.NOBODY_TOLD,
            id=names.cloud_map_id(self._cluster, tidings.service),
            task_queue=self._task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=names.TOLD,
            start_signal_args=[tidings.model_copy(update={"searchable": searchable})],
            search_attributes=search_attributes.at_start(found_by) if searchable else None,
            static_summary=f"Cloud Map service {tidings.service}"[:200],
        )
        return handle.first_execution_run_id

    async def running(self) -> frozenset[CloudMapService]:
        """One visibility query; only at start and for sweeps, as visibility lags behind."""
        prefix = names.cluster_prefix(self._cluster)
        query = (
            f"ExecutionStatus = 'Running' AND WorkflowType = '{names.CLOUD_MAP_SERVICE}' "
            f"AND WorkflowId STARTS_WITH '{prefix}'"
        )
        found = [execution.id async for execution in self._client.list_workflows(query)]
        parsed = (names.parse_cloud_map_id(self._cluster, id) for id in found)
        return frozenset(service for service in parsed if service is not None)
