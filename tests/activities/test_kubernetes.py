"""The Kubernetes activities, each case on the API in memory and on a real API server."""

import itertools
from typing import Any

import pytest
from kubernetes.aio.client.exceptions import ApiException
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.failures import Failure
from activities.kubernetes import KubernetesActivities, event_object
from activities.messages import (
    Event,
    Finalizer,
    MeshReference,
    NodeReference,
    NodeUsers,
    Queues,
    ReadReferences,
    ResourceKey,
    Status,
)
from activities.resource_api import MERGE_PATCH, ResourceApi, collection_path, resource_path
from resources.kinds import Kind
from tests import builders
from tests.activities.fake_cluster import FakeCluster

FOREIGN = "example.com/keep"
OURS = Kind.MESH.finalizer
_numbers = itertools.count(1)


@pytest.fixture
def activities(api: ResourceApi) -> KubernetesActivities:
    """The activities over the API of this case."""
    return KubernetesActivities(api, Queues(writes="limited"))


async def run(function: Any, argument: Any) -> Any:
    """Run an activity as a worker would."""
    return await ActivityEnvironment().run(function, argument)


async def create_mesh(api: ResourceApi, *finalizers: str, name: str | None = None) -> tuple[ResourceKey, str]:
    """Create a Mesh; returns its key and resourceVersion."""
    manifest = builders.mesh(name or f"mesh-{next(_numbers)}")
    if finalizers:
        manifest["metadata"] |= {"finalizers": list(finalizers)}
    made = await api.request("POST", collection_path(Kind.MESH), manifest)
    return key_of(made), made["metadata"]["resourceVersion"]


def key_of(resource: dict[str, Any]) -> ResourceKey:
    """The key of a resource as the API server answered it."""
    metadata = resource["metadata"]
    return ResourceKey(
        kind=Kind(resource["kind"]), namespace=metadata.get("namespace"), name=metadata["name"], uid=metadata["uid"]
    )


def path_of(key: ResourceKey) -> str:
    """Where a resource is found."""
    return resource_path(key.kind, key.namespace, key.name)


async def metadata_of(api: ResourceApi, key: ResourceKey) -> dict[str, Any]:
    """The metadata that the API server has now."""
    found: dict[str, Any] = (await api.request("GET", path_of(key)))["metadata"]
    return found


async def recreate(api: ResourceApi, key: ResourceKey) -> ResourceKey:
    """Delete a resource that no finalizer holds, and create one of the same name."""
    await api.request("DELETE", path_of(key))
    return (await create_mesh(api, name=key.name))[0]


class TestFinalizers:
    async def test_finalizer_is_added_beside_others(self, api: ResourceApi, activities: KubernetesActivities) -> None:
        """Finalizers of others stay, and ours comes last."""
        key, _ = await create_mesh(api, FOREIGN)
        await run(activities.add_finalizer, Finalizer(key=key))
        assert (await metadata_of(api, key))["finalizers"] == [FOREIGN, OURS]

    async def test_true_sighting_saves_the_read(self, api: ResourceApi, activities: KubernetesActivities) -> None:
        """With the resourceVersion that the watcher saw, and no change since, one PATCH is enough."""
        key, version = await create_mesh(api)
        if isinstance(api, FakeCluster):
            api.requests.clear()
        await run(activities.add_finalizer, Finalizer(key=key, seen_version=version))
        if isinstance(api, FakeCluster):
            assert [method for method, _ in api.requests] == ["PATCH"]
        assert (await metadata_of(api, key))["finalizers"] == [OURS]

    async def test_outdated_sighting_costs_a_read_and_loses_nothing(
        self, api: ResourceApi, activities: KubernetesActivities
    ) -> None:
        """A conflict is answered by reading again: what others wrote in between stays."""
        key, version = await create_mesh(api)
        newer = {"metadata": {"uid": key.uid, "resourceVersion": version, "finalizers": [FOREIGN]}}
        await api.request("PATCH", path_of(key), newer, MERGE_PATCH)
        await run(activities.add_finalizer, Finalizer(key=key, seen_version=version))
        assert (await metadata_of(api, key))["finalizers"] == [FOREIGN, OURS]

    async def test_adding_twice_is_adding_once(self, api: ResourceApi, activities: KubernetesActivities) -> None:
        """A repeated local activity changes nothing, not even the resourceVersion."""
        key, _ = await create_mesh(api)
        await run(activities.add_finalizer, Finalizer(key=key))
        before = await metadata_of(api, key)
        await run(activities.add_finalizer, Finalizer(key=key))
        assert await metadata_of(api, key) == before

    async def test_removing_lets_a_deleted_resource_go(
        self, api: ResourceApi, activities: KubernetesActivities
    ) -> None:
        """Without our finalizer Kubernetes forgets the resource, and removing it once more is fine."""
        key, _ = await create_mesh(api, OURS)
        await api.request("DELETE", path_of(key))
        await run(activities.remove_finalizer, Finalizer(key=key))
        with pytest.raises(ApiException) as refused:
            await api.request("GET", path_of(key))
        assert refused.value.status == 404
        await run(activities.remove_finalizer, Finalizer(key=key))

    async def test_removing_spares_the_finalizers_of_others(
        self, api: ResourceApi, activities: KubernetesActivities
    ) -> None:
        """We take off what is ours alone."""
        key, _ = await create_mesh(api, FOREIGN, OURS)
        await run(activities.remove_finalizer, Finalizer(key=key))
        assert (await metadata_of(api, key))["finalizers"] == [FOREIGN]

    async def test_resource_being_deleted_takes_no_finalizer(
        self, api: ResourceApi, activities: KubernetesActivities
    ) -> None:
        """The API server refuses it for good, so it must not be tried for ever: for us this life is over."""
        key, version = await create_mesh(api, FOREIGN)
        await api.request("DELETE", path_of(key))
        await fails_as_gone(activities.add_finalizer, Finalizer(key=key, seen_version=version))

    async def test_next_life_gets_no_finalizer(self, api: ResourceApi, activities: KubernetesActivities) -> None:
        """A resource of the same name with another uid is somebody else."""
        key, version = await create_mesh(api)
        next_life = await recreate(api, key)
        await fails_as_gone(activities.add_finalizer, Finalizer(key=key, seen_version=version))
        assert "finalizers" not in await metadata_of(api, next_life)

    async def test_next_life_keeps_its_finalizer(self, api: ResourceApi, activities: KubernetesActivities) -> None:
        """Removing from a life that is over is fine, and does not touch the one that began."""
        key, _ = await create_mesh(api)
        next_life = await recreate(api, key)
        await run(activities.add_finalizer, Finalizer(key=next_life))
        await run(activities.remove_finalizer, Finalizer(key=key))
        assert (await metadata_of(api, next_life))["finalizers"] == [OURS]


async def fails_as_gone(function: Any, argument: Any) -> None:
    """The activity fails with `Gone`, which nobody retries."""
    with pytest.raises(ApplicationError) as failed:
        await run(function, argument)
    assert failed.value.type == Failure.GONE
    assert failed.value.non_retryable


class TestGone:
    @pytest.mark.parametrize("name", ["add_finalizer", "write_status", "delete_resource"])
    async def test_missing_resource_is_gone(
        self, api: ResourceApi, activities: KubernetesActivities, name: str
    ) -> None:
        """404 means that this life of the resource is over."""
        key = ResourceKey(kind=Kind.MESH, namespace=None, name="never-made", uid="u")
        await fails_as_gone(getattr(activities, name), argument_of(name, key))

    @pytest.mark.parametrize("name", ["add_finalizer", "write_status", "delete_resource"])
    async def test_no_write_lands_on_the_next_life(
        self, api: ResourceApi, activities: KubernetesActivities, name: str
    ) -> None:
        """The uid is a precondition of every write, and the refusal is understood."""
        key, _ = await create_mesh(api)
        next_life = await recreate(api, key)
        before = await api.request("GET", path_of(next_life))
        await fails_as_gone(getattr(activities, name), argument_of(name, key))
        assert await api.request("GET", path_of(next_life)) == before


def argument_of(name: str, key: ResourceKey) -> Any:
    """The argument that an activity takes for a resource."""
    return {
        "add_finalizer": Finalizer(key=key),
        "write_status": Status(key=key, status={"observedGeneration": 7}),
        "delete_resource": key,
    }[name]


class TestStatus:
    async def test_status_is_what_was_written_last(self, api: ResourceApi, activities: KubernetesActivities) -> None:
        """The whole status is replaced: a member that is not said again is gone."""
        key, _ = await create_mesh(api)
        await run(activities.write_status, Status(key=key, status={"meshArn": "arn:x", "observedGeneration": 1}))
        await run(activities.write_status, Status(key=key, status={"observedGeneration": 2}))
        assert (await api.request("GET", path_of(key)))["status"] == {"observedGeneration": 2}

    async def test_404_of_somebody_else_is_not_the_end_of_a_resource(self) -> None:
        """A load balancer with nothing behind it says 404 too, and what is gone is deleted from App Mesh."""
        cluster = FakeCluster()
        made = cluster.put(builders.mesh("m"))
        cluster.fault = lambda method, path: ApiException(status=404, reason="Not Found", body="default backend - 404")
        activities = KubernetesActivities(cluster, Queues())
        key = key_of(made)
        attempts = {
            activities.add_finalizer: Finalizer(key=key),
            activities.write_status: Status(key=key, status={}),
            activities.delete_resource: key,
            activities.list_members: "m",
            activities.read_references: ReadReferences(mesh="m"),
            activities.remove_finalizer: Finalizer(key=key),
        }
        for activity, argument in attempts.items():
            with pytest.raises(ApplicationError) as failed:
                await run(activity, argument)
            assert failed.value.type == Failure.UNAVAILABLE, activity

    async def test_status_does_not_touch_the_rest(self, api: ResourceApi, activities: KubernetesActivities) -> None:
        """Spec, generation and finalizers stay as they are."""
        key, _ = await create_mesh(api, FOREIGN)
        before = await metadata_of(api, key)
        await run(activities.write_status, Status(key=key, status={"observedGeneration": 1}))
        after = await metadata_of(api, key)
        assert (after["generation"], after["finalizers"]) == (before["generation"], [FOREIGN])

    async def test_status_that_the_schema_refuses_is_not_taken_for_another_life(self) -> None:
        """422 has two meanings; as long as the uid is the same the fault is reported, not the resource's end."""
        cluster = FakeCluster()
        made = cluster.put(builders.mesh("m"))
        cluster.fault = lambda method, path: ApiException(status=422) if method == "PATCH" else None
        activities = KubernetesActivities(cluster, Queues())
        with pytest.raises(ApplicationError) as failed:
            await run(activities.write_status, Status(key=key_of(made), status={}))
        assert failed.value.type == Failure.UNAVAILABLE


class TestDeleteResource:
    async def test_finalizer_holds_the_resource(self, api: ResourceApi, activities: KubernetesActivities) -> None:
        """Asking twice is fine: the resource is marked, and stays until its own workflow lets it go."""
        key, _ = await create_mesh(api, OURS)
        await run(activities.delete_resource, key)
        await run(activities.delete_resource, key)
        assert "deletionTimestamp" in await metadata_of(api, key)


class TestEvents:
    def event(self, key: ResourceKey, **changed: Any) -> Event:
        """An Event about a resource."""
        given = {
            "warning": True,
            "reason": "BadRequest",
            "message": "no",
            "serial": "1/1",
            "at": "2026-01-01T00:00:00Z",
        }
        return Event(key=key, **given | changed)

    async def test_repeated_event_is_one_event(self, api: ResourceApi, activities: KubernetesActivities) -> None:
        """The name comes from the content, so a repeated activity meets its own Event and is content."""
        key = ResourceKey(kind=Kind.MESH, namespace=None, name=f"twice-{next(_numbers)}", uid="u")
        await run(activities.record_event, self.event(key))
        await run(activities.record_event, self.event(key))
        names = {event_object(self.event(key, serial=serial))["metadata"]["name"] for serial in ("1/1", "1/2")}
        assert len(names) == 2

    async def test_namespace_that_is_being_deleted_takes_no_event_and_that_is_fine(
        self, api: ResourceApi, activities: KubernetesActivities
    ) -> None:
        """The clean-up of a namespace waits for our finalizers, so it must not wait for an Event in turn."""
        namespace = f"leaving-{next(_numbers)}"
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        await api.request("POST", "/api/v1/namespaces", body)
        await api.request("DELETE", f"/api/v1/namespaces/{namespace}")
        key = ResourceKey(kind=Kind.VIRTUAL_NODE, namespace=namespace, name="cart", uid="u")
        await run(activities.record_event, self.event(key))

    async def test_event_in_a_namespace_that_is_gone_is_nobodys_fault(
        self, api: ResourceApi, activities: KubernetesActivities
    ) -> None:
        """Whether the resource is gone with it, the calls about the resource tell."""
        key = ResourceKey(kind=Kind.VIRTUAL_NODE, namespace="never-made", name="cart", uid="u")
        await run(activities.record_event, self.event(key))

    @pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 422])
    async def test_refused_event_is_left_out(self, status: int) -> None:
        """No repetition would change the answer, and nothing may wait for an Event."""
        await run(self.activities_that_meet(status).record_event, self.event(key_of(builders.stored(builders.mesh()))))

    @pytest.mark.parametrize("status", [401, 408, 429, 500, 503])
    async def test_event_that_may_be_taken_later_is_tried_again(self, status: int) -> None:
        """What passes is said to pass."""
        key = key_of(builders.stored(builders.mesh()))
        with pytest.raises(ApplicationError) as failed:
            await run(self.activities_that_meet(status).record_event, self.event(key))
        assert (failed.value.type, failed.value.non_retryable) == (Failure.UNAVAILABLE, False)

    def activities_that_meet(self, status: int) -> KubernetesActivities:
        """Activities whose every request is answered so."""
        cluster = FakeCluster()
        cluster.fault = lambda method, path: ApiException(status=status)
        return KubernetesActivities(cluster, Queues())

    async def test_event_of_any_name_has_a_name_that_kubernetes_takes(
        self, api: ResourceApi, activities: KubernetesActivities
    ) -> None:
        """Where a long name is cut there may be a dot or a hyphen, and neither may stand before the next dot."""
        for cut_at in ("-", ".", "-a", "x"):
            name = "x" * (200 - len(cut_at)) + cut_at + "end"
            event = self.event(ResourceKey(kind=Kind.MESH, namespace=None, name=name, uid="u"))
            await run(activities.record_event, event)
            made = event_object(event)["metadata"]["name"]
            assert (await api.request("GET", f"/api/v1/namespaces/default/events/{made}"))["reason"] == "BadRequest"

    @pytest.mark.parametrize(
        ("kind", "namespace", "where"),
        [
            pytest.param(Kind.VIRTUAL_NODE, "prod", "prod", id="beside-the-resource"),
            pytest.param(Kind.MESH, None, "default", id="default-for-cluster-scoped"),
        ],
    )
    def test_event_lies_where_kubectl_looks(self, kind: Kind, namespace: str | None, where: str) -> None:
        """`kubectl describe` finds Events by the involved object; those of cluster-scoped ones lie in default."""
        made = event_object(self.event(ResourceKey(kind=kind, namespace=namespace, name="n", uid="u"), warning=False))
        assert made["metadata"]["namespace"] == where
        assert made["involvedObject"].get("namespace") == namespace
        assert (made["involvedObject"]["uid"], made["type"], made["reason"]) == ("u", "Normal", "BadRequest")


class TestReferences:
    async def test_references_are_read_as_they_are(self, api: ResourceApi, activities: KubernetesActivities) -> None:
        """Found ones with what is to be known of them, missing ones as missing, and the queues of this worker."""
        key, _ = await create_mesh(api)
        node = builders.virtual_node(f"cart-{next(_numbers)}", namespace="default", meshName=key.name)
        await api.request("POST", collection_path(Kind.VIRTUAL_NODE, "default"), node)
        name = node["metadata"]["name"]
        read = await run(
            activities.read_references, ReadReferences(mesh=key.name, namespace="default", nodes=(name, "no-such"))
        )
        assert read.mesh == MeshReference(found=True)
        assert read.nodes["no-such"] == NodeReference()
        assert read.nodes[name].found
        assert read.nodes[name].listener == {"port": 8080, "protocol": "http"}
        assert read.queues.writes == "limited"

    async def test_nothing_to_read_needs_no_request(self) -> None:
        """A Mesh refers to nothing; its worker's queues are still told."""
        cluster = FakeCluster()
        read = await run(KubernetesActivities(cluster, Queues(reads="r")).read_references, ReadReferences())
        assert (read.mesh.found, read.nodes, read.queues.reads, cluster.requests) == (False, {}, "r", [])

    async def test_members_of_a_mesh_are_found_in_all_namespaces(
        self, api: ResourceApi, activities: KubernetesActivities
    ) -> None:
        """Nodes and services whose spec names the mesh, and no others."""
        mesh = f"members-{next(_numbers)}"
        service = builders.virtual_service(f"s-{mesh}", namespace="default", meshName=mesh)
        await api.request("POST", collection_path(Kind.VIRTUAL_SERVICE, "default"), service)
        for name, of in (("mine", mesh), ("others", "other")):
            node = builders.virtual_node(f"{name}-{mesh}", namespace="default", meshName=of)
            await api.request("POST", collection_path(Kind.VIRTUAL_NODE, "default"), node)
        members = await run(activities.list_members, mesh)
        assert members.names == (f"virtualservice/default/s-{mesh}", f"virtualnode/default/mine-{mesh}")

    async def test_users_of_a_node_are_the_services_that_may_mean_it(self, activities, api) -> None:
        """Of its namespace and mesh; by a target or as provider."""
        mesh = f"mesh-{next(_numbers)}"
        to_it: dict[str, Any] = {"meshName": mesh, "routes": [builders.http_route("r", {"cart": 1})]}
        provided: dict[str, Any] = {
            "meshName": mesh,
            "provider": {"virtualNode": {"virtualNodeName": "cart"}},
            "routes": None,
        }
        for name, spec in {
            f"targets-{mesh}": to_it,
            f"provided-{mesh}": provided | {"virtualRouter": None},
            f"elsewhere-{mesh}": to_it | {"meshName": "other"},
            f"another-{mesh}": to_it | {"routes": [builders.http_route("r", {"db": 1})]},
        }.items():
            manifest = builders.virtual_service(name, "default", **spec)
            await api.request("POST", collection_path(Kind.VIRTUAL_SERVICE, "default"), manifest)
        users = await run(activities.list_users, NodeUsers(mesh=mesh, namespace="default", node="cart"))
        assert sorted(users.names) == [f"provided-{mesh}", f"targets-{mesh}"]

    async def test_error_of_the_api_server_is_a_fault_that_passes(self) -> None:
        """A reference that cannot be read is not one that is missing."""
        cluster = FakeCluster()
        cluster.fault = lambda method, path: ApiException(status=500, reason="etcd is away")
        with pytest.raises(ApplicationError, match="etcd is away") as failed:
            await run(KubernetesActivities(cluster, Queues()).read_references, ReadReferences(mesh="m"))
        assert (failed.value.type, failed.value.non_retryable) == (Failure.UNAVAILABLE, False)
