"""The workflow of a Cloud Map service on a real Temporal server: what is called, what nodes are told, when it ends."""

from typing import Any

import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from activities.failures import Failure
from resources.cloud_map import CloudMapService, Instance
from resources.kinds import Kind
from tests.builders import NAMESPACE, mesh, virtual_node
from tests.watcher.pods import in_cloud_map
from tests.workflows.conftest import Harness, until, until_awaited
from tests.workflows.planning.test_cloud_map import instance, node
from tests.workflows.test_entity import ready
from watcher.cloud_map_poke import TemporalCloudMapWorkflows
from workflows import cloud_map_calls, names
from workflows.cloud_map import CloudMapServiceWorkflow
from workflows.cloud_map_messages import NodeInService, PodNews, Tidings

pytestmark = pytest.mark.e2e

SERVICE = CloudMapService(namespace="shop.local", name="cart")


class Story:
    """One service of one test, told what a watcher would tell."""

    def __init__(self, harness: Harness) -> None:
        self.harness = harness
        self.cloud_map = harness.cloud_map
        self.workflows = TemporalCloudMapWorkflows(harness.client, harness.cluster, harness.cluster)
        self._version = 0
        self._live: set[str] = set()

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        """The workflow."""
        return self.harness.client.get_workflow_handle(names.cloud_map_id(self.harness.cluster, SERVICE))

    async def tell(
        self, *ips: str, nodes: tuple[NodeInService, ...] = (node(),), gone: tuple[str, ...] = (), **more: Any
    ) -> str | None:
        """Pods of the first node that should be registered, and pods that should not be.

        All that are left are on the roster, unless another one is given.
        """
        owner = nodes[0].key.uid if nodes else ""
        self._version += 1
        self._live = self._live.union(ips).difference(gone)
        more = {"roster": tuple(sorted(self._live)), "as_of": self._version} | more
        version = (self._version, 1)
        coming = [PodNews(uid=ip, version=version, node=owner, instance=self.instance(ip)) for ip in ips]
        going = [PodNews(uid=ip, version=version) for ip in gone]
        return await self.workflows.tell(
            Tidings(
                because="test",
                cluster=self.harness.cluster,
                service=SERVICE,
                nodes=nodes,
                nodes_version=self._version,
                pods=(*coming, *going),
                **more,
            )
        )

    def instance(self, ip: str) -> Instance:
        """The instance of a pod with this address."""
        return instance(ip, **{"k8s.io/pod": ip})

    async def holds(self, ip: str) -> None:
        """Wait until Cloud Map has this, among others."""
        await until(lambda: ip in self.cloud_map.of("cart"), f"{ip} to be registered")

    async def registered(self, *ips: str) -> None:
        """Wait until Cloud Map has exactly these."""
        await until(lambda: set(self.cloud_map.of("cart")) == set(ips), f"{ips} to be registered")

    async def ended(self) -> bool:
        """Whether the workflow has come to its end."""
        return (await self.handle.describe()).status is WorkflowExecutionStatus.COMPLETED

    async def tasks(self) -> int:
        """Workflow tasks so far."""
        wanted = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
        return sum(event.event_type == wanted for event in (await self.handle.fetch_history()).events)


@pytest.fixture
def story(harness: Harness) -> Story:
    """A story in an HTTP namespace."""
    harness.cloud_map.make_namespace("shop.local")
    return Story(harness)


async def test_from_the_first_pod_to_a_removed_service(story: Story) -> None:
    """Made once, each instance once, and nothing of it left."""
    async with story.harness.worker():
        await story.tell("10.0.0.1", "10.0.0.2")
        await story.registered("10.0.0.1", "10.0.0.2")
        await story.tell(gone=("10.0.0.1",))
        await story.registered("10.0.0.2")
        await story.tell(nodes=())
        await story.handle.result()
    assert story.cloud_map.services == {}
    counts = story.cloud_map.counts
    assert (counts["CreateService"], counts["DeleteService"]) == (1, 1)
    assert (counts["RegisterInstance"], counts["DeregisterInstance"]) == (2, 2)
    assert (counts["ListNamespaces"], counts["ListServices"], counts["GetService"]) == (2, 2, 0)


async def test_a_thousand_pods_are_a_few_workflow_tasks(story: Story) -> None:
    """Told in messages of a hundred, registered in batches, each exactly once."""
    ips = [f"10.0.{number // 250}.{number % 250}" for number in range(1000)]
    async with story.harness.worker():
        for start in range(0, 1000, 100):
            await story.tell(*ips[start : start + 100])
        await story.registered(*ips)
        await until(lambda: story.cloud_map.counts["RegisterInstance"] == 1000, "every instance once")
        assert await story.tasks() < 100
    assert max(story.cloud_map.batches) == 50


async def test_news_that_comes_meanwhile_is_taken_in_before_the_rest(story: Story) -> None:
    """A pod that goes does not wait for those that come; one that never was registered costs nothing."""
    ips = [f"10.0.{number // 250}.{number % 250}" for number in range(400)]
    async with story.harness.worker():
        await story.tell(ips[0])
        await story.registered(ips[0])
        story.cloud_map.open.clear()
        await story.tell(*ips[1:])
        await until(lambda: len(story.cloud_map.batches) == 5, "the first batches")
        story.cloud_map.batches.clear()
        story.cloud_map.held.clear()
        await story.tell(gone=(ips[0], ips[-1]))
        story.cloud_map.open.set()
        await story.registered(*ips[1:-1])
        assert story.cloud_map.batches[0] == 1
    assert story.cloud_map.counts["DeregisterInstance"] == 1
    assert story.cloud_map.counts["RegisterInstance"] == 399


async def test_leftovers_are_swept_and_strangers_left_alone(story: Story) -> None:
    """Found at the first look, of nodes that use the service; the service of somebody else stays."""
    stranger = Instance(id="10.9.9.9", attributes={"AWS_INSTANCE_IPV4": "10.9.9.9"})
    leftover, right = story.instance("10.0.0.7"), story.instance("10.0.0.1")
    story.cloud_map.make_service("cart", "shop.local", stranger, leftover, right)
    async with story.harness.worker():
        await story.tell("10.0.0.1")
        await story.registered("10.0.0.1", "10.9.9.9")
        await story.tell(nodes=())
        await story.handle.result()
    assert story.cloud_map.of("cart") == {"10.9.9.9": stranger}
    assert (story.cloud_map.counts["RegisterInstance"], story.cloud_map.counts["CreateService"]) == (0, 0)


async def test_nobody_is_deregistered_before_everybody_was_told_of(story: Story) -> None:
    """The pods of a large service come in several messages, and a workflow that begins finds them all registered."""
    ips = [f"10.0.0.{number}" for number in range(6)]
    pods = [story.instance(ip) for ip in ips]
    story.cloud_map.make_service("cart", "shop.local", *pods, story.instance("10.9.9.9"))
    async with story.harness.worker():
        await story.tell(*ips[:2], "10.0.1.1", roster=None)
        await story.holds("10.0.1.1")
        await story.tell(*ips[2:4], "10.0.1.2", roster=None)
        await story.holds("10.0.1.2")
        assert story.cloud_map.counts["DeregisterInstance"] == 0
        await story.tell(*ips[4:])
        await story.registered(*ips, "10.0.1.1", "10.0.1.2")
    assert (story.cloud_map.counts["DeregisterInstance"], story.cloud_map.counts["RegisterInstance"]) == (1, 2)


async def test_whoever_tells_learns_of_a_new_life(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same while it lives, also after it continued as new; another one when Temporal lost it."""
    monkeypatch.setattr(workflow.Info, "is_continue_as_new_suggested", lambda info: True)
    async with story.harness.worker():
        first = await story.tell("10.0.0.1")
        run = (await story.handle.describe()).run_id
        await story.registered("10.0.0.1")
        await until_awaited(lambda: moved_on(story, run), "another run")
        assert first is not None
        assert await story.tell("10.0.0.2") in (first, None), "an older server tells only of a beginning"
        await story.registered("10.0.0.1", "10.0.0.2")
        await story.handle.terminate("its history is lost")
        assert await story.tell("10.0.0.3") not in (first, None)


async def test_a_service_of_ours_that_somebody_else_uses_stays(story: Story) -> None:
    """It is not empty."""
    async with story.harness.worker():
        await story.tell("10.0.0.1")
        await story.registered("10.0.0.1")
        service = story.cloud_map.services["cart"].id
        story.cloud_map.instances[service]["10.9.9.9"] = Instance(id="10.9.9.9", attributes={})
        await story.tell(nodes=())
        await story.handle.result()
    assert set(story.cloud_map.of("cart")) == {"10.9.9.9"}


async def test_a_service_made_by_an_earlier_run_is_still_ours(story: Story) -> None:
    """Temporal's history was lost; the creator request id tells."""
    async with story.harness.worker():
        await story.tell("10.0.0.1")
        await story.registered("10.0.0.1")
        await story.handle.terminate("its history is lost")
        await story.tell("10.0.0.1")
        await until_awaited(lambda: has_settled(story), "the next run to look around")
        await story.tell(nodes=())
        await story.handle.result()
    assert story.cloud_map.services == {}
    assert story.cloud_map.counts["CreateService"] == 1


async def has_settled(story: Story) -> bool:
    """Whether the run has listed the instances that are there."""
    return story.cloud_map.counts["ListInstances"] >= 2 and not await story.ended()


async def test_a_sweep_repairs_what_somebody_did_by_hand(story: Story) -> None:
    """Deregistered, changed, and added under a node's name."""
    async with story.harness.worker():
        await story.tell("10.0.0.1", "10.0.0.2")
        await story.registered("10.0.0.1", "10.0.0.2")
        held = story.cloud_map.instances[story.cloud_map.services["cart"].id]
        del held["10.0.0.1"]
        held["10.0.0.2"] = Instance(id="10.0.0.2", attributes=held["10.0.0.2"].attributes | {"by": "hand"})
        held["10.0.0.3"] = story.instance("10.0.0.3")
        await story.tell(sweep=True)
        right = {ip: story.instance(ip) for ip in ("10.0.0.1", "10.0.0.2")}
        await until(lambda: story.cloud_map.of("cart") == right, "the repair")


async def test_a_service_that_somebody_deleted_is_made_again(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as a call says so."""
    async with story.harness.worker():
        await story.tell("10.0.0.1")
        await story.registered("10.0.0.1")
        story.cloud_map.services.clear()
        await story.tell("10.0.0.2")
        await story.registered("10.0.0.1", "10.0.0.2")


async def test_a_refused_instance_does_not_hold_up_the_others(story: Story) -> None:
    """It is tried again with the next sweep."""
    story.cloud_map.refuses.add("10.0.0.2")
    async with story.harness.worker():
        await story.tell("10.0.0.1", "10.0.0.2", "10.0.0.3")
        await story.registered("10.0.0.1", "10.0.0.3")
        story.cloud_map.refuses.clear()
        await story.tell(sweep=True)
        await story.registered("10.0.0.1", "10.0.0.2", "10.0.0.3")


async def test_faults_pass(story: Story) -> None:
    """Throttled, away, away in the middle of a batch."""
    story.cloud_map.faults = {
        "ListNamespaces": [Failure.THROTTLED],
        "CreateService": [Failure.UNAVAILABLE],
        "RegisterInstances": [Failure.UNAVAILABLE, Failure.THROTTLED],
    }
    async with story.harness.worker():
        await story.tell("10.0.0.1")
        await story.registered("10.0.0.1")


async def test_memory_is_carried_over_when_the_workflow_continues_as_new(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is registered twice or forgotten."""
    monkeypatch.setattr(workflow.Info, "is_continue_as_new_suggested", lambda info: True)
    async with story.harness.worker():
        for ip in ("10.0.0.1", "10.0.0.2", "10.0.0.3"):
            await story.tell(ip)
            await story.holds(ip)
        first = (await story.handle.describe()).run_id
        await story.tell(gone=("10.0.0.2",))
        await story.registered("10.0.0.1", "10.0.0.3")
        await until_awaited(lambda: moved_on(story, first), "another run")
    assert story.cloud_map.counts["RegisterInstance"] == 3


async def moved_on(story: Story, run: str) -> bool:
    """Whether another run has taken over."""
    return (await story.handle.describe()).run_id != run


async def test_a_node_is_told_where_its_service_stands(story: Story) -> None:
    """No namespace, then one: the condition and the ids arrive in the node's status."""
    harness = story.harness
    del story.cloud_map.namespaces["shop.local"]
    place = (Kind.VIRTUAL_NODE, NAMESPACE, "cart")
    condition = (*place, "CloudMapServiceReady")
    async with harness.worker():
        ready(harness, mesh())
        await harness.apply(virtual_node(**in_cloud_map()))
        key = node().key.model_copy(update={"uid": "uid-of-cart"})
        nodes = (NodeInService(key=key, identity=node().identity),)
        await story.tell(nodes=nodes)
        await until(
            lambda: harness.kubernetes.condition(*condition).get("reason") == "CloudMapNamespaceNotFound",
            "the condition",
        )
        story.cloud_map.make_namespace("shop.local")
        await story.tell(nodes=nodes, sweep=True)
        await until(lambda: harness.kubernetes.condition(*condition).get("status") == "True", "the condition to turn")
        status = harness.kubernetes.resources[place]["status"]
        assert status["cloudmapService"] == {
            "serviceId": story.cloud_map.services["cart"].id,
            "namespaceId": "ns-shop.local",
        }
        main = harness.kubernetes.condition(*place, "VirtualNodeActive")
        assert main["status"] == "True"


async def test_a_node_is_told_whose_pods_it_keeps_out(story: Story) -> None:
    """In the message of a condition that stays True; and no longer when it does not."""
    harness = story.harness
    condition = (Kind.VIRTUAL_NODE, NAMESPACE, "cart", "CloudMapServiceReady")

    def message() -> str | None:
        found = harness.kubernetes.condition(*condition)
        return str(found.get("message", "")) if found.get("status") == "True" else None

    async with harness.worker():
        ready(harness, mesh())
        await harness.apply(virtual_node(**in_cloud_map()))
        await story.tell("10.0.0.1", nodes=(of_cart(),))
        await until(lambda: message() == "", "the condition")
        await story.tell(nodes=(of_cart(kept_out=("mallory",)),))
        await until(lambda: "(mallory)" in (message() or ""), "the message")
        await story.tell(nodes=(of_cart(),))
        await until(lambda: message() == "", "the end of the message")
    assert story.cloud_map.counts["RegisterInstance"] == 1
    await replayed(await story.handle.fetch_history())


async def test_a_run_in_which_an_earlier_release_was_told_who_is_kept_out_goes_on(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It told nobody of that, and replays as it was."""
    harness = story.harness
    with monkeypatch.context() as earlier:
        earlier.setattr(workflow, "patched", lambda id: False)
        async with harness.worker():
            ready(harness, mesh())
            await harness.apply(virtual_node(**in_cloud_map()))
            keeps_out = of_cart(kept_out=("mallory",))
            await story.tell("10.0.0.1", nodes=(of_cart(),))
            await until_awaited(lambda: at_rest(story), "the report")
            await story.tell("10.0.0.2", nodes=(keeps_out,))
            await story.registered("10.0.0.1", "10.0.0.2")
            await story.tell("10.0.0.3", nodes=(keeps_out,))
            await story.registered("10.0.0.1", "10.0.0.2", "10.0.0.3")
    history = await story.handle.fetch_history()
    await replayed(history)
    monkeypatch.setattr(workflow, "patched", lambda id: True)
    with pytest.raises(workflow.NondeterminismError):
        await replayed(history)


def of_cart(**more: Any) -> NodeInService:
    """The node that a test applied."""
    key = node().key.model_copy(update={"uid": "uid-of-cart"})
    return NodeInService(key=key, identity=node().identity, **more)


async def at_rest(story: Story) -> bool:
    """Whether the node was told, and nothing is left to do."""
    events = [event.event_type for event in (await story.handle.fetch_history()).events]
    told = EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED in events
    return told and events[-1] == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED


async def replayed(history: WorkflowHistory) -> None:
    """Replay with this release; raises where it would do something else."""
    replayer = Replayer(
        workflows=[CloudMapServiceWorkflow],
        data_converter=pydantic_data_converter,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    await replayer.replay_workflow(history)


async def test_a_long_first_registration_is_told_as_such(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service is only called ready once the pods that were there are in it; later ones change nothing of that."""
    monkeypatch.setattr(cloud_map_calls, "BATCH", 1)
    monkeypatch.setattr(cloud_map_calls, "SIDE_BY_SIDE", 1)
    harness = story.harness
    condition = (Kind.VIRTUAL_NODE, NAMESPACE, "cart", "CloudMapServiceReady")
    key = node().key.model_copy(update={"uid": "uid-of-cart"})
    nodes = (NodeInService(key=key, identity=node().identity),)
    async with harness.worker():
        ready(harness, mesh())
        await harness.apply(virtual_node(**in_cloud_map()))
        story.cloud_map.open.clear()
        await story.tell("10.0.0.1", "10.0.0.2", nodes=nodes)
        await until(
            lambda: harness.kubernetes.condition(*condition).get("reason") == "CloudMapRegistering", "the condition"
        )
        story.cloud_map.open.set()
        await until(lambda: harness.kubernetes.condition(*condition).get("status") == "True", "the condition to turn")
        await story.registered("10.0.0.1", "10.0.0.2")
        turned = harness.kubernetes.condition(*condition)
        await story.tell("10.0.0.3", "10.0.0.4", nodes=nodes)
        await story.registered("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4")
        assert harness.kubernetes.condition(*condition) == turned


async def test_a_public_dns_namespace_is_refused(story: Story) -> None:
    """No service is made in it, and a node that leaves again leaves nothing."""
    story.cloud_map.make_namespace("shop.local", "DNS_PUBLIC")
    async with story.harness.worker():
        await story.tell("10.0.0.1")
        await until(lambda: story.cloud_map.counts["ListNamespaces"] == 2, "the look")
        await story.tell(nodes=())
        await story.handle.result()
    assert story.cloud_map.counts["CreateService"] == 0


async def test_limited_calls_go_to_queues_of_their_own_one_batch_at_a_time(story: Story) -> None:
    """In small batches, so that the queue's limit on batches is a limit on calls."""
    harness = story.harness
    writes, reads = f"{harness.cluster}-w", f"{harness.cluster}-r"
    harness.kubernetes.queues = harness.kubernetes.queues.model_copy(
        update={"cloud_map_writes": writes, "cloud_map_reads": reads}
    )
    ips = [f"10.0.0.{number}" for number in range(25)]
    async with harness.worker(), harness.activities_worker(writes), harness.activities_worker(reads):
        await story.tell(*ips)
        await story.registered(*ips)
        events = (await story.handle.fetch_history()).events
    used = {
        event.activity_task_scheduled_event_attributes.task_queue.name
        for event in events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    }
    assert used == {writes, reads}
    assert story.cloud_map.batches == [10, 10, 5]
