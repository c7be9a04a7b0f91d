"""A steady load: some callers keep their connection, others make a new one for each request; failures are kept.

A request fails when its status is not 200, or when it gets no answer. One thing is not a failure, as it is none for any
HTTP client: that the server closed a kept connection while nothing was asked on it.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass

from examples.traffic import http

PATIENCE = 30.0


@dataclass(frozen=True)
class Target:
    """What is asked, and where."""

    port: int
    host: str
    path: str = "/"
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    address: str = "127.0.0.1"

    @property
    def request(self) -> bytes:
        """The bytes of it."""
        return http.encoded(f"{self.method} {self.path} HTTP/1.1", {"host": self.host, **dict(self.headers)})


class Connection:
    """One connection to a target, made when it is needed."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self) -> http.Message:
        """Ask once more on the connection, or on a new one when it is closed.

        Raises:
            OSError: there is no connection, or it broke.
            asyncio.IncompleteReadError: it ended in the middle of an answer.
        """
        answer = await self._ask() if self._streams is not None else None
        if answer is None:
            self.close()
            self._streams = await asyncio.open_connection(self._target.address, self._target.port)
            answer = await self._ask()
        if answer is None:
            raise ConnectionResetError("closed without an answer")
        if answer.closes:
            self.close()
        return answer

    def close(self) -> None:
        """Let the connection go."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _ask(self) -> http.Message | None:
        assert self._streams is not None
        reader, writer = self._streams
        writer.write(self._target.request)
        return await http.read(reader)


class Load:
    """Callers that ask a target until they are told to stop."""

    def __init__(self, target: Target, keeping: int = 4, renewing: int = 4, pause: float = 0.01) -> None:
        self._target = target
        self._renewing = [False] * keeping + [True] * renewing
        self._pause = pause
        self.answers: Counter[str] = Counter()
        """Good answers by what they said, since the last `take`."""
        self.failures: list[str] = []
        """Why, of each request that failed, from the beginning."""
        self._stopping = False
        self._callers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to ask."""
        self._callers = [asyncio.create_task(self._call(renewing)) for renewing in self._renewing]

    async def finish(self) -> None:
        """Have each caller end with the request that it is making."""
        self._stopping = True
        await asyncio.gather(*self._callers)

    def take(self) -> Counter[str]:
        """The good answers since the last time."""
        taken, self.answers = self.answers, Counter()
        return taken

    async def _call(self, renewing: bool) -> None:
        connection = Connection(self._target)
        while not self._stopping:
            began = time.monotonic()
            try:
                async with asyncio.timeout(PATIENCE):
                    answer = await connection.ask()
            except (OSError, asyncio.IncompleteReadError) as error:  # TimeoutError is an OSError
                connection.close()
                self.failures.append(f"{type(error).__name__} {error} after {time.monotonic() - began:.3f} s")
            else:
                self._count(answer)
            if renewing:
                connection.close()
            await asyncio.sleep(self._pause)
        connection.close()

    def _count(self, answer: http.Message) -> None:
        status = answer.start.split(" ")[1]
        if status == "200":
            self.answers[answer.body.decode(errors="replace")] += 1
        else:
            self.failures.append(f"{status} {answer.body.decode(errors='replace')[:100]}")


async def ask(target: Target) -> http.Message:
    """One request on a connection of its own."""
    connection = Connection(target)
    try:
        async with asyncio.timeout(PATIENCE):
            return await connection.ask()
    finally:
        connection.close()
