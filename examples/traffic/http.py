"""As much of HTTP/1.1 as the small services and the load need. Plain asyncio, so that a failure is seen as it is."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

_HEAD_LIMIT = 64 * 1024


@dataclass(frozen=True)
class Message:
    """A request or a response. Names of headers are in lower case."""

    start: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def closes(self) -> bool:
        """Whether the connection ends with it."""
        return self.headers.get("connection", "").lower() == "close"


def encoded(start: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """The bytes of a message."""
    lines = [start, *(f"{name}: {value}" for name, value in headers.items()), f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def read(reader: asyncio.StreamReader) -> Message | None:
    """The next message; None when the connection ended before one began.

    Raises:
        OSError: the connection broke.
        asyncio.IncompleteReadError: it ended in the middle.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    start, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Message(start, headers, body)
