"""One stream as it runs: reads and waits, writes what the pure `Stream` says, and tells how it goes."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import grpc
import structlog
from google.protobuf.json_format import MessageToDict, SerializeToJsonError
from grpc.aio import ServicerContext

from control_plane.store.records import ObjectKey
from control_plane.xds.ads.blame import Blame
from control_plane.xds.ads.connections import Connection, Connections, Refusal, with_kind
from control_plane.xds.ads.metrics import AdsMetrics
from control_plane.xds.ads.source import Update, Watch
from control_plane.xds.ads.stream import Answer, Stream
from control_plane.xds.snapshot import Kind

log = structlog.get_logger("control_plane.xds")

_SHOWN_CHARACTERS = 2000


class Conversation:
    """What is said on one stream, from its first request to its end."""

    def __init__(
        self,
        stream: Stream,
        watch: Watch,
        connection: Connection,
        connections: Connections,
        metrics: AdsMetrics,
        write: Callable[[bytes], Awaitable[None]],
    ) -> None:
        self._stream = stream
        self._watch = watch
        self._connections = connections
        self._metrics = metrics
        self._write = write
        self._blame = Blame(connection.proxy.key)
        self._behind_since: float | None = None
        self._sent_at: dict[Kind, float] = {}
        self._connection = connections.put(connection)
        self._log = log.bind(proxy=str(connection.proxy), address=connection.address, stream=connection.id)

    async def run(self, first: Any, read: Callable[[], Awaitable[Any]]) -> None:
        """Answer until the client has nothing more to say (`read` returns None)."""
        self._receive(first)
        reading = asyncio.ensure_future(read())
        watching = asyncio.ensure_future(self._watch.next())
        try:
            while True:
                await self._advance()
                wakes_at = self._stream.wakes_at
                timeout = None if wakes_at is None else max(0.0, wakes_at - time.monotonic())
                await asyncio.wait({reading, watching}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
                if reading.done():
                    if (request := reading.result()) is None:
                        return
                    self._receive(request)
                    reading = asyncio.ensure_future(read())
                if watching.done():
                    self._update(watching.result())
                    watching = asyncio.ensure_future(self._watch.next())
        finally:
            reading.cancel()
            watching.cancel()
            self._watch.close()
            self._connections.remove(self._connection)

    def _receive(self, request: Any) -> None:
        answer = self._stream.receive(request, time.monotonic())
        if answer is None:
            return
        sent_at = self._sent_at.pop(answer.kind, None)
        took = None if sent_at is None else time.monotonic() - sent_at
        self._metrics.answered(answer.kind, accepted=answer.refusal is None, seconds=took)
        held = self._stream.quarantined(answer.kind)
        if answer.refusal is None:
            self._blame.accepted(answer.kind, answer.batch)
            refusal = self._connection.kinds[answer.kind].refusal if held else None
            self._show(answer, accepted=answer.batch.version, refusal=refusal, quarantined=held)
        else:
            refusal = self._refusal(answer)
            self._blame.refused(answer.kind, answer.batch, refusal.message)
            self._show(answer, refusal=refusal, quarantined=held)
            self._log.warning(
                "a proxy refused its configuration",
                kind=answer.kind.name.lower(),
                version=refusal.version,
                names=refusal.names[:10],
                message=refusal.message,
            )

    def _show(self, answer: Answer, **changes: object) -> None:
        self._connection = self._connections.put(with_kind(self._connection, answer.kind, **changes))

    def _update(self, update: Update) -> None:
        if update.snapshot is None:
            if self._connection.known:
                self._metrics.unknown_proxy()
                self._log.warning(
                    "no such virtual node or gateway: the proxy is told nothing", revision=update.revision
                )
        else:
            self._blame.snapshot = update.snapshot
            self._stream.update(update.snapshot, update.spare)
            self._behind_since = self._behind_since or time.monotonic()
        known = update.snapshot is not None
        self._connection = self._connections.put(replace(self._connection, known=known, revision=update.revision))

    async def _advance(self) -> None:
        for outgoing in self._stream.advance(time.monotonic()):
            self._metrics.sent(outgoing.kind)
            self._sent_at[outgoing.kind] = time.monotonic()
            self._blame.sent(outgoing.kind, outgoing.batch, self._connection.revision, self._stream.held)
            shown = with_kind(self._connection, outgoing.kind, sent=outgoing.batch.version)
            self._connection = self._connections.put(shown)
            await self._write(outgoing.payload)
        self._note_progress()

    def _note_progress(self) -> None:
        stream, connection = self._stream, self._connection
        quarantined = {(kind, name) for kind, each in stream.subscriptions.items() for name in each.quarantined}
        faults = self._blame.faults(quarantined, stream.held, stream.held_parts)
        synced = connection.revision if connection.pending and stream.settled else connection.synced
        behind = connection.reached != connection.revision
        reached = connection.revision if behind and stream.at_rest else connection.reached
        if self._behind_since is not None and behind and reached == connection.revision:
            self._metrics.followed(time.monotonic() - self._behind_since)
            self._behind_since = None
        self._connection = self._connections.put(replace(connection, synced=synced, reached=reached, faults=faults))

    def _refusal(self, answer: Answer) -> Refusal:
        names = tuple(sorted(answer.batch.changes))
        sources = frozenset[ObjectKey]().union(*(self._blame.sources(answer.kind, name) for name in names))
        message = (answer.refusal or "")[:_SHOWN_CHARACTERS]
        return Refusal(message, answer.batch.version, datetime.now(UTC), names, sources)


def metadata_of(node: Any) -> Mapping[str, Any]:
    """A node's metadata as JSON values.

    Raises:
        ValueError: it holds a number that JSON does not know.
    """
    try:
        return MessageToDict(node.metadata) if node.HasField("metadata") else {}
    except SerializeToJsonError as error:
        raise ValueError(f"a number that is none: {error}") from error


async def next_request(context: ServicerContext[Any, Any]) -> Any | None:
    """The next request of a stream; None at its end."""
    request = await context.read()
    return None if request is grpc.aio.EOF else request
