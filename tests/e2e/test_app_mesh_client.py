"""The tests' own reader of the API: what it says was really answered."""

import socket
import threading
from collections.abc import Iterator

import pytest
from botocore.exceptions import ConnectionClosedError

from tests.e2e.app_mesh import AppMesh

CUT_OFF = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n"


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A server that dies each time that it has told how long its answer will be."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with listening.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(CUT_OFF)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(60)


def test_an_answer_that_was_cut_off_is_none(endpoint: str) -> None:
    """Botocore alone takes it for an object without a spec, which no mesh ever held."""
    app_mesh = AppMesh(
        {
            "AWS_ENDPOINT_URL_APP_MESH": endpoint,
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "AKIA",
            "AWS_SECRET_ACCESS_KEY": "secret",
        },
        patience=2,
    )
    try:
        with pytest.raises(ConnectionClosedError):
            app_mesh.api.describe_route(meshName="m", virtualRouterName="r", routeName="x")
    finally:
        app_mesh.close()
