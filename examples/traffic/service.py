"""A small service: answers with its name, counts what it was asked, and misbehaves when it is told to."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from examples.traffic import http
from examples.traffic.http import Message


@dataclass(frozen=True)
class Answer:
    """What a service says, and after how long."""

    status: int = 200
    body: bytes = b""
    seconds: float = 0.0


@dataclass
class Service:
    """One service on 127.0.0.1. All on the event loop in which it was started, but for the counters."""

    name: str
    port: int
    behave: Callable[[Message], Answer | None] = lambda _request: None
    """What to answer instead of the name; None: the name."""
    requests: list[Message] = field(default_factory=list)
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def stop(self) -> None:
        """Stop listening; connections go when their other ends do."""
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await http.read(reader)) is not None:
                self.requests.append(request)
                answer = self.behave(request) or Answer(body=self.name.encode())
                await asyncio.sleep(answer.seconds)
                writer.write(http.encoded(f"HTTP/1.1 {answer.status} x", {}, answer.body))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            return  # the caller went away: it knows why
        finally:
            writer.close()
