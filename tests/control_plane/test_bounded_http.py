"""What a stranger can make the control plane keep of a request that never ends, over a real socket."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest

from control_plane.bounded_http import MAX_HEAD_BYTES, MAX_HEADERS, BoundedHttp
from tests.control_plane.serving import served

BEGINNING = b"GET /healthz HTTP/1.1\r\nhost: x\r\n"


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[tuple[str, int]]:
    """Where the control plane listens."""
    with served(tmp_path_factory.mktemp("bounded")) as api:
        parts = urlsplit(api.url)
        yield str(parts.hostname), int(parts.port or 0)


@contextmanager
def connected(address: tuple[str, int]) -> Iterator[socket.socket]:
    """A connection that gives up after ten seconds."""
    with socket.create_connection(address, timeout=10) as connection:
        yield connection


def all_answered(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    answer = b""
    try:
        while piece := connection.recv(65536):
            answer += piece
    except ConnectionResetError:  # closed with more of ours unread
        pass
    return answer


def poured(connection: socket.socket, piece: bytes, pieces: int) -> int:
    """How many pieces could be sent before the other side closed."""
    for number in range(pieces):
        try:
            connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            return number
    return pieces


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param(b"x-a: " + b"a" * 65_000 + b"\r\n", id="many large headers"),
        pytest.param(b"x-a: b\r\n" * 8_000, id="many small headers"),
        pytest.param(b"a" * 65_000, id="one header"),
    ],
)
def test_headers_without_end_are_cut_off(address, piece):
    """The client is closed long before it has sent a hundred megabytes."""
    with connected(address) as connection:
        connection.sendall(BEGINNING)
        assert poured(connection, piece, 1600) < 1600


def test_a_url_without_end_is_cut_off(address):
    """It is kept as headers are."""
    with connected(address) as connection:
        connection.sendall(b"GET /")
        assert poured(connection, b"a" * 65_000, 1600) < 1600


def test_trailers_without_end_are_cut_off(address):
    """The headers behind a body in chunks count too."""
    with connected(address) as connection:
        connection.sendall(b"PUT /v20190125/meshes HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-a: ")
        assert poured(connection, b"a" * 65_000, 1600) < 1600


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(b"x-a: b\r\n" * MAX_HEADERS, id="count"),
        pytest.param(b"x-a: " + b"a" * MAX_HEAD_BYTES + b"\r\n", id="size"),
    ],
)
def test_a_head_that_is_too_large_is_told_so(address, headers):
    """431, and the connection ends."""
    with connected(address) as connection:
        connection.sendall(BEGINNING + headers + b"\r\n")
        assert all_answered(connection).startswith(b"HTTP/1.1 431 ")


def test_large_heads_and_many_requests_are_served(address):
    """The bound is on each head, not on a connection."""
    head = BEGINNING + b"x-a: " + b"a" * 30_000 + b"\r\n"
    with connected(address) as connection:
        for _ in range(5):
            connection.sendall(head + b"\r\n")
            answer = b""
            while not answer.endswith(b"ok\n"):
                answer += connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 ")


def test_requests_that_come_at_once_are_answered_in_turn(address):
    """A head that comes with the request before it is no larger for that."""
    with connected(address) as connection:
        connection.sendall((BEGINNING + b"\r\n") * 3 + BEGINNING + b"connection: close\r\n\r\n")
        assert all_answered(connection).count(b"HTTP/1.1 200 ") == 4


def test_what_is_too_large_behind_a_request_is_not_its_answer(address):
    """The first one gets its own answer or none; the connection ends."""
    with connected(address) as connection:
        connection.sendall(BEGINNING + b"\r\n" + BEGINNING + b"x-a: b\r\n" * (MAX_HEADERS + 1))
        assert b" 431 " not in all_answered(connection).partition(b"\r\n")[0]


@pytest.mark.parametrize(
    "beginning",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\r\n", id="an empty line"),
        pytest.param(BEGINNING, id="a part of a head"),
        pytest.param(BEGINNING + b"\r\n" + BEGINNING, id="a part of the second head"),
    ],
)
def test_a_head_that_does_not_end_in_time_has_its_connection_closed(address, beginning, monkeypatch):
    """Whoever says nothing, or not enough."""
    monkeypatch.setattr(BoundedHttp, "head_seconds", 0.05)
    with connected(address) as connection:
        connection.sendall(beginning)
        answer = all_answered(connection)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 200 ")


def test_a_connection_may_be_idle_between_requests_for_longer(address, monkeypatch):
    """The deadline is for a head that has begun; a connection in a pool waits for its next use."""
    monkeypatch.setattr(BoundedHttp, "head_seconds", 0.3)
    with connected(address) as connection:
        connection.sendall(BEGINNING + b"\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.settimeout(0.6)
        with pytest.raises(TimeoutError):
            connection.recv(1)


def test_a_body_that_does_not_end_in_time_has_its_connection_closed(address, monkeypatch):
    """A piece of it from time to time does not help; nobody is there to be answered."""
    monkeypatch.setattr(BoundedHttp, "body_seconds", 0.2)
    with connected(address) as connection:
        connection.sendall(BEGINNING.replace(b"GET", b"PUT") + b"content-length: 1000000\r\n\r\n{")
        with suppress(OSError):  # closed, at last
            while not connection_ended(connection):
                connection.sendall(b" ")


def test_an_answer_may_take_longer_than_a_body(address, monkeypatch):
    """The deadline ends with the request."""
    monkeypatch.setattr(BoundedHttp, "body_seconds", 0.05)
    with connected(address) as connection:
        for _ in range(3):
            connection.sendall(BEGINNING + b"content-length: 2\r\n\r\n{}")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
            connection.settimeout(0.15)
            with pytest.raises(TimeoutError):
                connection.recv(1)
            connection.settimeout(10)


def connection_ended(connection):
    """Whether the other side has closed it, as far as one can hear within a moment."""
    connection.settimeout(0.02)
    try:
        return connection.recv(65536) == b""
    except TimeoutError:
        return False
