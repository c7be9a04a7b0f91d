"""What the benchmarks do to a cluster: apply many resources side by side, and wait by a watch until all are active."""

import asyncio
import json
import time
import urllib.request
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import Any

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient
from kubernetes.aio.client.exceptions import ApiException

from activities.resource_api import MERGE_PATCH, ClusterApi, collection_path, resource_path
from resources.conditions import active_condition, condition_is_true
from resources.kinds import GROUP, VERSION, Kind

SIDE_BY_SIDE = 16


class Cluster:
    """One API server, for plain JSON."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self.api = ClusterApi(client)

    @classmethod
    async def connect(cls, kubeconfig: str) -> "Cluster":
        """By a kubeconfig file."""
        await config.load_kube_config(config_file=kubeconfig)  # type: ignore[no-untyped-call]
        return cls(ApiClient())

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()  # type: ignore[no-untyped-call]

    async def create_namespace(self, name: str) -> None:
        """Create a namespace."""
        await self.api.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})

    async def create(self, manifests: Iterable[dict[str, Any]]) -> None:
        """Create all, some side by side."""
        gate = asyncio.Semaphore(SIDE_BY_SIDE)

        async def one(manifest: dict[str, Any]) -> None:
            async with gate:
                kind, namespace = Kind(manifest["kind"]), manifest["metadata"].get("namespace")
                await self.api.request("POST", collection_path(kind, namespace), manifest)

        await asyncio.gather(*(one(manifest) for manifest in manifests))

    async def patch(self, kind: Kind, namespace: str | None, name: str, patch: dict[str, Any]) -> int:
        """Merge-patch one; returns its new generation."""
        answer = await self.api.request("PATCH", resource_path(kind, namespace, name), patch, MERGE_PATCH)
        generation: int = answer["metadata"]["generation"]
        return generation

    async def apply(self, manifest: dict[str, Any]) -> int:
        """Create or edit one by server-side apply; returns its generation."""
        metadata = manifest["metadata"]
        path = resource_path(Kind(manifest["kind"]), metadata.get("namespace"), metadata["name"])
        answer = await self.api.request(
            "PATCH", f"{path}?fieldManager=benchmark&force=true", manifest, "application/apply-patch+yaml"
        )
        generation: int = answer["metadata"]["generation"]
        return generation

    async def remove(self, kind: Kind, namespace: str | None, name: str) -> None:
        """Delete one, and wait until it is gone."""
        await self.delete(kind, namespace, name)
        while True:
            try:
                await self.api.request("GET", resource_path(kind, namespace, name))
            except ApiException as error:
                if error.status == 404:
                    return
                raise
            await asyncio.sleep(0.01)

    async def delete(self, kind: Kind, namespace: str | None, name: str) -> None:
        """Ask for the deletion of one."""
        await self.api.request("DELETE", resource_path(kind, namespace, name))

    async def settled(self, kind: Kind, count: int, prefix: str = "") -> dict[str, float]:
        """Wait until `count` resources of a kind are active in their newest generation; when each was seen so.

        Only those count whose name begins with the prefix.
        """
        seen: dict[str, float] = {}
        async with aclosing(self._watch(kind)) as resources:
            async for resource in resources:
                if resource["metadata"]["name"].startswith(prefix) and is_active(kind, resource):
                    seen.setdefault(resource["metadata"]["name"], time.monotonic())
                if len(seen) >= count:
                    break
        return seen

    async def reached(self, kind: Kind, name: str, generation: int) -> None:
        """Wait until a resource is active in this generation or a later one."""
        async with aclosing(self._watch(kind, name)) as resources:
            async for resource in resources:
                if resource["metadata"]["generation"] >= generation and is_active(kind, resource):
                    break

    async def _watch(self, kind: Kind, name: str | None = None) -> AsyncGenerator[dict[str, Any], None]:
        """Every resource of a kind (and of this name) as it is, then each change; for ever.

        The API server ends a watch that reads too slowly for it: then all come again.
        """
        while True:
            async with aclosing(self._watch_once(kind, name)) as resources:
                async for resource in resources:
                    yield resource

    async def _watch_once(self, kind: Kind, name: str | None) -> AsyncGenerator[dict[str, Any], None]:
        only = [("fieldSelector", f"metadata.name={name}")] if name is not None else []
        call = await self._client.param_serialize(
            "GET",
            collection_path(kind),
            query_params=[("watch", "1"), ("sendInitialEvents", "true"), ("resourceVersionMatch", "NotOlderThan"),
                          ("allowWatchBookmarks", "true"), *only],
            header_params={"Accept": "application/json"},
            auth_settings=["BearerToken"],
        )  # fmt: skip
        answer = await self._client.call_api(*call, _request_timeout=aiohttp.ClientTimeout(total=None))
        try:
            async for line in answer.response.content:
                event = json.loads(line)
                if event["type"] in ("ADDED", "MODIFIED"):
                    yield event["object"]
        finally:
            answer.response.close()


def is_active(kind: Kind, resource: dict[str, Any]) -> bool:
    """Whether the newest generation is in App Mesh."""
    status = resource.get("status") or {}
    current = status.get("observedGeneration") == resource["metadata"]["generation"]
    return current and condition_is_true(resource, active_condition(kind))


def mesh(name: str) -> dict[str, Any]:
    """A Mesh."""
    return _manifest(Kind.MESH, {"name": name}, {})


def node(name: str, namespace: str, mesh: str) -> dict[str, Any]:
    """A VirtualNode."""
    spec = {
        "meshName": mesh,
        "listeners": [{"portMapping": {"port": 8080, "protocol": "http"}}],
        "serviceDiscovery": {"dns": {"hostName": f"{name}.{namespace}.svc.cluster.local"}},
    }
    return _manifest(Kind.VIRTUAL_NODE, {"name": name, "namespace": namespace}, spec)


def service(name: str, namespace: str, mesh: str, nodes: Sequence[str], routes: int = 3) -> dict[str, Any]:
    """A VirtualService with a number of routes, each to all the nodes."""

    def targets() -> list[dict[str, Any]]:
        return [{"virtualNodeName": target, "weight": 1} for target in nodes]

    spec = {
        "meshName": mesh,
        "virtualRouter": {"name": f"{name}-router", "listeners": [{"portMapping": {"port": 8080, "protocol": "http"}}]},
        "routes": [
            {
                "name": f"r{number}",
                "priority": number,
                "http": {"match": {"prefix": f"/{number}"}, "action": {"weightedTargets": targets()}},
            }
            for number in range(routes)
        ],
    }
    return _manifest(Kind.VIRTUAL_SERVICE, {"name": name, "namespace": namespace}, spec)


def calls(metrics: str) -> dict[tuple[str, str], int]:
    """App Mesh calls counted by the control plane so far, by operation and code."""
    with urllib.request.urlopen(metrics) as answer:
        lines = answer.read().decode().splitlines()
    found = {}
    for line in lines:
        if line.startswith("appmesh_api_requests_total{"):
            labels = dict(part.split("=") for part in line[line.index("{") + 1 : line.index("}")].split(","))
            found[(labels["operation"].strip('"'), labels["code"].strip('"'))] = int(float(line.split()[-1]))
    return found


def made(before: dict[tuple[str, str], int], after: dict[tuple[str, str], int]) -> tuple[int, int, int]:
    """Writes, reads and refused calls in between."""
    writes = reads = refused = 0
    for (operation, code), count in after.items():
        new = count - before.get((operation, code), 0)
        if operation.startswith(("Describe", "List")):
            reads += new
        else:
            writes += new
        refused += new if code != "200" else 0
    return writes, reads, refused


def _manifest(kind: Kind, metadata: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": f"{GROUP}/{VERSION}", "kind": str(kind), "metadata": metadata, "spec": spec}
