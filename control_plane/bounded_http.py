"""HTTP with bounds on what a stranger can make the process keep: how large a request's head is, and how long it takes.

The parser hands on a header when it has all of it, and nothing above it counts: a client that never ends its headers,
or a single one of them, would grow the process without end, before anybody has looked at a signature. So the bytes are
counted here as they arrive. Trailers, the headers behind a body in chunks, count too. What is too large is answered
with 431 where an answer is still possible. A head or a body that is not complete in time has its connection closed, as
whoever holds connections open by a byte a minute takes a file descriptor for each.
"""

from asyncio import TimerHandle, Transport
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from control_plane.joined_writes import JoinedWrites

MAX_HEAD_BYTES = 1 << 16
MAX_HEADERS = 200
HEAD_SECONDS = 20.0
BODY_SECONDS = 30.0
"""The largest that the application takes comes within a second over a slow line."""

_TOO_LARGE = b"The request's headers are too large"
_REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%s" % (len(_TOO_LARGE), _TOO_LARGE)
)


class HeadTooLarge(Exception):
    """A request's headers are more than we take; stops the parser."""


class BoundedHttp(HttpToolsProtocol):
    """One connection."""

    head_seconds = HEAD_SECONDS
    body_seconds = BODY_SECONDS

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._pending = 0  # bytes since the parser last finished something: what it may hold of a head or a trailer
        self._head_bytes = 0  # what it has handed on of this request's URL and headers
        self._too_large = False
        self._in_head = False
        self._timer: TimerHandle | None = None  # of what has begun to come: a head, or then its body

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """The first request may begin, and has to come in time."""
        super().connection_made(cast("Transport", JoinedWrites(transport, self.loop)))
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more comes."""
        self._came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what arrived, unless the connection has been refused already."""
        if self._too_large:
            return
        if self._idle():
            self._expect_head()
        self._pending += len(data)
        super().data_received(data)
        if self._pending > MAX_HEAD_BYTES and not self._too_large:
            self._refuse()

    def on_message_begin(self) -> None:
        """Another request: its head counts from here."""
        super().on_message_begin()
        self._head_bytes = 0
        self._in_head = True

    def on_url(self, url: bytes) -> None:
        """A piece of the URL."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        self._count(len(name) + len(value))
        if len(self.headers) >= MAX_HEADERS:
            self._too_large = True
            raise HeadTooLarge
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there in full, in time."""
        self._came()
        self._in_head = False
        self._pending = 0
        self._timer = self.loop.call_later(self.body_seconds, self._is_late)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body; the application bounds the whole."""
        self._pending = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request has ended."""
        self._came()
        self._pending = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """A request is answered; the next one's head may have begun before."""
        super().on_response_complete()
        if self._in_head:
            self._expect_head()

    def send_400_response(self, msg: str) -> None:
        """What the parser could not take: our own bound, or no HTTP."""
        if self._too_large:
            self._refuse()
        else:
            super().send_400_response(msg)

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            self._too_large = True
            raise HeadTooLarge

    def _refuse(self) -> None:
        self._too_large = True
        if self._idle():  # else it would be taken for the answer to the request that is under way
            self.transport.write(_REFUSAL)
        self.transport.close()

    def _idle(self) -> bool:
        """Whether no request is being answered."""
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None before the first, whatever is declared
        return cycle is None or cycle.response_complete

    def _expect_head(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.head_seconds, self._is_late)

    def _came(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _is_late(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.close()
