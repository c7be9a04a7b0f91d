"""What happens to the resources of one kind, as an endless stream. The only importer of the Kubernetes client here.

Three nested generators with one duty each: `follow` goes on for ever, `list_then_watch` lists and then watches until
the server says that it forgot where we were (410 Gone), `watch_once` reads one HTTP response. Disconnects resume where
the stream broke off; only a 410 costs a new list. What is no concern of whoever follows is dropped page by page, so
that memory holds one page of the API server's JSON and never a whole list.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
import structlog
from kubernetes.aio.client import ApiClient
from kubernetes.aio.client.exceptions import ApiException
from prometheus_client import CollectorRegistry, Counter

from resources.kinds import GROUP, VERSION, Kind
from watcher.patience import retry_delay

log = structlog.get_logger(__name__)

PAGE = 500
SHORTEST_WATCH_SECONDS = 1.0
"""What ends sooner, and without an event, is no watch: somebody in between only pretends, and would be asked on and on.
"""
WATCH_SECONDS = 60
"""How long the server keeps one watch open; a connection that died in silence is noticed a little after that."""
POD: Literal["Pod"] = "Pod"
REGISTRY = CollectorRegistry()
"""Told by each process that follows resources."""
WATCH_BREAKS = Counter(
    "meshwright_watch_breaks",
    "Lists and watches of the Kubernetes API that failed or ended early, by what followed",
    ("kind", "then"),
    registry=REGISTRY,
)
Watched = Kind | Literal["Pod"]
"""What can be watched: our own kinds, and pods."""
Reduce = Callable[[dict[str, Any]], dict[str, Any] | None]
"""What is kept of a resource; None: it is no concern."""


@dataclass(frozen=True)
class Listing:
    """Every resource of the kind, at one moment. What is not in it does not exist, or is no concern."""

    kind: Watched
    items: tuple[dict[str, Any], ...]
    resource_version: str


@dataclass(frozen=True)
class Sighting:
    """One event of the watch. What is no concern any more, or never was, is told as deleted."""

    kind: Watched
    type: Literal["ADDED", "MODIFIED", "DELETED"]
    item: dict[str, Any]


class Expired(Exception):
    """The server no longer has the events since our resourceVersion."""


_INTERRUPTIONS = (TimeoutError, ApiException, aiohttp.ClientError, OSError, json.JSONDecodeError)
"""What only means to try again; JSON that cannot be read is an answer that was cut off by somebody in between."""


class ResourceStream:
    """The stream of one kind, in all namespaces."""

    def __init__(self, client: ApiClient, kind: Watched, reduce: Reduce | None = None) -> None:
        """`reduce` says what is kept of each resource; without it, all."""
        self._client = client
        self._kind = kind
        self._reduce = reduce or _whole
        self._path = "/api/v1/pods" if kind == POD else f"/apis/{GROUP}/{VERSION}/{kind.plural}"

    async def follow(self) -> AsyncIterator[Listing | Sighting]:
        """List, watch, and begin again whenever that ends, for ever; waits a little longer after each failure.

        A list alone is no success: all of them, one after the other, are the dearest requests that there are.
        """
        failures = 0
        while True:
            try:
                async for item in self.list_then_watch():
                    failures = 0 if isinstance(item, Sighting) else failures
                    yield item
            except Expired:
                WATCH_BREAKS.labels(str(self._kind), "listed again").inc()
                log.info("watch expired, listing again", kind=str(self._kind))
                await asyncio.sleep(retry_delay(failures))
                failures += 1
            except _INTERRUPTIONS as error:
                WATCH_BREAKS.labels(str(self._kind), "list failed").inc()
                log.warning("cannot list", kind=str(self._kind), error=_short(error))
                await asyncio.sleep(retry_delay(failures))
                failures += 1

    async def list_then_watch(self) -> AsyncIterator[Listing | Sighting]:
        """One list, then the events since, across as many connections as it takes.

        Raises:
            Expired: when only a new list helps.
        """
        items, version = await self._list()
        yield Listing(self._kind, items, version)
        failures = 0
        while True:
            began = time.monotonic()
            told = False
            try:
                async for type, item in self.watch_once(version):
                    version = item["metadata"]["resourceVersion"]
                    failures, told = 0, True
                    if type != "BOOKMARK":
                        yield self._sighting(type, item)
                if not told and time.monotonic() - began < SHORTEST_WATCH_SECONDS:
                    raise ConnectionError("the watch ended at once")
            except _INTERRUPTIONS as error:
                WATCH_BREAKS.labels(str(self._kind), "connected again").inc()
                log.info("watch interrupted", kind=str(self._kind), error=_short(error))
                await asyncio.sleep(retry_delay(failures))
                failures += 1

    async def watch_once(self, version: str) -> AsyncIterator[tuple[Any, dict[str, Any]]]:
        """The events of one response: type and object. Ends when the server ends it."""
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        limits = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=WATCH_SECONDS + 10)
        response = await self._get(query, limits)
        try:
            async for line in response.content:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    _raise_for(event["object"])
                yield event["type"], event["object"]
        finally:
            response.close()

    async def _list(self) -> tuple[tuple[dict[str, Any], ...], str]:
        items: list[dict[str, Any]] = []
        query = {"limit": str(PAGE)}
        while True:
            found, metadata = await self._page(query)
            items += found
            if not (token := metadata.get("continue")):
                return tuple(items), metadata["resourceVersion"]
            query = {"limit": str(PAGE), "continue": token}

    async def _page(self, query: Mapping[str, str]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """What is kept of one page's items, and the page's metadata; its JSON is gone before the next is asked for."""
        response = await self._get(query, aiohttp.ClientTimeout(total=30))
        page = json.loads(await response.read())
        return [kept for item in page["items"] if (kept := self._reduce(item)) is not None], page["metadata"]

    def _sighting(self, type: Literal["ADDED", "MODIFIED", "DELETED"], item: dict[str, Any]) -> Sighting:
        kept = self._reduce(item)
        return Sighting(self._kind, "DELETED", item) if kept is None else Sighting(self._kind, type, kept)

    async def _get(self, query: Mapping[str, str], limits: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        call = await self._client.param_serialize(
            "GET",
            self._path,
            query_params=list(query.items()),
            header_params={"Accept": "application/json"},
            auth_settings=["BearerToken"],
        )
        answer = await self._client.call_api(*call, _request_timeout=limits)
        response: aiohttp.ClientResponse = answer.response
        if response.status == 200:
            return response
        body = await response.text()
        if response.status == 410:
            raise Expired
        raise ApiException(status=response.status, reason=response.reason, body=body)


def _whole(item: dict[str, Any]) -> dict[str, Any]:
    return item


def _raise_for(status: Mapping[str, Any]) -> None:
    """Raise what an ERROR event says."""
    if status.get("code") == 410:
        raise Expired
    raise ApiException(status=status.get("code"), reason=f"{status.get('reason')}: {status.get('message')}")


def _short(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__)[:200]
