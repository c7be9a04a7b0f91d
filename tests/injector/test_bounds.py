"""What a stranger can make the webhook keep: bounds on heads and bodies, over the real server and its TLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from control_plane.bounded_http import BoundedHttp
from control_plane.tls import ServerTls
from injector.certificates import renewed
from injector.directory import Directory
from injector.endpoint import MAX_BODY_BYTES, PATH, create_app
from injector.server import Server
from tests.injector.cases import CONFIGURATION, NODES, pod
from tests.injector.reviews import body, review
from tests.injector.test_tls import NOW, write

LARGEST_POD = 3 << 19
"""What etcd takes, and so the API server."""


class Connection:
    """A client that sends what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        """Send, and wait as long as the server takes nothing."""
        self.writer.write(data)
        await self.writer.drain()

    async def status(self) -> int:
        """Of the answer."""
        return int((await asyncio.wait_for(self.reader.readline(), 30)).split()[1])


@asynccontextmanager
async def connected(folder: Path) -> AsyncIterator[Connection]:
    """A connection to a webhook that is served as in a cluster."""
    made = renewed(None, ["injector.meshwright.svc"], NOW)
    app = create_app(CONFIGURATION, Directory(NODES), lambda _review, _doubt: None)
    server = Server(app, "127.0.0.1", 0, ServerTls(*write(folder, made)))
    serving = asyncio.create_task(server.serve())
    await asyncio.wait_for(server.listening.wait(), 30)
    port = server.servers[0].sockets[0].getsockname()[1]
    context = ssl.create_default_context(cadata=made.authority.certificate.decode())
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # as clients of newer Pythons are
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname="injector.meshwright.svc"
    )
    try:
        yield Connection(reader, writer)
    finally:
        writer.transport.abort()
        server.stop()
        await asyncio.wait_for(serving, 30)


def head(*headers: str) -> bytes:
    """Of a request to the webhook."""
    return "\r\n".join([f"POST {PATH} HTTP/1.1", "host: injector", *headers, "", ""]).encode()


async def test_the_largest_pod_fits_twice(tmp_path: Path):
    """A review of an update holds the object as it is to be and as it was."""
    made = pod("any", annotations={"filling": ""})
    made["metadata"]["annotations"]["filling"] = "x" * (LARGEST_POD - len(body(made)))
    content = body(review(made, oldObject=made))
    assert len(content) > 2 * LARGEST_POD
    async with connected(tmp_path) as connection:
        await connection.send(head(f"content-length: {len(content)}") + content)
        assert await connection.status() == 200


@pytest.mark.parametrize("headers", [f"content-length: {MAX_BODY_BYTES + 1}", "transfer-encoding: chunked"])
async def test_a_larger_body_is_refused_and_not_kept(headers: str, tmp_path: Path):
    """Whether it says how long it is or not; the connection ends."""
    content = b" " * (MAX_BODY_BYTES + 1)
    if "chunked" in headers:
        content = b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
    async with connected(tmp_path) as connection:
        await connection.send(head(headers) + content)
        assert await connection.status() == 413
        answer = await asyncio.wait_for(connection.reader.read(), 30)
        assert b"connection: close" in answer.lower()
        assert b"the body has more than 4194304 bytes" in answer


async def test_a_body_without_end_is_cut_off(tmp_path: Path):
    """Long before it has made the process large."""
    mebibyte = 1 << 20
    async with connected(tmp_path) as connection:
        await connection.send(head("transfer-encoding: chunked"))

        async def flood() -> None:
            for _ in range(32):
                await connection.send(b"%x\r\n%s\r\n" % (mebibyte, b"x" * mebibyte))

        with pytest.raises(ConnectionError):
            await flood()


async def test_headers_without_end_are_refused(tmp_path: Path):
    """Before there is a review at all."""
    async with connected(tmp_path) as connection:
        await connection.send(head(f"x-filling: {'x' * (1 << 17)}"))
        assert await connection.status() == 431


async def test_a_body_that_does_not_come_has_its_connection_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whoever sends a byte a minute holds nothing for long."""
    monkeypatch.setattr(BoundedHttp, "body_seconds", 0.1)
    async with connected(tmp_path) as connection:
        await connection.send(head("content-length: 100") + b"{")
        assert await asyncio.wait_for(connection.reader.read(), 30) == b""
