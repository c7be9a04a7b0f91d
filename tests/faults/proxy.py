"""A proxy that stands between our processes and a server, and does to each call what a rule says.

One runs before the App Mesh API and one before kube-apiserver. It knows nothing of either: a rule is a function from
`Call` to `Fault` (or None: let it pass), so a test decides which call is refused, delayed, cut off before or after it
took effect, or held at a gate until the test has done something to a process. It also writes down what passed, so that
a test can count effects even when the server behind it was killed and has forgotten its own counters.

It runs in a thread with a loop of its own; rules are called there and must not block.
"""

import asyncio
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from yarl import URL

T = TypeVar("T")

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade", "content-length"})
_START_WITHIN = 30.0


@dataclass(frozen=True)
class Call:
    """One request as it came in."""

    attempt: int
    """How often exactly this was asked before."""
    method: str
    path: str
    """With the query."""
    body: bytes = field(repr=False)

    @property
    def plain_path(self) -> str:
        """Without the query."""
        return urlsplit(self.path).path

    def mentions(self, text: str) -> bool:
        """Whether path or body contain this."""
        return text in self.path or text.encode() in self.body


@dataclass(frozen=True)
class Exchange:
    """A call and what became of it."""

    call: Call
    status: int
    """What the server answered, whether or not that answer got through; 0 when it was never asked or did not answer."""

    @property
    def took_effect(self) -> bool:
        """Whether the server did what was asked."""
        return 200 <= self.status < 300


class Gate:
    """Where calls are held. The test waits until one has arrived, and says whether those that wait go on or are cut."""

    def __init__(self) -> None:
        self._arrived = threading.Event()
        self._decided = threading.Event()
        self._cut = False

    @property
    def reached(self) -> bool:
        """Whether a call waits here, or has waited."""
        return self._arrived.is_set()

    def release(self) -> None:
        """Let calls go on, those that come later as well."""
        self._decided.set()

    def cut(self) -> None:
        """Cut the connections of the calls that wait; those that come later go on."""
        self._cut = not self._decided.is_set()
        self._decided.set()

    async def passes(self) -> bool:
        """Wait here; whether to go on."""
        self._arrived.set()
        waited = not self._decided.is_set()
        while not self._decided.is_set():  # noqa: ASYNC110 - it is another thread that decides
            await asyncio.sleep(0.005)
        return not (waited and self._cut)


@dataclass(frozen=True)
class Fault:
    """What happens to a call; several things may."""

    delay: float = 0.0
    """Seconds before anything else."""
    hold_before: Gate | None = None
    """Held before the server hears of it."""
    cut_before: bool = False
    """The connection is cut and the server never hears of it."""
    answer: tuple[int, dict[str, str], bytes] | None = None
    """Answered by the proxy: status, headers, body. The server never hears of it."""
    hold_after: Gate | None = None
    """Held when it has taken effect."""
    cut_after: bool = False
    """It took effect, and nobody is told."""


Rule = Callable[[Call], Fault | None]


def no_fault(_: Call) -> None:
    """Let everything pass."""


class FaultProxy:
    """Listens on a free port of the loopback address. Set `upstream` (and `context`) before the first call comes.

    `keep_alive`: reuse connections to the server. One that breaks between two calls leaves it unknown whether the
    server has heard the second, so it is off where effects are counted.
    """

    def __init__(self, keep_alive: bool = False) -> None:
        self.upstream = ""
        self.context: ssl.SSLContext | None = None
        self.exchanges: list[Exchange] = []
        self.rule: Rule = no_fault
        self._keep_alive = keep_alive
        self._attempts: Counter[tuple[str, str, bytes]] = Counter()
        self._streams: list[web.BaseRequest] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self.url = ""

    def start(self) -> "FaultProxy":
        """Listen."""
        self._thread.start()
        self.url = self._do(self._open())
        return self

    def close(self) -> None:
        """Stop listening and end the thread."""
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_WITHIN)
        self._loop.close()

    @contextmanager
    def ruled_by(self, rule: Rule) -> Iterator[None]:
        """Apply a rule to the calls that come in during the block."""
        self.rule = rule
        try:
            yield
        finally:
            self.rule = no_fault

    def effects(self, of: Callable[[Call], bool], since: int = 0) -> list[Call]:
        """The calls of a sort that took effect, from a number of exchanges on."""
        return [exchange.call for exchange in self.exchanges[since:] if exchange.took_effect and of(exchange.call)]

    def cut_streams(self) -> int:
        """Break off every answer that is still being sent (the watches); how many there were."""
        return self._do(self._cut_streams())

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_START_WITHIN)

    async def _open(self) -> str:
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=not self._keep_alive),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )
        self._runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        return f"http://127.0.0.1:{port}"

    async def _close(self) -> None:
        await self._cut_streams()
        await self._client.close()
        await self._runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:  # calls that are still held
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _cut_streams(self) -> int:
        streams = list(self._streams)
        for request in streams:
            _cut(request)
        return len(streams)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        key = (request.method, request.raw_path, body)
        call = Call(self._attempts[key], request.method, request.raw_path, body)
        self._attempts[key] += 1
        fault = self.rule(call) or Fault()
        await asyncio.sleep(fault.delay)
        if fault.hold_before is not None and not await fault.hold_before.passes():
            return self._lost(request, call)
        if fault.cut_before:
            return self._lost(request, call)
        if fault.answer is not None:
            status, headers, content = fault.answer
            self.exchanges.append(Exchange(call, 0))
            return web.Response(status=status, headers=headers, body=content)
        return await self._forward(request, call, fault)

    async def _forward(self, request: web.BaseRequest, call: Call, fault: Fault) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        url = URL(self.upstream + call.path, encoded=True)
        try:
            async with self._client.request(
                call.method,
                url,
                headers=headers,
                data=call.body or None,
                allow_redirects=False,
                ssl=self.context or True,
            ) as answer:
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
                if answer.content_length is None and answer.status == 200 and "watch=" in call.path:
                    self.exchanges.append(Exchange(call, answer.status))
                    return await self._stream(request, answer, kept)
                content = await answer.read()
                self.exchanges.append(Exchange(call, answer.status))
        except (aiohttp.ClientError, OSError, TimeoutError):
            return self._lost(request, call)
        if fault.hold_after is not None and not await fault.hold_after.passes():
            return _cut(request)
        if fault.cut_after:
            return _cut(request)
        return web.Response(status=answer.status, headers=kept, body=content)

    async def _stream(
        self, request: web.BaseRequest, answer: aiohttp.ClientResponse, headers: dict[str, str]
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=headers)
        self._streams.append(request)
        with suppress(aiohttp.ClientError, OSError):
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
        self._streams = [other for other in self._streams if other is not request]
        if request.transport is not None and not answer.content.at_eof():
            _cut(request)
        return response

    def _lost(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        self.exchanges.append(Exchange(call, 0))
        return _cut(request)


def _cut(request: web.BaseRequest) -> web.StreamResponse:
    """Break the connection off, without a word."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
