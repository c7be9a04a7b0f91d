"""A transport whose writes of one moment go out in one piece.

The server writes a response's head and its body one after the other, and the transport sends each at once. A process
that is killed in between has told its client "200" and nothing else; botocore takes that for an answer without content.
"""

from asyncio import AbstractEventLoop, Transport
from typing import Any


class JoinedWrites:
    """Stands for a transport; what is written goes out when whoever writes has come to an end."""

    def __init__(self, transport: Transport, loop: AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._written: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send with what else is written in this turn of the loop."""
        if not self._written:
            self._loop.call_soon(self._flush)
        self._written.append(data)

    def close(self) -> None:
        """Close behind what was written."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._written and not self._transport.is_closing():
            self._transport.write(b"".join(self._written))
        self._written.clear()
