"""An API server over HTTP that serves one kind: lists in pages, watches from any resourceVersion, and breaks on demand.

Each watch request takes the next `Break` and serves events until then; when none is left, watches stay open.
"""

import asyncio
import itertools
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web
from kubernetes.aio.client import ApiClient, Configuration

from resources.kinds import Kind
from tests.builders import mesh
from tests.watcher.sightings import resource
from watcher.stream import Reduce, ResourceStream

How = Literal["end", "abort", "half-line", "not-json", "error-event", "expired-event", "expired", "refuse", "nothing"]


@dataclass(frozen=True)
class Break:
    """After how many events a watch breaks, and how."""

    how: How
    after: int = 1


class FakeApiServer:
    """Meshes, and every event that ever happened to them."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.breaks: deque[Break] = deque()
        self.list_failures: deque[int | bytes] = deque()
        self.queries: list[dict[str, str]] = []
        self._events: list[tuple[int, dict[str, Any]]] = []
        self._versions = itertools.count(1)
        self._version = 0
        self._happened = asyncio.Event()
        self._closing = False

    def put(self, name: str) -> None:
        """Create a Mesh, or touch it."""
        known = name in self.items
        self.items[name] = self._stored(name)
        self._tell("MODIFIED" if known else "ADDED", self.items[name])

    def delete(self, name: str) -> None:
        """Delete a Mesh; as in Kubernetes, the event carries the last state under a resourceVersion of its own."""
        del self.items[name]
        self._tell("DELETED", self._stored(name))

    def bookmark(self) -> None:
        """Tell watches how far they are."""
        version = next(self._versions)
        self._tell("BOOKMARK", {"kind": "Mesh", "metadata": {"resourceVersion": str(version)}}, version)

    def watched_from(self) -> list[str]:
        """The resourceVersions from which watches began."""
        return [query["resourceVersion"] for query in self.queries if "watch" in query]

    @asynccontextmanager
    async def running(self, reduce: Reduce | None = None) -> AsyncIterator[ResourceStream]:
        """The server at work, and a stream of its Meshes."""
        application = web.Application()
        application.router.add_get("/apis/appmesh.k8s.aws/v1beta1/meshes", self._answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        try:
            async with ApiClient(Configuration(host=f"http://{host}:{port}")) as client:
                yield ResourceStream(client, Kind.MESH, reduce)
        finally:
            self._closing = True
            self._happened.set()
            await runner.cleanup()

    def _stored(self, name: str) -> dict[str, Any]:
        self._version = next(self._versions)
        return resource(mesh(name), uid=f"uid-{name}", version=str(self._version))

    def _tell(self, type: str, item: dict[str, Any], version: int | None = None) -> None:
        self._events.append((version or self._version, {"type": type, "object": item}))
        self._happened.set()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        self.queries.append(query)
        return await self._watch(request, query) if "watch" in query else self._list(query)

    def _list(self, query: dict[str, str]) -> web.Response:
        if self.list_failures:
            failure = self.list_failures.popleft()
            if isinstance(failure, bytes):
                return web.Response(body=failure, content_type="application/json")
            return web.json_response({"code": failure}, status=failure)
        names = sorted(self.items)
        start, limit = int(query.get("continue", 0)), int(query["limit"])
        metadata: dict[str, str] = {"resourceVersion": str(self._version)}
        if start + limit < len(names):
            metadata["continue"] = str(start + limit)
        return web.json_response({"metadata": metadata, "items": [self.items[n] for n in names[start : start + limit]]})

    async def _watch(self, request: web.Request, query: dict[str, str]) -> web.StreamResponse:
        how = self.breaks.popleft() if self.breaks else None
        if how is not None and how.how in ("expired", "refuse"):
            status = 410 if how.how == "expired" else 500
            return web.json_response({"code": status, "message": "no"}, status=status)
        if how is not None and how.how == "nothing":
            return web.Response()
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        left = how.after if how is not None else None
        async for event in self._events_after(int(query["resourceVersion"])):
            if how is not None and left == 0:
                await self._break(request, response, how.how, event)
                return response
            await response.write(json.dumps(event).encode() + b"\n")
            left = left - 1 if left is not None else None
        return response

    async def _events_after(self, version: int) -> AsyncIterator[dict[str, Any]]:
        position = 0
        while not self._closing:
            self._happened.clear()
            for number, event in self._events[position:]:
                if number > version:
                    yield event
            position = len(self._events)
            if not self._happened.is_set():
                await self._happened.wait()

    async def _break(self, request: web.Request, response: web.StreamResponse, how: How, event: dict[str, Any]) -> None:
        line = json.dumps(event).encode()
        match how:
            case "abort":
                await response.write(line[: len(line) // 2])
                assert request.transport is not None
                request.transport.abort()
            case "half-line":
                await response.write(line[: len(line) // 2])
            case "not-json":
                await response.write(b"<html>bad gateway</html>\n" + line + b"\n")
            case "error-event":
                await response.write(b'{"type": "ERROR", "object": {"code": 500, "reason": "x", "message": "etcd"}}\n')
            case "expired-event":
                await response.write(b'{"type": "ERROR", "object": {"code": 410, "reason": "Expired"}}\n')
