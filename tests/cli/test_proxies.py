"""`meshwright proxies` where there is no control plane, or something else in its place."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from cli.proxies import ask
from cli.settings import Settings, SettingsError


@pytest.fixture(autouse=True)
def _a_key(monkeypatch):
    """Any: nobody here looks at signatures."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """The URL of a server that gives everybody this answer."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def refused(url: str) -> str:
    """What is said of the control plane at this address; `meshwright` ends with it, and with exit code 2."""
    with pytest.raises(SettingsError) as error:
        ask(Settings(app_mesh_endpoint=url))
    return str(error.value)


def test_a_control_plane_that_is_down_is_named():
    """Nobody listens at a port that was given back."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert f"http://127.0.0.1:{port}/v1/proxies: Could not connect" in refused(f"http://127.0.0.1:{port}")


def test_tls_where_there_is_none_is_told():
    """The handshake fails, whatever its error is called."""
    with answering(200, b"{}") as url:
        assert "SSL" in refused(url.replace("http:", "https:"))


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        pytest.param(200, b"<html>", "no JSON", id="a page"),
        pytest.param(200, b"\xff", "no JSON", id="bytes"),
        pytest.param(200, b"[]", "no list of proxies", id="a list"),
        pytest.param(200, b'{"proxies": 1}', "no list of proxies", id="another document"),
        pytest.param(404, b"", "serves no proxies", id="no such page"),
        pytest.param(403, b"no such key", "403 no such key", id="refused"),
    ],
)
def test_an_answer_that_is_no_control_planes_is_told(status, body, says):
    """By its address."""
    with answering(status, body) as url:
        told = refused(url)
    assert says in told
    assert told.startswith(url)


def test_a_profile_that_is_not_there_is_told(monkeypatch):
    """Its key could not be had."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "nobody" in refused("http://127.0.0.1:1")
