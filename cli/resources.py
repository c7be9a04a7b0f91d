"""The custom resources of a cluster, as commands read them: once, or again with every change."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from kubernetes.aio.client import ApiClient
from kubernetes.aio.client.exceptions import ApiException

from activities.resource_api import ClusterApi, collection_path
from cli.clients import kubernetes
from cli.settings import SettingsError
from resources.kinds import Kind
from watcher.stream import Listing, ResourceStream


@asynccontextmanager
async def cluster() -> AsyncIterator[ApiClient]:
    """A client of the cluster that KUBECONFIG or the service account names.

    Raises:
        SettingsError: there is none, or it does not answer, or it lacks our CRDs, or does not let us read.
    """
    async with await kubernetes() as client:
        try:
            yield client
        except ApiException as error:
            if error.status == 404:
                raise SettingsError(
                    "the cluster does not know App Mesh resources: the CRDs are not installed"
                ) from error
            raise SettingsError(f"Kubernetes: {error.status} {error.reason}") from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise SettingsError(f"Kubernetes cannot be reached: {error}") from error


async def listed(client: ApiClient, namespace: str | None = None) -> list[dict[str, Any]]:
    """All meshes, and the nodes and services of a namespace or of all; each with its kind."""
    api = ClusterApi(client)

    async def of(kind: Kind) -> list[dict[str, Any]]:
        answer = await api.request("GET", collection_path(kind, namespace if kind.namespaced else None))
        return [{**item, "kind": kind.value} for item in answer["items"]]

    return [item for items in await asyncio.gather(*map(of, Kind)) for item in items]


async def followed(client: ApiClient, namespace: str | None = None) -> AsyncIterator[list[dict[str, Any]]]:
    """The same, now and after every change, for ever."""
    now: dict[tuple[Kind, str, str], dict[str, Any]] = {}
    complete: set[Kind] = set()
    changed = asyncio.Event()

    def place(kind: Kind, item: dict[str, Any]) -> tuple[Kind, str, str]:
        return kind, item["metadata"].get("namespace", ""), item["metadata"]["name"]

    async def follow(kind: Kind) -> None:
        async for news in ResourceStream(client, kind).follow():
            if isinstance(news, Listing):
                for known in [each for each in now if each[0] is kind]:
                    del now[known]
                now.update({place(kind, item): {**item, "kind": kind.value} for item in news.items})
                complete.add(kind)
            elif news.type == "DELETED":
                now.pop(place(kind, news.item), None)
            else:
                now[place(kind, news.item)] = {**news.item, "kind": kind.value}
            changed.set()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(follow(kind)) for kind in Kind]
        try:
            while True:
                await changed.wait()
                changed.clear()
                if len(complete) == len(Kind):
                    yield [each for key, each in now.items() if namespace is None or key[1] in ("", namespace)]
        finally:
            for task in tasks:
                task.cancel()
