"""Activities that read and write Kubernetes: references, finalizers, status, Events, and the cascade's deletes.

All run as local activities: they are quick, need no rate limit, and one marker in the history is enough. Each write
carries the resource's uid as a precondition, so that nothing meant for one life of a name ever lands on the next.
"""

import asyncio
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from kubernetes.aio.client.exceptions import ApiException
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import names
from activities.errors import failed, is_absent, is_other_life, is_refused, kubernetes_errors
from activities.failures import Failure
from activities.messages import (
    Event,
    Finalizer,
    Members,
    MeshReference,
    NodeReference,
    NodeUsers,
    Queues,
    ReadReferences,
    ReadRelatives,
    References,
    Relatives,
    ResourceKey,
    Status,
)
from activities.readiness import mesh_reference, node_reference
from activities.resource_api import JSON_PATCH, MERGE_PATCH, ResourceApi, collection_path, resource_path
from activities.shared_reads import SharedReads
from activities.status_patch import is_settled, patch_of, patch_upon
from resources.kinds import GROUP, VERSION, Kind
from resources.references import node_names_in
from resources.relations import Claim, claims

REPORTER = "meshwright"
EVENTS_NAMESPACE_OF_CLUSTER_SCOPED = "default"


class KubernetesActivities:
    """The Kubernetes calls. What this worker serves and checks is told to workflows together with references."""

    def __init__(self, api: ResourceApi, queues: Queues, checks_dns: bool = False) -> None:
        self._api = api
        self._queues = queues
        self._checks_dns = checks_dns
        self._reads = SharedReads(self._get)

    def definitions(self) -> list[Callable[..., Any]]:
        """All of them, for a worker."""
        return [
            self.read_references,
            self.read_relatives,
            self.list_members,
            self.list_users,
            self.add_finalizer,
            self.remove_finalizer,
            self.write_status,
            self.record_event,
            self.delete_resource,
        ]

    @activity.defn(name=names.READ_REFERENCES)
    async def read_references(self, wanted: ReadReferences) -> References:
        """The mesh and the nodes that a resource refers to, as they are now (reads only, side by side)."""
        with kubernetes_errors("read references"):
            mesh, *nodes = await asyncio.gather(
                self._mesh(wanted.mesh), *(self._node(wanted.namespace, name) for name in wanted.nodes)
            )
        found = dict(zip(wanted.nodes, nodes, strict=True))
        return References(mesh=mesh, nodes=found, queues=self._queues, checks_dns=self._checks_dns)

    @activity.defn(name=names.READ_RELATIVES)
    async def read_relatives(self, wanted: ReadRelatives) -> Relatives:
        """The resources as they are now, as far as they exist (reads only, side by side)."""
        with kubernetes_errors("read relatives"):
            read = await asyncio.gather(*(self._read(each.kind, each.namespace, each.name) for each in wanted.names))
            found = [resource for resource in read if resource is not None]
            if wanted.routers:
                listed = await self._api.request("GET", collection_path(Kind.VIRTUAL_SERVICE, wanted.namespace))
                found += claimants(listed["items"], wanted.routers)
        unique = {resource["metadata"]["uid"]: resource for resource in found}
        return Relatives(resources=tuple(_essence(resource) for resource in unique.values()))

    @activity.defn(name=names.LIST_MEMBERS)
    async def list_members(self, mesh: str) -> Members:
        """Virtual nodes and services, in all namespaces, whose `spec.meshName` is this mesh."""
        found: list[str] = []
        with kubernetes_errors(f"list members of mesh {mesh}"):
            for kind in (Kind.VIRTUAL_SERVICE, Kind.VIRTUAL_NODE):
                listed = await self._api.request("GET", collection_path(kind))
                found += [
                    f"{kind.slug}/{item['metadata']['namespace']}/{item['metadata']['name']}"
                    for item in listed["items"]
                    if item.get("spec", {}).get("meshName") == mesh
                ]
        return Members(names=tuple(found))

    @activity.defn(name=names.LIST_USERS)
    async def list_users(self, of: NodeUsers) -> Members:
        """Virtual services of the node's namespace and mesh that may target it."""
        with kubernetes_errors(f"list services that target {of.node}"):
            listed = await self._api.request("GET", collection_path(Kind.VIRTUAL_SERVICE, of.namespace))
        return Members(
            names=tuple(
                str(item["metadata"]["name"])
                for item in listed["items"]
                if (spec := item.get("spec") or {}).get("meshName") == of.mesh
                and of.node in node_names_in(spec, of.namespace)
            )
        )

    @activity.defn(name=names.ADD_FINALIZER)
    async def add_finalizer(self, wanted: Finalizer) -> None:
        """See that our finalizer is on the resource, before anything is created for it.

        Raises:
            ApplicationError: `Gone` when the resource is gone or already being deleted.
        """

        def with_ours(finalizers: list[str]) -> list[str]:
            ours = wanted.key.kind.finalizer
            return finalizers if ours in finalizers else [*finalizers, ours]

        await self._edit_finalizers(wanted, with_ours)

    @activity.defn(name=names.REMOVE_FINALIZER)
    async def remove_finalizer(self, wanted: Finalizer) -> None:
        """See that our finalizer is off; Kubernetes then lets the resource go.

        A resource that is gone already is fine: a local activity runs again when its workflow task did not complete.
        """

        def without_ours(finalizers: list[str]) -> list[str]:
            return [name for name in finalizers if name != wanted.key.kind.finalizer]

        try:
            await self._edit_finalizers(wanted, without_ours)
        except ApplicationError as error:
            if error.type != Failure.GONE:
                raise

    @activity.defn(name=names.WRITE_STATUS)
    async def write_status(self, wanted: Status) -> None:
        """Make the status what the workflow says it is, in one write.

        An attempt that comes late is refused (see `status_patch`). The refusal is also the answer to a status that
        somebody else changed, and to an attempt after one that was carried out and whose answer was lost: then, and
        only then, the resource is read.
        """
        key = wanted.key
        path = resource_path(key.kind, key.namespace, key.name)
        with kubernetes_errors(f"write status of {key.kind} {key.name}"):
            try:
                await self._api.request("PATCH", f"{path}/status", patch_of(wanted), JSON_PATCH)
            except ApiException as error:
                if error.status != 422:  # the answer to a failed test, and in the same words to what the schema refuses
                    raise
                found = await self._api.request("GET", path)
                _same_life(key, found["metadata"])
                if wanted.before is None:
                    raise
                if not is_settled(found, wanted):
                    await self._api.request("PATCH", f"{path}/status", patch_upon(found, wanted), JSON_PATCH)

    @activity.defn(name=names.DELETE_RESOURCE)
    async def delete_resource(self, key: ResourceKey) -> None:
        """Ask Kubernetes to delete the resource; its finalizer keeps it until its own workflow has cleaned up."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": key.uid}}
        with kubernetes_errors(f"delete {key.kind} {key.name}"):
            await self._api.request("DELETE", resource_path(key.kind, key.namespace, key.name), body)

    @activity.defn(name=names.RECORD_EVENT)
    async def record_event(self, event: Event) -> None:
        """Write a Kubernetes Event. Its name is made from its content, so a repeated write is one Event.

        A refusal is accepted, whatever the reason: a namespace that is being deleted takes no Events, and nobody's
        reconcile or clean-up may wait for one.
        """
        key = event.key
        namespace = key.namespace or EVENTS_NAMESPACE_OF_CLUSTER_SCOPED
        with kubernetes_errors(f"record event for {key.kind} {key.name}"):
            try:
                await self._api.request("POST", f"/api/v1/namespaces/{namespace}/events", event_object(event))
            except ApiException as error:
                if not is_refused(error):
                    raise

    async def _mesh(self, name: str | None) -> MeshReference:
        if name is None:
            return MeshReference()
        found = await self._read(Kind.MESH, None, name)
        return mesh_reference(found) if found is not None else MeshReference()

    async def _node(self, namespace: str | None, name: str) -> NodeReference:
        found = await self._read(Kind.VIRTUAL_NODE, namespace, name)
        return node_reference(found) if found is not None else NodeReference()

    async def _read(self, kind: Kind, namespace: str | None, name: str) -> dict[str, Any] | None:
        return await self._reads.get(resource_path(kind, namespace, name))

    async def _get(self, path: str) -> dict[str, Any] | None:
        try:
            return await self._api.request("GET", path)
        except ApiException as error:
            if is_absent(error):
                return None
            raise

    async def _edit_finalizers(self, wanted: Finalizer, edit: Callable[[list[str]], list[str]]) -> None:
        """Replace the list under its resourceVersion; on a conflict read it again."""
        key = wanted.key
        path = resource_path(key.kind, key.namespace, key.name)
        finalizers, version = list(wanted.seen_finalizers), wanted.seen_version
        with kubernetes_errors(f"edit finalizers of {key.kind} {key.name}"):
            while True:
                if version is not None:
                    edited = edit(finalizers)
                    metadata = {"uid": key.uid, "resourceVersion": version, "finalizers": edited}
                    try:
                        await self._api.request("PATCH", path, {"metadata": metadata}, MERGE_PATCH)
                        return
                    except ApiException as error:
                        if error.status != 409 or is_other_life(error):
                            raise
                found = (await self._api.request("GET", path))["metadata"]
                finalizers, version = found.get("finalizers") or [], found["resourceVersion"]
                _same_life(key, found)
                edited = edit(finalizers)
                if edited == finalizers:
                    return
                if "deletionTimestamp" in found and not set(edited) <= set(finalizers):
                    raise failed(Failure.GONE, f"{key.kind} {key.name} is being deleted and takes no new finalizer")


def claimants(services: Iterable[dict[str, Any]], routers: Collection[tuple[str, str]]) -> list[dict[str, Any]]:
    """The VirtualServices that claim one of these routers (mesh, name). Pure."""
    wanted = {Claim("virtualRouter", mesh, name) for mesh, name in routers}

    def claims_any(service: dict[str, Any]) -> bool:
        metadata, spec, status = service["metadata"], service.get("spec") or {}, service.get("status") or {}
        claimed = claims(Kind.VIRTUAL_SERVICE, metadata.get("namespace") or "", metadata["name"], spec, status)
        return bool(claimed & wanted)

    return [service | {"kind": str(Kind.VIRTUAL_SERVICE)} for service in services if claims_any(service)]


def _essence(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A resource without the metadata that only the API server needs: it goes into a history."""
    metadata = {name: value for name, value in resource["metadata"].items() if name != "managedFields"}
    metadata["annotations"] = {
        name: value for name, value in (metadata.get("annotations") or {}).items() if name.startswith("meshwright.dev/")
    }
    return {
        "kind": resource["kind"],
        "metadata": metadata,
        "spec": resource.get("spec") or {},
        "status": resource.get("status") or {},
    }


def _same_life(key: ResourceKey, found: Mapping[str, Any]) -> None:
    """Raise, as if nothing had been found, when the resource of that name is another life of it."""
    if found["uid"] != key.uid:
        raise failed(Failure.GONE, f"{key.kind} {key.name} is another one now, of uid {found['uid']}")


def event_object(event: Event) -> dict[str, Any]:
    """The core/v1 Event. Pure."""
    key = event.key
    namespace = key.namespace or EVENTS_NAMESPACE_OF_CLUSTER_SCOPED
    digest = hashlib.sha256("\0".join((key.uid, event.serial, event.reason, event.message)).encode()).hexdigest()[:16]
    beginning = key.name[:200].rstrip("-.")  # a name's parts begin and end with a letter or a digit
    involved = {"apiVersion": f"{GROUP}/{VERSION}", "kind": str(key.kind), "name": key.name, "uid": key.uid}
    if key.namespace is not None:
        involved["namespace"] = key.namespace
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{beginning}.{digest}", "namespace": namespace},
        "involvedObject": involved,
        "type": "Warning" if event.warning else "Normal",
        "reason": event.reason,
        "message": event.message,
        "source": {"component": REPORTER},
        "reportingComponent": REPORTER,
        "firstTimestamp": event.at,
        "lastTimestamp": event.at,
        "count": 1,
    }
