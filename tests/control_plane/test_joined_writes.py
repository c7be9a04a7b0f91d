"""Head and body of a response go out in one piece, so that a killed process has not answered by half."""

import asyncio
import socket
from typing import cast
from urllib.parse import urlsplit

from control_plane.joined_writes import JoinedWrites
from tests.control_plane.serving import served


class Transport:
    """Keeps what is done to it."""

    def __init__(self) -> None:
        self.done: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        """Data goes out."""
        self.done.append(data)

    def close(self) -> None:
        """The end."""
        self.done.append("closed")

    def is_closing(self) -> bool:
        """Whether the end has come."""
        return "closed" in self.done

    def get_extra_info(self, name: str) -> str:
        """Something of its own."""
        return f"its {name}"


def joined(transport: Transport) -> JoinedWrites:
    """The transport, in front of the running loop."""
    return JoinedWrites(cast("asyncio.Transport", transport), asyncio.get_running_loop())


async def test_what_is_written_in_one_turn_goes_out_in_one_piece() -> None:
    """And what is written later, later; in its order."""
    transport = Transport()
    writes = joined(transport)
    writes.write(b"head ")
    writes.write(b"body")
    assert transport.done == []
    await asyncio.sleep(0)
    writes.write(b"more")
    await asyncio.sleep(0)
    assert transport.done == [b"head body", b"more"]


async def test_nothing_is_lost_when_it_is_closed() -> None:
    """What was written goes first, and nothing afterwards."""
    transport = Transport()
    writes = joined(transport)
    writes.write(b"last words")
    writes.close()
    writes.write(b"too late")
    await asyncio.sleep(0)
    assert transport.done == [b"last words", "closed"]


async def test_it_is_the_transport_in_all_else() -> None:
    """The server asks it for addresses, and tells it to wait."""
    assert joined(Transport()).get_extra_info("peername") == "its peername"


def test_an_answer_arrives_in_one_piece(tmp_path) -> None:
    """Over a real socket: the first read has all of it, however often one asks."""
    with served(tmp_path) as api:
        parts = urlsplit(api.url)
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
            for _ in range(50):
                connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
                assert connection.recv(65536).endswith(b"\r\n\r\nok\n")
