"""Instances of Cloud Map services: asked for of moto's server, and what a Cloud Map that fails leaves."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto.server import ThreadedMotoServer
from structlog.testing import capture_logs

from control_plane.xds import cloud_map
from control_plane.xds.cloud_map import CloudMap, discover
from control_plane.xds.state import Instance

SERVICE = ("shop.local", "color")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A Cloud Map with one service and two instances."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def credentials(monkeypatch) -> None:
    """What requests are signed with."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.fixture
def client(endpoint, credentials) -> Iterator[Any]:
    """A client that could also write."""
    made: Any = cloud_map.client(endpoint, "us-west-2")
    yield made
    made.close()


def test_instances_come_with_addresses_attributes_and_health(client):
    """In an order that does not change, for what is compared."""
    client.create_http_namespace(Name="shop.local")
    namespace = client.list_namespaces()["Namespaces"][0]["Id"]
    service = client.create_service(Name="color", NamespaceId=namespace)["Service"]["Id"]
    ipv4, ipv6 = {"AWS_INSTANCE_IPV4": "10.0.0.2"}, {"AWS_INSTANCE_IPV6": "fd00::3"}
    for name, addresses in (("i-2", ipv4), ("i-1", {**ipv4, **ipv6}), ("i-3", ipv6)):
        client.register_instance(ServiceId=service, InstanceId=name, Attributes={**addresses, "version": name})
    found = discover(client, SERVICE)
    assert [(each.id, each.ipv4, each.ipv6, each.attributes["version"]) for each in found] == [
        ("i-1", "10.0.0.2", "fd00::3", "i-1"),
        ("i-2", "10.0.0.2", "", "i-2"),
        ("i-3", "", "fd00::3", "i-3"),
    ]


def test_a_service_that_does_not_exist_has_no_instances(client):
    """Which is not an error: nobody can be registered there."""
    assert discover(client, ("nowhere.local", "color")) == ()
    assert discover(client, ("shop.local", "nothing")) == ()


class FakeFeed:
    """Needs what it is told to, and notes what it hears."""

    discovers = False

    def __init__(self) -> None:
        self.services_needed = asyncio.Event()
        self.needed = {SERVICE}
        self.heard: list[Any] = []

    def services(self):
        """What is needed."""
        return self.needed

    def discovered(self, instances):
        """What was found."""
        self.heard.append(instances)


class FakeClient:
    """Answers or fails as the list says."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def discover_instances(self, **_request: Any) -> dict[str, Any]:
        """The next answer."""
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, dict)
        return answer


ONE = {"Instances": [{"InstanceId": "i", "Attributes": {"AWS_INSTANCE_IPV4": "10.0.0.1"}}]}


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="http://nowhere"),
        ClientError({"Error": {"Code": "RequestLimitExceeded"}}, "DiscoverInstances"),
    ],
)
async def test_what_cloud_map_does_not_answer_stays_as_it_was_known(error):
    """And what was never known stays unknown: no instances would be something else."""
    feed = FakeFeed()
    with ThreadPoolExecutor(1) as threads:
        looking = CloudMap(FakeClient(error, ONE, error), feed, threads)  # type: ignore[arg-type]
        for _ in range(3):
            await looking.look()
    known = {SERVICE: (Instance("i", "10.0.0.1", "", {"AWS_INSTANCE_IPV4": "10.0.0.1"}),)}
    assert feed.heard == [{}, known, known]
    assert feed.discovers


@contextmanager
def answering(*bodies: bytes) -> Iterator[str]:
    """An endpoint that answers 200 with these bodies, one after the other."""
    left = list(bodies)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = left.pop(0)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(json.dumps(ONE).encode()[:-9], id="cut off"),
        pytest.param(b"<html>It works!</html>", id="HTML"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"Instances": 1}', id="no list"),
        pytest.param(b'{"Instances": [null]}', id="no instance"),
        pytest.param(b'{"Instances": [{}]}', id="no id"),
    ],
)
async def test_an_answer_that_cannot_be_read_changes_nothing(body, credentials):
    """Whatever sends it, and says 200: no instances would be something else, and the next answer counts again."""
    feed = FakeFeed()
    good = json.dumps(ONE).encode()
    with answering(good, body, good) as endpoint, ThreadPoolExecutor(1) as threads:
        asking: Any = cloud_map.client(endpoint, "us-west-2")
        looking = CloudMap(asking, feed, threads)  # type: ignore[arg-type]
        with capture_logs() as logs:
            for _ in range(3):
                await looking.look()
        asking.close()
    known = {SERVICE: (Instance("i", "10.0.0.1", "", {"AWS_INSTANCE_IPV4": "10.0.0.1"}),)}
    assert feed.heard == [known, known, known]
    assert [(each["log_level"], each["service"]) for each in logs] == [("warning", SERVICE)]


async def test_what_nobody_needs_any_more_is_forgotten():
    """So that it is asked for anew when it is needed again."""
    feed = FakeFeed()
    with ThreadPoolExecutor(1) as threads:
        looking = CloudMap(FakeClient(ONE), feed, threads)  # type: ignore[arg-type]
        await looking.look()
        feed.needed = set()
        await looking.look()
    assert feed.heard[-1] == {}
