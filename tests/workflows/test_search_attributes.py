"""What a person who looks for workflows in the Temporal UI finds, and what that costs."""

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.failures import Failure
from cli.search_attributes import registered
from resources.kinds import Kind
from tests.builders import MESH, NAMESPACE, http_route, mesh, virtual_node, virtual_service
from tests.workflows.conftest import Harness, until_awaited
from tests.workflows.test_entity import ROUTES, SERVICE, ready, settled
from watcher.poke import TemporalWorkflows
from watcher.searching import Searchability
from workflows import names

pytestmark = pytest.mark.e2e

IN_NAMESPACE = (Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE)
UPSERT = EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES
FIXED = {
    names.SEARCH_KIND: "VirtualService",
    names.SEARCH_NAMESPACE: NAMESPACE,
    names.SEARCH_NAME: SERVICE,
    names.SEARCH_MESH: MESH,
}


async def attributes(harness: Harness) -> dict[str, object]:
    """The service's search attributes, by name."""
    found = (await harness.handle(*IN_NAMESPACE).describe()).typed_search_attributes
    return {pair.key.name: pair.value for pair in found if pair.key.name in names.SEARCH_ATTRIBUTES}


async def upserts(harness: Harness) -> int:
    """How many events the history has because of them."""
    history = await harness.handle(*IN_NAMESPACE).fetch_history()
    return sum(event.event_type == UPSERT for event in history.events)


async def current_details(handle: WorkflowHandle) -> str:
    """What the UI shows, asked for as the UI asks."""
    metadata: WorkflowMetadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return metadata.current_details


async def stands(harness: Harness, phase: str, reason: str) -> None:
    """Wait until the service is found by these."""
    expected = {**FIXED, names.SEARCH_PHASE: phase, names.SEARCH_REASON: reason}

    async def does() -> bool:
        return await attributes(harness) == expected

    await until_awaited(does, f"{phase} because of {reason}")


async def test_a_workflow_is_found_by_resource_phase_and_reason_and_each_turn_costs_one_event(harness):
    """From the start on; an edit that leaves it Active costs none."""
    await harness.apply(virtual_service(routes=ROUTES[:1]))
    assert await attributes(harness) == {**FIXED, names.SEARCH_PHASE: "Pending"}  # no worker has seen it yet
    ready(harness, mesh())
    async with harness.worker():
        await stands(harness, "Waiting", "WaitingForVirtualNodes")
        ready(harness, virtual_node())
        await harness.tell(harness.kubernetes.see(*IN_NAMESPACE), poke=True)
        await stands(harness, "Active", "Active")
        assert await upserts(harness) == 2
        await harness.apply(virtual_service(routes=[http_route("a", {"cart": 7}, prefix="/a")]))
        await settled(harness, generation=2)
        assert await upserts(harness) == 2
        harness.app_mesh.faults["UpdateRoute"] = [Failure.BAD_REQUEST]
        await harness.apply(virtual_service(routes=ROUTES[:1]))
        await stands(harness, "Failing", "BadRequest")
        assert await upserts(harness) == 3


async def test_creating_a_resource_costs_one_event_for_it(harness):
    """Kind and names come with the start."""
    ready(harness, mesh(), virtual_node())
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES))
        await stands(harness, "Active", "Active")
    assert await upserts(harness) == 1


async def test_a_server_that_lacks_them_has_everything_but_the_search(harness):
    """And a workflow that began there is found once they are registered and something happens to it."""
    harness.workflows = TemporalWorkflows(
        harness.client, harness.cluster, harness.cluster, Searchability(harness.client, "off")
    )
    ready(harness, mesh(), virtual_node())
    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES[:1]))
        await settled(harness)
        assert await attributes(harness) == {}
        harness.workflows = TemporalWorkflows(harness.client, harness.cluster, harness.cluster)
        await harness.apply(virtual_service(routes=ROUTES[1:2]))
        await stands(harness, "Active", "Active")


async def test_what_the_page_of_a_workflow_says_is_a_table_of_how_it_stands(harness):
    """Current details, static details and memo."""
    ready(harness, mesh(), virtual_node())
    handle = harness.handle(*IN_NAMESPACE)

    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES))
        await settled(harness)
        shown = await current_details(handle)
        described = await handle.describe()
    assert "| Phase | **Active** |" in shown
    assert "| route a of router cart-router-prod | 1 |" in shown
    assert f"kubectl describe virtualservice {SERVICE} --namespace {NAMESPACE}" in str(await described.static_details())
    assert await described.memo() == {
        "cluster": harness.cluster,
        "kind": "VirtualService",
        "namespace": NAMESPACE,
        "name": SERVICE,
    }


async def test_while_a_step_is_tried_again_the_page_says_which_are_done(harness):
    """The steps of the reconcile, each with what has become of it."""
    ready(harness, mesh(), virtual_node())
    harness.app_mesh.faults["CreateVirtualService"] = [Failure.UNAVAILABLE] * 4
    handle = harness.handle(*IN_NAMESPACE)

    async def is_shown() -> bool:
        shown = await current_details(handle)
        return f"| Create virtual service {SERVICE} | to do |" in shown and "r cart-router-prod | done |" in shown

    async with harness.worker():
        await harness.apply(virtual_service(routes=ROUTES[:1]))
        await until_awaited(is_shown, "the steps")
        await settled(harness)


async def test_a_namespace_without_them_gets_them_by_the_command(temporal_address):
    """`meshwright search-attributes`, twice; a watcher that knew of none takes them up when it asks again."""
    default = await Client.connect(temporal_address, data_converter=pydantic_data_converter)
    request = RegisterNamespaceRequest(namespace="bare")
    request.workflow_execution_retention_period.FromSeconds(86400)
    await default.workflow_service.register_namespace(request)
    clock = [0.0]

    async def connects() -> bool:
        client = await Client.connect(temporal_address, namespace="bare", data_converter=pydantic_data_converter)
        return await Searchability(client).given() in (True, False)

    await until_awaited(connects, "the namespace")
    client = await Client.connect(temporal_address, namespace="bare", data_converter=pydantic_data_converter)
    searchability = Searchability(client, now=lambda: clock[0])
    assert not await searchability.given()
    assert sorted(await registered(client)) == sorted(names.SEARCH_ATTRIBUTES)
    assert not await searchability.given()  # it does not ask all the time
    clock[0] = 61.0

    async def knows() -> bool:
        clock[0] += 61.0
        return await searchability.given()

    await until_awaited(knows, "the watcher to find them")
    assert await registered(client) == []
