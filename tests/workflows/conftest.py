"""A real Temporal server for the tests of the entity loop, and a harness around one worker."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from deploy.local.stack import LocalStack, StackSettings
from resources.kinds import Kind
from tests.workflows.app_mesh_activities import AppMeshActivities
from tests.workflows.cloud_map_activities import CloudMapModel
from tests.workflows.cluster_activities import ClusterModel
from watcher.index import Name
from watcher.poke import Absence, TemporalWorkflows
from workflows import names
from workflows.cloud_map import CloudMapServiceWorkflow
from workflows.entity import ALL
from workflows.messages import Change, DataPlaneReport, Gone, Snapshot

PATIENCE = 60.0


def sandboxed() -> SandboxedWorkflowRunner:
    """The runner of the tests: production runs outside the sandbox, so here is where it has to find mistakes."""
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_all_modules())


class Harness:
    """One cluster of one test: App Mesh and Kubernetes in memory, real workflows on a real server."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.cluster = f"c-{uuid.uuid4().hex[:8]}"
        self.app_mesh = AppMeshActivities()
        self.kubernetes = ClusterModel()
        self.cloud_map = CloudMapModel()
        self.workflows = TemporalWorkflows(client, self.cluster, self.cluster)

    @asynccontextmanager
    async def worker(self, client: Client | None = None, **options: Any) -> AsyncIterator[None]:
        """Work while inside; one process's second worker needs a client of its own."""
        async with Worker(
            client or self.client,
            task_queue=self.cluster,
            workflows=[*ALL, CloudMapServiceWorkflow],
            activities=self._activities(),
            workflow_runner=sandboxed(),
            **options,
        ):
            yield

    def activities_worker(self, queue: str) -> Worker:
        """A worker for the activities of another queue."""
        return Worker(self.client, task_queue=queue, activities=self._activities())

    def _activities(self) -> list[Callable[..., Any]]:
        return [*self.app_mesh.definitions(), *self.kubernetes.definitions(), *self.cloud_map.definitions()]

    async def tell(self, snapshot: Snapshot, poke: bool = False, data_plane: DataPlaneReport | None = None) -> None:
        """What the watcher does with a sighting."""
        await self.workflows.tell(Change(snapshot=snapshot, because="test", poke=poke, data_plane=data_plane))

    async def apply(self, *manifests: dict[str, Any], data_plane: DataPlaneReport | None = None) -> None:
        """Apply, and tell the workflows."""
        for manifest in manifests:
            await self.tell(self.kubernetes.apply(manifest), data_plane=data_plane)

    async def tell_gone(
        self, kind: Kind, namespace: str | None, name: str, uid: str | None = None, as_of: str | None = None
    ) -> None:
        """What the watcher does when a resource has disappeared, or is not in a list."""
        await self.workflows.tell_gone(Absence(Name(kind, namespace, name), Gone(uid=uid, as_of=as_of)))

    def handle(self, kind: Kind, namespace: str | None, name: str) -> WorkflowHandle[Any, Any]:
        """The workflow of a resource."""
        return self.client.get_workflow_handle(names.workflow_id(self.cluster, kind, namespace, name))

    async def running(self, kind: Kind, namespace: str | None, name: str) -> bool:
        """Whether the workflow of a resource runs."""
        return (await self.handle(kind, namespace, name).describe()).status is WorkflowExecutionStatus.RUNNING


async def until(accept: Callable[[], object], what: str) -> None:
    """Wait for a condition; the deadline is only a safety net."""
    async with asyncio.timeout(PATIENCE):
        while not accept():  # noqa: ASYNC110 - what is waited for is a plain object, which sets no event
            await asyncio.sleep(0.02)
    assert accept(), what


async def until_awaited(ask: Callable[[], Awaitable[object]], what: str) -> None:
    """The same for a question that takes a request."""
    async with asyncio.timeout(PATIENCE):
        while not (accepted := await ask()):  # noqa: ASYNC110 - only asking tells
            await asyncio.sleep(0.05)
    assert accepted, what


@pytest.fixture(scope="session")
def temporal_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Temporal server for all tests of this room."""
    directory = tmp_path_factory.mktemp("temporal")
    with LocalStack(directory, StackSettings(parts=("temporal",), fast=True)) as stack:
        yield stack.environment["TEMPORAL_ADDRESS"]


@pytest.fixture
async def harness(temporal_address: str) -> Harness:
    """A cluster of this test's own."""
    return Harness(await Client.connect(temporal_address, data_converter=pydantic_data_converter))
