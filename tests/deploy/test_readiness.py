import socket
import ssl
from pathlib import Path

import pytest

from deploy.local.readiness import accepts_connections, http_answers
from tests.deploy.toolchain.release_server import serving


def test_a_part_answers_with_status_200():
    """And with that the probe is content, path and query included."""
    with serving({"/ready?full=1": b"ok"}) as server:
        assert http_answers(f"{server.url}/ready?full=1")() is None
        assert server.requests == ["/ready?full=1"]


def test_any_other_answer_is_told():
    """The status and the body, for they say what is missing."""
    with serving({}) as server:
        assert "/ready: 404" in (http_answers(f"{server.url}/ready")() or "")


def test_nobody_there_is_told():
    """With the address and the reason."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{reserved.getsockname()[1]}"
        assert http_answers(f"http://{address}/")() == f"http://{address}/: [Errno 111] Connection refused"
        assert accepts_connections(address)() == f"{address}: [Errno 111] Connection refused"


def test_a_broken_answer_is_not_an_answer():
    """A part that dies while it speaks is not ready."""
    with serving({"/": lambda handler: handler.connection.close()}) as server:
        assert server.url in (http_answers(server.url)() or "")


def test_certificates_that_are_not_there_yet_are_an_error_of_now(tmp_path: Path):
    """The TLS context is built at each try, so files may appear between two of them."""

    def context() -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(tmp_path / "ca.crt"))

    assert "No such file" in (http_answers("https://127.0.0.1:1/", context=context)() or "")


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:", "127.0.0.1:port"])
def test_an_address_that_is_none_is_told(address: str):
    """Not raised: the one who asks shows the reason."""
    assert address in (accepts_connections(address)() or "")


def test_a_listening_socket_accepts_connections():
    """That is all that is asked of an external part."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert accepts_connections(f"127.0.0.1:{server.getsockname()[1]}")() is None
