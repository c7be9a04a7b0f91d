"""The loop among objects that others made: adoption, names that are taken, and what stays after a deletion."""

from typing import Any

import pytest
from temporalio import workflow

from activities.failures import Failure
from activities.objects import ApiObject
from resources.annotations import DELETION_POLICY, MESH_DELETION
from resources.kinds import Kind
from resources.ownership import Owner, tags_of
from resources.parsing import parse_virtual_node
from resources.translate.virtual_node import virtual_node_spec
from tests.builders import MESH, NAMESPACE, listener, mesh, stored, virtual_node, virtual_service
from tests.workflows.conftest import Harness, until
from tests.workflows.test_entity import IN_MESH, NODE, ROUTER, ROUTES, SERVICE, ready, settled
from workflows import calls, entity

pytestmark = pytest.mark.e2e

AT_NODE = (Kind.VIRTUAL_NODE, NAMESPACE, "cart")
AT_MESH = (Kind.MESH, None, MESH)
AT_SERVICE = (Kind.VIRTUAL_SERVICE, NAMESPACE, SERVICE)
NODE_SPEC = virtual_node_spec(parse_virtual_node(stored(virtual_node())))
ALLOW: dict[str, Any] = {"egressFilter": {"type": "ALLOW_ALL"}}
MAIN = {Kind.MESH: "MeshActive", Kind.VIRTUAL_NODE: "VirtualNodeActive", Kind.VIRTUAL_SERVICE: "VirtualServiceActive"}

Place = tuple[Kind, str | None, str]


def of_another_cluster(harness: Harness, object: ApiObject, spec: dict[str, Any]) -> None:
    """An object that Meshwright made in the cluster `west`."""
    harness.app_mesh.put(object, spec)
    harness.app_mesh.tags[object] = tags_of(Owner(cluster="west", namespace="theirs", name="thing", uid="1"))


def message(harness: Harness, place: Place, type: str | None = None) -> str:
    """What a condition says, the main one by default."""
    return str(harness.kubernetes.condition(*place, type or MAIN[place[0]]).get("message"))


async def until_reason(harness: Harness, place: Place, reason: str) -> None:
    """Wait until the main condition has this reason."""
    await until(lambda: harness.kubernetes.condition(*place, MAIN[place[0]]).get("reason") == reason, reason)


async def annotate(harness: Harness, place: Place, name: str, value: str) -> None:
    """Edit an annotation, which is no new generation, and tell the workflow what the watcher saw."""
    metadata = harness.kubernetes.resources[place]["metadata"]
    metadata["annotations"] = metadata.get("annotations", {}) | {name: value}
    await harness.tell(harness.kubernetes.see(*place))


async def delete(harness: Harness, place: Place) -> None:
    """Delete a resource, and wait until it is gone and its workflow has ended."""
    await harness.tell(harness.kubernetes.delete(*place))
    await harness.handle(*place).result()
    assert place not in harness.kubernetes.resources


def annotated(manifest: dict[str, Any], **annotations: str) -> dict[str, Any]:
    """The manifest with annotations of ours: `deletion_policy` for `meshwright.dev/deletion-policy`."""
    named = {f"meshwright.dev/{name.replace('_', '-')}": value for name, value in annotations.items()}
    return manifest | {"metadata": manifest["metadata"] | {"annotations": named}}


def reasons_of_events(harness: Harness) -> list[str]:
    """The reasons of all Events so far."""
    return [event.reason for event in harness.kubernetes.events]


class TestAdoption:
    """What exists already and nobody has tagged."""

    @pytest.mark.parametrize(
        ("spec", "writes"),
        [pytest.param(NODE_SPEC, [], id="equal"), pytest.param({}, ["UpdateVirtualNode cart-prod"], id="different")],
    )
    async def test_is_brought_in_line_and_stays_when_its_resource_goes(self, harness, spec, writes):
        """At most one update; the condition says that it was adopted, and an Event that it was left."""
        ready(harness, mesh())
        harness.app_mesh.put(NODE, spec)
        async with harness.worker():
            await harness.apply(virtual_node())
            await until_reason(harness, AT_NODE, "Active")
            # The create is refused; then one look at the object and one at its tags.
            expected = ["DescribeVirtualNode cart-prod", "ListTagsForResource cart-prod", *writes]
            assert harness.app_mesh.calls == ["CreateVirtualNode cart-prod", *expected]
            assert message(harness, AT_NODE, "Adopted") == "virtual node cart-prod existed already"
            await delete(harness, AT_NODE)
        assert NODE in harness.app_mesh.objects
        assert harness.kubernetes.events[-1].message == (
            "Left in App Mesh: virtual node cart-prod; this cluster did not create it"
        )

    async def test_goes_with_its_resource_where_that_says_so(self, harness):
        """The policy is the user's to choose."""
        ready(harness, mesh())
        harness.app_mesh.put(NODE, NODE_SPEC)
        async with harness.worker():
            await harness.apply(annotated(virtual_node(), deletion_policy="Delete"))
            await until_reason(harness, AT_NODE, "Active")
            await delete(harness, AT_NODE)
        assert NODE not in harness.app_mesh.objects
        assert "Retained" not in reasons_of_events(harness)

    async def test_is_still_known_when_the_history_is_lost(self, harness):
        """The condition tells that something was adopted, and the tags what was not."""
        ready(harness, mesh(), virtual_node())
        harness.app_mesh.put(ROUTER, {})
        async with harness.worker():
            await harness.apply(virtual_service(routes=ROUTES))
            await settled(harness)
            await harness.handle(*AT_SERVICE).terminate("its history is lost")
            await delete(harness, AT_SERVICE)
        names = {object.name for object in harness.app_mesh.objects}
        assert names == {MESH, NODE.name, ROUTER.name}

    async def test_of_the_controller_before_us_is_deleted_as_that_would_have_done(self, harness):
        """The status is evidence that a controller of this cluster made it; the tags are looked at to be sure."""
        ready(harness, mesh())
        harness.app_mesh.put(NODE, NODE_SPEC)
        snapshot = harness.kubernetes.apply(virtual_node())
        conditions = [{"type": "VirtualNodeActive", "status": "True"}]
        resource = harness.kubernetes.resources[AT_NODE]
        resource["status"] = {"conditions": conditions}
        resource["metadata"]["finalizers"] = [Kind.VIRTUAL_NODE.finalizer]
        async with harness.worker():
            await harness.tell(harness.kubernetes.see(*AT_NODE))
            await until(lambda: "observedGeneration" in resource["status"], "the adoption")
            assert harness.app_mesh.calls == ["DescribeVirtualNode cart-prod"]
            await delete(harness, AT_NODE)
        assert NODE not in harness.app_mesh.objects
        assert harness.app_mesh.counts["ListTagsForResource"] == 1
        assert snapshot.key.name == "cart"

    async def test_of_our_own_after_a_lost_memory_is_ours(self, harness):
        """The tags say so, though history and status are lost."""
        ready(harness, mesh())
        async with harness.worker():
            await harness.apply(virtual_node())
            await until_reason(harness, AT_NODE, "Active")
            await harness.handle(*AT_NODE).terminate("its history is lost")
            harness.kubernetes.resources[AT_NODE]["status"] = {}
            await harness.tell(harness.kubernetes.see(*AT_NODE))
            await until_reason(harness, AT_NODE, "Active")
            assert harness.kubernetes.condition(*AT_NODE, "Adopted") == {}
            await delete(harness, AT_NODE)
        assert NODE not in harness.app_mesh.objects


class TestNamesThatAreTaken:
    """Two clusters that share one App Mesh."""

    async def test_a_node_of_another_cluster_is_never_written(self, harness, monkeypatch):
        """The condition names its resource; it is looked at now and then, and taken over when it has gone."""
        monkeypatch.setattr(entity, "SLOW_DELAY", entity.SHORTEST_DELAY / 5)
        ready(harness, mesh())
        of_another_cluster(harness, NODE, {"listeners": []})
        theirs = harness.app_mesh.objects[NODE]
        async with harness.worker():
            await harness.apply(virtual_node())
            await until_reason(harness, AT_NODE, "NameConflict")
            assert message(harness, AT_NODE) == "virtual node cart-prod belongs to theirs/thing of cluster west"
            await until(lambda: harness.app_mesh.counts["ListTagsForResource"] > 2, "another look")
            assert harness.app_mesh.objects[NODE] == theirs
            assert harness.app_mesh.writes == ["CreateVirtualNode cart-prod"]  # refused, and not tried again
            del harness.app_mesh.objects[NODE], harness.app_mesh.tags[NODE]
            await until_reason(harness, AT_NODE, "Active")
        assert harness.app_mesh.tags[NODE]["meshwright.dev/cluster"] == harness.cluster

    @pytest.mark.parametrize("forgotten", [False, True], ids=["remembered", "history-lost"])
    async def test_a_resource_whose_name_is_taken_goes_without_touching_the_other_s(self, harness, forgotten):
        """Its finalizer is on, and nothing in App Mesh is its own."""
        ready(harness, mesh())
        of_another_cluster(harness, NODE, NODE_SPEC)
        async with harness.worker():
            await harness.apply(virtual_node())
            await until_reason(harness, AT_NODE, "NameConflict")
            if forgotten:
                await harness.handle(*AT_NODE).terminate("its history is lost")
            await delete(harness, AT_NODE)
        assert NODE in harness.app_mesh.objects

    async def test_an_equal_mesh_of_another_cluster_is_used_and_never_deleted(self, harness):
        """A mesh may span clusters: no write, its members come up, and it outlives the resource."""
        of_another_cluster(harness, IN_MESH, ALLOW)
        async with harness.worker():
            await harness.apply(annotated(mesh(**ALLOW), deletion_policy="Delete"))
            await until_reason(harness, AT_MESH, "Active")
            assert message(harness, AT_MESH, "Adopted") == (
                "mesh shop belongs to theirs/thing of cluster west and is used as it is"
            )
            await harness.apply(virtual_node())
            await until_reason(harness, AT_NODE, "Active")
            await delete(harness, AT_NODE)
            await delete(harness, AT_MESH)
        assert set(harness.app_mesh.objects) == {IN_MESH}
        assert [call for call in harness.app_mesh.writes if "Mesh" in call] == ["CreateMesh shop"]
        assert harness.app_mesh.objects[IN_MESH].version == 1

    async def test_a_mesh_of_another_cluster_that_differs_is_a_conflict_until_both_agree(self, harness):
        """The message names the fields; members wait; an edit on this side settles it."""
        of_another_cluster(harness, IN_MESH, ALLOW)
        async with harness.worker():
            await harness.apply(mesh())
            await until_reason(harness, AT_MESH, "NameConflict")
            assert message(harness, AT_MESH) == (
                "mesh shop belongs to theirs/thing of cluster west, and differs: "
                'egressFilter: {"type": "ALLOW_ALL"} -> none'
            )
            await harness.apply(virtual_node())
            await until_reason(harness, AT_NODE, "WaitingForMesh")
            await harness.apply(mesh(**ALLOW))
            await until_reason(harness, AT_MESH, "Active")
        assert harness.app_mesh.objects[IN_MESH].version == 1


class TestRetaining:
    """`meshwright.dev/deletion-policy: Retain`."""

    async def test_asks_nothing_of_app_mesh(self, harness):
        """The objects stay, the resource goes, and an Event names what was left."""
        ready(harness, mesh(), virtual_node())
        async with harness.worker():
            await harness.apply(annotated(virtual_service(routes=ROUTES[:1]), deletion_policy="Retain"))
            await settled(harness)
            kept, made = dict(harness.app_mesh.objects), list(harness.app_mesh.calls)
            await delete(harness, AT_SERVICE)
        assert (harness.app_mesh.objects, harness.app_mesh.calls) == (kept, made)
        left = harness.kubernetes.events[-1]
        assert left.reason == "Retained"
        assert left.message == (
            "Left in App Mesh: route a of router cart-router-prod, router cart-router-prod, "
            f"virtual service {SERVICE}; the deletion policy is Retain"
        )

    @pytest.mark.parametrize("failure", [Failure.FORBIDDEN, Failure.UNAVAILABLE])
    async def test_frees_a_resource_that_app_mesh_keeps_from_going(self, harness, failure, monkeypatch):
        """Credentials that no longer work: the condition tells the way out, and an annotation is enough."""
        monkeypatch.setattr(calls.APP_MESH_RETRIES, "maximum_attempts", 2)
        reason = {Failure.FORBIDDEN: "Forbidden", Failure.UNAVAILABLE: "AppMeshUnavailable"}[failure]
        ready(harness, mesh())
        async with harness.worker():
            await harness.apply(virtual_node())
            await until_reason(harness, AT_NODE, "Active")
            harness.app_mesh.faults["DeleteVirtualNode"] = [failure] * 1000
            await harness.tell(harness.kubernetes.delete(*AT_NODE))
            await until_reason(harness, AT_NODE, reason)
            assert f"{DELETION_POLICY}: Retain" in message(harness, AT_NODE)
            await annotate(harness, AT_NODE, DELETION_POLICY, "Retain")
            await harness.handle(*AT_NODE).result()
        assert AT_NODE not in harness.kubernetes.resources
        assert NODE in harness.app_mesh.objects

    async def test_a_misspelt_policy_is_told_at_once_and_stops_a_deletion(self, harness):
        """Nothing is deleted on a guess, and correcting it is enough."""
        ready(harness, mesh())
        async with harness.worker():
            await harness.apply(virtual_node())
            await until_reason(harness, AT_NODE, "Active")
            await annotate(harness, AT_NODE, DELETION_POLICY, "Retian")
            await until_reason(harness, AT_NODE, "InvalidSpec")
            expected = f"metadata.annotations[{DELETION_POLICY}]: must be one of Delete, Retain"
            assert message(harness, AT_NODE) == expected
            await harness.tell(harness.kubernetes.delete(*AT_NODE))
            await annotate(harness, AT_NODE, DELETION_POLICY, "Retain")
            await harness.handle(*AT_NODE).result()
        assert NODE in harness.app_mesh.objects
        assert "DeleteVirtualNode cart-prod" not in harness.app_mesh.calls

    async def test_a_mesh_with_it_leaves_its_members_alone(self, harness):
        """It goes at once; resources and objects of its members stay as they are."""
        async with harness.worker():
            await harness.apply(annotated(mesh(), deletion_policy="Retain"))
            await until_reason(harness, AT_MESH, "Active")
            await harness.apply(virtual_node())
            await until_reason(harness, AT_NODE, "Active")
            await delete(harness, AT_MESH)
        assert set(harness.app_mesh.objects) == {IN_MESH, NODE}
        assert AT_NODE in harness.kubernetes.resources


async def test_a_node_that_goes_with_its_mesh_lets_the_services_that_target_it_go_first(harness):
    """App Mesh would refuse otherwise: no call of its is made in vain."""
    async with harness.worker():
        await harness.apply(mesh())
        await until_reason(harness, AT_MESH, "Active")
        await harness.apply(virtual_node())
        await until_reason(harness, AT_NODE, "Active")
        await harness.apply(virtual_service(routes=ROUTES[:1]))
        await settled(harness)
        await harness.tell(harness.kubernetes.delete(*AT_MESH))
        await harness.tell(harness.kubernetes.delete(*AT_NODE))
        await until_reason(harness, AT_NODE, "WaitingForVirtualServices")
        assert message(harness, AT_NODE) == f"1 virtual services still target it: {SERVICE}"
        assert not [call for call in harness.app_mesh.calls if call.startswith("Delete")]
        await delete(harness, AT_SERVICE)
        await harness.tell(harness.kubernetes.see(*AT_NODE), poke=True)  # as the watcher does when a service has gone
        await harness.handle(*AT_NODE).result()
    assert harness.app_mesh.counts["DeleteVirtualNode"] == 1
    told = [event.warning for event in harness.kubernetes.events if event.reason == "WaitingForVirtualServices"]
    assert told == [False]  # it was Active; to wait is the normal course of things


async def delete_a_mesh_that_blocks(harness: Harness) -> None:
    """Ask for the deletion of a mesh that has a member, and wait until it waits."""
    await harness.apply(annotated(mesh(), mesh_deletion="Block"))
    await until_reason(harness, AT_MESH, "Active")
    await harness.apply(virtual_node())
    await until_reason(harness, AT_NODE, "Active")
    await harness.tell(harness.kubernetes.delete(*AT_MESH))
    await until_reason(harness, AT_MESH, "WaitingForMembers")


class TestBlocking:
    """`meshwright.dev/mesh-deletion: Block`."""

    async def test_a_mesh_waits_for_its_members_and_names_them(self, harness):
        """They go on as if nothing were; when they have left, the mesh goes."""
        async with harness.worker():
            await delete_a_mesh_that_blocks(harness)
            expected = f"1 members are left: virtualnode/prod/cart ({MESH_DELETION}: Block)"
            assert message(harness, AT_MESH) == expected
            await harness.apply(virtual_node(listeners=[listener(9090)]))
            await until(lambda: "UpdateVirtualNode cart-prod" in harness.app_mesh.calls, "the member's edit")
            await delete(harness, AT_NODE)
            await harness.tell(harness.kubernetes.see(*AT_MESH), poke=True)
            await harness.handle(*AT_MESH).result()
        assert harness.app_mesh.objects == {}

    async def test_it_can_be_lifted(self, harness):
        """An edit of the annotation turns the wait into a cascade."""
        async with harness.worker():
            await delete_a_mesh_that_blocks(harness)
            await annotate(harness, AT_MESH, MESH_DELETION, "Cascade")
            await harness.tell(harness.kubernetes.see(*AT_NODE), poke=True)  # as the watcher does when the mesh turns
            metadata = harness.kubernetes.resources[AT_NODE]["metadata"]
            await until(lambda: "deletionTimestamp" in metadata, "the member's own deletion")


async def test_what_was_adopted_is_known_after_continuing_as_new(harness, monkeypatch):
    """The memory travels with the state."""
    monkeypatch.setattr(workflow.Info, "is_continue_as_new_suggested", lambda info: True)
    ready(harness, mesh())
    harness.app_mesh.put(NODE, NODE_SPEC)
    async with harness.worker():
        await harness.apply(virtual_node())
        await until_reason(harness, AT_NODE, "Active")
        first = (await harness.handle(*AT_NODE).describe()).run_id
        await harness.apply(virtual_node(listeners=[listener(9090)]))
        await until(lambda: "UpdateVirtualNode cart-prod" in harness.app_mesh.calls, "the edit")
        await delete(harness, AT_NODE)
    assert (await harness.handle(*AT_NODE).describe()).run_id != first
    assert NODE in harness.app_mesh.objects
