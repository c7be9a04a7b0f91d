"""What the compiler makes of http2, grpc and tcp routes and of timeouts, with traffic through a real Envoy."""

import collections
import math
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest

from control_plane.xds.compile import Options
from control_plane.xds.state import MeshState
from tests.control_plane import specs
from tests.control_plane.xds.compile.echo import Echo, ask
from tests.control_plane.xds.compile.meshes import mesh, snapshot_of
from tests.control_plane.xds.compile.remote import Line, Remote
from tests.control_plane.xds.compile.running import free_ports, running
from tests.control_plane.xds.compile.static import bootstrap

pytestmark = pytest.mark.e2e

CONNECTIONS = 800
UNLIKELY = 24.0
"""Chi-squared with one degree of freedom is beyond this once in a million times."""


@dataclass(frozen=True)
class Calls:
    """Where applications call out, and whom they reach."""

    egress: int
    database: int
    green: Remote

    def rpc(self, host: str, method: str, **metadata: str) -> str:
        """The name of the gRPC server that answers a call."""
        options = [("grpc.default_authority", host), ("grpc.enable_retries", 0)]
        with grpc.insecure_channel(f"127.0.0.1:{self.egress}", options=options) as channel:
            call: Any = channel.unary_unary(method)
            given = tuple((name.replace("_", "-"), value) for name, value in metadata.items())
            answer: bytes = call(b"", metadata=given, timeout=30)
        return answer.decode()

    def connect(self) -> str:
        """The name of the TCP server that answers a connection."""
        with socket.create_connection(("127.0.0.1", self.database), timeout=30) as connection:
            return connection.recv(100).decode()


def node(port: int, protocol: str) -> dict[str, Any]:
    """A node on this machine."""
    return {"listeners": [specs.listener(port, protocol)], "serviceDiscovery": {"dns": {"hostname": "127.0.0.1"}}}


def grpc_route(target: str, match: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A gRPC route to a node."""
    return {"grpcRoute": {"match": match, "action": specs.targets(**{target: 1}), **more}}


def town(blue: Remote, green: Remote, first: Line, second: Line, web: Echo) -> MeshState:
    """`front` calls services of every protocol."""
    retries = {"maxRetries": 2, "perRetryTimeout": {"value": 5, "unit": "s"}, "grpcRetryEvents": ["unavailable"]}
    beta = {"serviceName": "shop.Cart", "metadata": [{"name": "x-kind", "match": {"exact": "beta"}}]}
    quick = {"perRequest": {"value": 200, "unit": "ms"}}
    names = ("rpc.local", "two.local", "db.local", "web.local")
    return mesh(
        nodes={
            "front": {"backends": [specs.backend(name) for name in names]},
            "blue": node(blue.port, "grpc"),
            "green": node(green.port, "grpc"),
            "blue2": node(blue.port, "http2"),
            "green2": node(green.port, "http2"),
            "first": node(first.port, "tcp"),
            "second": node(second.port, "tcp"),
            "web": node(web.port, "http"),
        },
        services={name: specs.service(router=name.partition(".")[0]) for name in names},
        routers={
            "rpc": specs.router(specs.listener(8080, "grpc")),
            "two": specs.router(specs.listener(8080, "http2")),
            "db": specs.router(specs.listener(5432, "tcp")),
            "web": specs.router(),
        },
        routes={
            "rpc/beta": {**grpc_route("blue", beta), "priority": 1},
            "rpc/add": {**grpc_route("blue", {"serviceName": "shop.Cart", "methodName": "Add"}), "priority": 2},
            "rpc/rest": {**grpc_route("green", {"serviceName": "shop.Cart"}, retryPolicy=retries), "priority": 3},
            "two/add": specs.route(protocol="http2", match={"prefix": "/shop.Cart/Add"}, blue2=1),
            "two/rest": specs.route(protocol="http2", match={"prefix": "/"}, green2=1),
            "db/only": specs.route(protocol="tcp", first=3, second=1),
            "web/quick": {
                "httpRoute": {"match": {"prefix": "/quick/"}, "action": specs.targets(web=1), "timeout": quick}
            },
        },
    )


@pytest.fixture(scope="module")
def calls(envoy, certificate, tmp_path_factory) -> Iterator[Calls]:
    """The town, with the Envoy of `front`; the other nodes have none."""
    egress, database = free_ports(2)
    with (
        Remote("blue").running() as blue,
        Remote("green").running() as green,
        Line("first").running() as first,
        Line("second").running() as second,
        Echo("web").running() as web,
    ):
        options = Options(capture=False, egress_port=egress, tcp_ports={"db.local:5432": database})
        snapshot = snapshot_of(town(blue, green, first, second, web), "front", options)
        directory = tmp_path_factory.mktemp("envoy")
        with running(envoy, bootstrap([snapshot], certificate, listen=True), directory):
            yield Calls(egress, database, green)


@pytest.mark.parametrize(
    ("method", "metadata", "app"),
    [
        pytest.param("/shop.Cart/Add", {}, "blue", id="method"),
        pytest.param("/shop.Cart/Remove", {}, "green", id="service"),
        pytest.param("/shop.Cart/Remove", {"x_kind": "beta"}, "blue", id="metadata"),
    ],
)
def test_grpc_calls_go_where_their_match_says(calls, method, metadata, app):
    """By service, by method, by metadata."""
    assert calls.rpc("rpc.local", method, **metadata) == app


def test_a_grpc_call_without_a_route_is_not_implemented(calls):
    """As gRPC tells a path that is not found."""
    with pytest.raises(grpc.RpcError) as refused:
        calls.rpc("rpc.local", "/other.Service/Get")
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_failed_grpc_calls_are_tried_again_as_often_as_the_policy_says(calls):
    """Once, and twice more."""
    with pytest.raises(grpc.RpcError) as failed:
        calls.rpc("rpc.local", "/shop.Cart/Fail")
    assert failed.value.code() is grpc.StatusCode.UNAVAILABLE
    assert calls.green.asked["/shop.Cart/Fail"] == 3


@pytest.mark.parametrize(("method", "app"), [("/shop.Cart/Add", "blue"), ("/shop.Cart/Remove", "green")])
def test_http2_requests_go_where_their_match_says(calls, method, app):
    """Spoken on both sides of the proxy; a gRPC client is one of HTTP/2."""
    assert calls.rpc("two.local", method) == app


def test_tcp_connections_are_split_by_weight(calls):
    """Three to one."""
    met = collections.Counter(calls.connect() for _ in range(CONNECTIONS))
    expected = {"first": CONNECTIONS * 3 / 4, "second": CONNECTIONS / 4}
    assert met.keys() == expected.keys()
    assert math.fsum((met[name] - share) ** 2 / share for name, share in expected.items()) < UNLIKELY


def test_a_request_that_takes_too_long_is_given_up(calls):
    """As the route's timeout says; the application would never have answered."""
    assert ask(calls.egress, "web.local", "/quick/")[0] == 200
    assert ask(calls.egress, "web.local", "/quick/hang")[0] == 504
