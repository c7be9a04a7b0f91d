"""Temporal as the demo needs it: one workflow's history, its page in the UI, and whether anything still runs."""

import asyncio
import time
from collections.abc import Mapping
from urllib.parse import quote

from temporalio.client import Client

from examples.demo.steps import History, read

_POLL = 0.1


def history(environment: Mapping[str, str], workflow: str) -> History:
    """What a workflow did in its present run."""

    async def fetch() -> History:
        client = await _connect(environment)
        return read((await client.get_workflow_handle(workflow).fetch_history()).events)

    return asyncio.run(fetch())


def still_running(environment: Mapping[str, str], patience: float) -> list[str]:
    """Ids of the workflows that run. Temporal's index lags behind the truth a little, so none is waited for."""

    async def wait() -> list[str]:
        client = await _connect(environment)
        deadline = time.monotonic() + patience
        while True:
            left = [found.id async for found in client.list_workflows("ExecutionStatus = 'Running'")]
            if not left or time.monotonic() > deadline:
                return left
            await asyncio.sleep(_POLL)

    return asyncio.run(wait())


def page(environment: Mapping[str, str], workflow: str) -> str:
    """The address of a workflow in Temporal's UI."""
    ui, namespace = environment["MESHWRIGHT_TEMPORAL_UI"], environment["TEMPORAL_NAMESPACE"]
    return f"{ui}/namespaces/{namespace}/workflows/{quote(workflow, safe='')}"


async def _connect(environment: Mapping[str, str]) -> Client:
    return await Client.connect(environment["TEMPORAL_ADDRESS"], namespace=environment["TEMPORAL_NAMESPACE"])
