"""Continuing as new: histories stay short, and no signal is lost on the way."""

import os

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from deploy.local.toolchain import Toolchain
from resources.kinds import Kind
from tests.builders import NAMESPACE, http_route, mesh, virtual_node, virtual_service
from tests.workflows.conftest import Harness
from tests.workflows.test_entity import SERVICE, ready, settled

pytestmark = pytest.mark.e2e

EDITS = 60


@pytest.fixture
async def short_histories():
    """A server that suggests to continue as new after 60 events instead of 4096."""
    program = Toolchain.from_environment(os.environ).resolve(["temporal"])["temporal"]
    limit = "limit.historyCount.suggestContinueAsNew=60"
    async with await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=str(program),
        dev_server_extra_args=["--dynamic-config-value", limit],
    ) as environment:
        yield environment.client


async def test_a_storm_of_edits_crosses_many_runs_and_the_newest_wins(short_histories):
    """Memory goes along: each edit is still one write and no read, and the last weight is what App Mesh holds."""
    harness = Harness(short_histories)
    ready(harness, mesh(), virtual_node())
    async with harness.worker():
        for weight in range(1, EDITS + 1):
            await harness.apply(virtual_service(routes=[http_route("a", {"cart": weight}, prefix="/a")]))
            if weight % 10 == 0:
                await settled(harness, generation=weight)
        await settled(harness, generation=EDITS)
        runs = [
            run
            async for run in harness.client.list_workflows(
                f"WorkflowId = '{harness.cluster}/virtualservice/{NAMESPACE}/{SERVICE}'"
            )
        ]
        await harness.tell(harness.kubernetes.delete(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE))
        await harness.handle(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE).result()
    assert len(runs) > 1
    assert harness.app_mesh.writes == harness.app_mesh.calls
    assert harness.app_mesh.counts["CreateVirtualRouter"] == 1
    described = await harness.handle(Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE).describe()
    assert described.history_length < 200
