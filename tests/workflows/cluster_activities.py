"""Kubernetes in memory: the resources, and the activities that read and write them."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from temporalio import activity

from activities import names
from activities.errors import failed
from activities.failures import Failure
from activities.kubernetes import claimants
from activities.messages import (
    Event,
    Finalizer,
    Members,
    NodeUsers,
    Queues,
    ReadReferences,
    ReadRelatives,
    References,
    Relatives,
    Resolution,
    ResourceKey,
    Status,
    Verdict,
)
from activities.readiness import mesh_reference, node_reference
from resources.kinds import Kind
from resources.references import node_names_in
from workflows.messages import Snapshot

Resource = dict[str, Any]


class ClusterModel:
    """Resources by kind, namespace and name; Events in order."""

    def __init__(self) -> None:
        self.resources: dict[tuple[Kind, str | None, str], Resource] = {}
        self.events: list[Event] = []
        self.queues = Queues()
        self.checks_dns = False
        self.resolutions: list[Verdict] = []
        """Answers to the next lookups; what comes after them resolves."""
        self.lookups: list[str] = []
        self.status_writes: list[Status] = []
        self._version = 100

    def apply(self, manifest: Resource, uid: str | None = None) -> Snapshot:
        """Create or edit a resource, as the API server would; returns how a watcher would see it."""
        kind, metadata = Kind(manifest["kind"]), manifest["metadata"]
        place = (kind, metadata.get("namespace"), metadata["name"])
        old = self.resources.get(place)
        if old is None or uid is not None:
            server = {"uid": uid or f"uid-of-{metadata['name']}", "generation": 1, "creationTimestamp": self._time()}
            self.resources[place] = {**manifest, "metadata": {**metadata, **server}, "status": {}}
        elif old["spec"] != manifest["spec"]:
            old["spec"] = manifest["spec"]
            old["metadata"]["generation"] += 1
        return self.see(*place)

    def delete(self, kind: Kind, namespace: str | None, name: str) -> Snapshot:
        """Ask for the deletion of a resource."""
        self.resources[kind, namespace, name]["metadata"].setdefault("deletionTimestamp", self._time())
        return self.see(kind, namespace, name)

    def see(self, kind: Kind, namespace: str | None, name: str) -> Snapshot:
        """The resource as a watcher sees it now."""
        self._version += 1
        resource = self.resources[kind, namespace, name]
        resource["metadata"]["resourceVersion"] = str(self._version)
        return Snapshot.of(kind, resource)

    def condition(self, kind: Kind, namespace: str | None, name: str, type: str) -> dict[str, Any]:
        """A condition of a resource; empty when there is none."""
        status = self.resources.get((kind, namespace, name), {}).get("status") or {}
        return next((found for found in status.get("conditions", ()) if found["type"] == type), {})

    def definitions(self) -> list[Callable[..., Any]]:
        """The activities."""
        return [
            self.read_references,
            self.read_relatives,
            self.list_members,
            self.add_finalizer,
            self.remove_finalizer,
            self.write_status,
            self.record_event,
            self.delete_resource,
            self.resolve_host,
            self.list_users,
        ]

    @activity.defn(name=names.READ_REFERENCES)
    async def read_references(self, wanted: ReadReferences) -> References:
        """As the resources are now."""
        mesh = self.resources.get((Kind.MESH, None, wanted.mesh or ""))
        nodes = {name: self.resources.get((Kind.VIRTUAL_NODE, wanted.namespace, name)) for name in wanted.nodes}
        return References(
            **({"mesh": mesh_reference(mesh)} if mesh else {}),
            nodes={name: node_reference(node) for name, node in nodes.items() if node is not None},
            queues=self.queues,
            checks_dns=self.checks_dns,
        )

    @activity.defn(name=names.READ_RELATIVES)
    async def read_relatives(self, wanted: ReadRelatives) -> Relatives:
        """As the resources are now, as far as they exist."""
        named = (self.resources.get((name.kind, name.namespace, name.name)) for name in wanted.names)
        services = (
            found for place, found in self.resources.items() if place[:2] == (Kind.VIRTUAL_SERVICE, wanted.namespace)
        )
        found = [resource for resource in named if resource is not None] + claimants(services, wanted.routers)
        return Relatives(resources=tuple(deepcopy(found)))

    @activity.defn(name=names.LIST_MEMBERS)
    async def list_members(self, mesh: str) -> Members:
        """Those whose spec names the mesh."""
        members = (place for place, found in self.resources.items() if found["spec"].get("meshName") == mesh)
        return Members(names=tuple(f"{kind.slug}/{namespace}/{name}" for kind, namespace, name in members))

    @activity.defn(name=names.LIST_USERS)
    async def list_users(self, of: NodeUsers) -> Members:
        """Services of the namespace and mesh whose raw spec names the node."""
        services = (
            name
            for (kind, namespace, name), found in self.resources.items()
            if kind is Kind.VIRTUAL_SERVICE
            and namespace == of.namespace
            and found["spec"].get("meshName") == of.mesh
            and of.node in node_names_in(found["spec"], of.namespace)
        )
        return Members(names=tuple(services))

    @activity.defn(name=names.ADD_FINALIZER)
    async def add_finalizer(self, wanted: Finalizer) -> None:
        """Put ours on."""
        finalizers = self._metadata(wanted.key).setdefault("finalizers", [])
        if wanted.key.kind.finalizer not in finalizers:
            finalizers.append(wanted.key.kind.finalizer)

    @activity.defn(name=names.REMOVE_FINALIZER)
    async def remove_finalizer(self, wanted: Finalizer) -> None:
        """Take ours off; a resource that is being deleted then goes, and another life of the name stays."""
        place = (wanted.key.kind, wanted.key.namespace, wanted.key.name)
        found = self.resources.get(place)
        if found is not None and found["metadata"]["uid"] == wanted.key.uid:
            del self.resources[place]

    @activity.defn(name=names.WRITE_STATUS)
    async def write_status(self, wanted: Status) -> None:
        """Make the status what the workflow says it is; members that it does not name go, as in the real write."""
        self._metadata(wanted.key)
        self.status_writes.append(wanted)
        resource = self.resources[wanted.key.kind, wanted.key.namespace, wanted.key.name]
        resource["status"] = deepcopy(wanted.status)

    @activity.defn(name=names.RECORD_EVENT)
    async def record_event(self, event: Event) -> None:
        """Keep it."""
        self.events.append(event)

    @activity.defn(name=names.DELETE_RESOURCE)
    async def delete_resource(self, key: ResourceKey) -> None:
        """Mark it."""
        self._metadata(key)
        self.delete(key.kind, key.namespace, key.name)

    @activity.defn(name=names.RESOLVE_HOST)
    async def resolve_host(self, host: str) -> Resolution:
        """As the test says."""
        self.lookups.append(host)
        verdict = self.resolutions.pop(0) if self.resolutions else Verdict.RESOLVES
        return Resolution(host=host, verdict=verdict, message="no such host" if verdict is Verdict.FAILS else "")

    def _metadata(self, key: ResourceKey) -> dict[str, Any]:
        resource = self.resources.get((key.kind, key.namespace, key.name))
        if resource is None or resource["metadata"]["uid"] != key.uid:
            raise failed(Failure.GONE, f"{key.kind} {key.name} is gone")
        metadata: dict[str, Any] = resource["metadata"]
        return metadata

    def _time(self) -> str:
        self._version += 1
        return f"2026-01-01T00:{self._version // 60:02}:{self._version % 60:02}Z"
