"""The webhook's certificate is read again when its files change."""

import asyncio
import datetime
import ssl
from pathlib import Path

import pytest
from starlette.applications import Starlette

from control_plane.tls import ServerTls
from injector.certificates import Certificates, renewed
from injector.server import Server

NOW = datetime.datetime.now(datetime.UTC)


def certificates() -> Certificates:
    """New ones, with an authority of their own."""
    return renewed(None, ["injector.meshwright.svc"], NOW)


def write(folder: Path, made: Certificates) -> tuple[Path, Path]:
    """Certificate and key as files."""
    certificate, key = folder / "tls.crt", folder / "tls.key"
    key.write_bytes(made.webhook.key)
    certificate.write_bytes(made.webhook.certificate)
    return certificate, key


async def shakes_hands(port: int, authority: Certificates, server_name: str | None) -> bool:
    """Whether a client that trusts this authority alone takes the server for the webhook."""
    context = ssl.create_default_context(cadata=authority.authority.certificate.decode())
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # as clients of newer Pythons are
    context.check_hostname = server_name is not None
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=server_name or "")
    except ssl.SSLError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@pytest.mark.parametrize("server_name", ["injector.meshwright.svc", None], ids=["by-name", "by-address"])
async def test_each_handshake_shows_the_certificate_of_the_files(tmp_path: Path, server_name: str | None):
    """Also to a client that names no server, as the API server does for a webhook with an address."""
    first, second = certificates(), certificates()
    files = write(tmp_path, first)
    listener = await asyncio.start_server(
        lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=ServerTls(*files).context
    )
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        assert await shakes_hands(port, first, server_name)
        files[1].write_bytes(second.webhook.key)  # half of the new pair: the old one stays
        assert await shakes_hands(port, first, server_name)
        write(tmp_path, second)
        assert await shakes_hands(port, second, server_name)
        assert not await shakes_hands(port, first, server_name)


def test_files_that_do_not_belong_together_are_told_at_the_start(tmp_path: Path):
    """Before anything listens."""
    certificate, key = write(tmp_path, certificates())
    key.write_bytes(certificates().webhook.key)
    with pytest.raises(OSError, match="KEY_VALUES_MISMATCH"):
        ServerTls(certificate, key)
    with pytest.raises(OSError, match="none"):
        ServerTls(tmp_path / "none", key)


async def test_the_server_serves_over_tls_and_ends_when_it_is_told(tmp_path: Path):
    """And leaves the process's signals alone."""
    made = certificates()
    server = Server(Starlette(), "127.0.0.1", 0, ServerTls(*write(tmp_path, made)))
    serving = asyncio.create_task(server.serve())
    await asyncio.wait_for(server.listening.wait(), 30)
    port = server.servers[0].sockets[0].getsockname()[1]
    assert await shakes_hands(port, made, "injector.meshwright.svc")
    server.stop()
    await asyncio.wait_for(serving, 30)
