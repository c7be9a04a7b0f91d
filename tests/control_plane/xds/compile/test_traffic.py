"""What the compiler makes, with traffic: one real Envoy is the sidecars and the gateway of a mesh, applications echo.

The routes are static here; that they change without loss is tested elsewhere, over ADS.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from control_plane.xds.compile import Options
from control_plane.xds.state import MeshState
from tests.control_plane import specs
from tests.control_plane.xds.compile.echo import Echo, ask
from tests.control_plane.xds.compile.meshes import mesh, snapshot_of
from tests.control_plane.xds.compile.running import free_ports, running
from tests.control_plane.xds.compile.static import bootstrap

pytestmark = pytest.mark.e2e

RETRIES = {
    "maxRetries": 3,
    "perRetryTimeout": {"value": 5, "unit": "s"},
    "httpRetryEvents": ["gateway-error"],
}
FILE = {"file": {"certificateChain": "/tls/chain.pem", "privateKey": "/tls/key.pem"}}
TRUST = {"trust": {"file": {"certificateChain": "/tls/ca.pem"}}}


@dataclass(frozen=True)
class Town:
    """Where the applications are called: through the sidecar of `front`, and through the gateway."""

    egress: int
    gateway: int
    web: Echo
    secure: int


def node(port: int, **listener: Any) -> dict[str, Any]:
    """A node on this machine."""
    discovery = {"dns": {"hostname": "127.0.0.1"}}
    return {"listeners": [specs.listener(port, **listener)], "serviceDiscovery": discovery}


def to(target: str, match: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A route to a node."""
    return {"httpRoute": {"match": match, "action": specs.targets(**{target: 1}), **more}}


def header(match: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    """A match of the header `x-kind`."""
    return {"prefix": "/", "headers": [{"name": "x-kind", **({"match": match} if match else {}), **more}]}


def town(web: int, beta: int, gateway: int) -> MeshState:
    """`web` with TLS behind its sidecar, `beta` without one; `front` and `gate` call both as `web.local`."""
    backend = specs.backend("web.local")
    backend["virtualService"]["clientPolicy"] = {"tls": {"validation": TRUST, "ports": [web]}}
    policy = {"clientPolicy": {"tls": {"validation": TRUST, "ports": [web]}}}
    matched: dict[str, dict[str, Any]] = {
        "path": {"path": {"exact": "/exact"}},
        "regex": {"path": {"regex": "/r[0-9]+"}},
        "method": {"prefix": "/", "method": "POST"},
        "query": {"prefix": "/", "queryParameters": [{"name": "beta", "match": {"exact": "1"}}]},
        "header-exact": header({"exact": "exactly"}),
        "header-prefix": header({"prefix": "pre"}),
        "header-suffix": header({"suffix": "fix"}),
        "header-regex": header({"regex": "[xyz]+"}),
        "header-range": header({"range": {"start": 10, "end": 20}}),
    }
    no_prefix = {"hostname": {"defaultTargetHostname": "DISABLED"}, "prefix": {"defaultPrefix": "DISABLED"}}
    gateway_routes = {
        "stripped": ({"prefix": "/shop/"}, None),
        "replaced": ({"prefix": "/old/"}, {"prefix": {"value": "/new/"}}),
        "kept": ({"prefix": "/kept/"}, no_prefix),
        "path": ({"path": {"exact": "/one"}}, {"path": {"exact": "/two"}}),
        "host": ({"prefix": "/", "hostname": {"suffix": ".example"}}, None),
        "host-nearer": ({"prefix": "/", "hostname": {"suffix": ".by.example"}}, {"prefix": {"value": "/near/"}}),
        "host-whole": ({"prefix": "/", "hostname": {"exact": "close.by.example"}}, {"prefix": {"value": "/here/"}}),
    }
    return mesh(
        nodes={
            "front": {"backends": [backend, specs.backend("lost.local")]},
            "web": node(web, tls={"mode": "STRICT", "certificate": FILE}),
            "beta": node(beta),
        },
        services={"web.local": specs.service(router="web"), "lost.local": specs.service(router="lost")},
        routers={"web": specs.router(), "lost": specs.router()},
        routes={
            **{f"web/{name}": {**to("beta", match), "priority": 1} for name, match in matched.items()},
            "web/retried": to("beta", {"prefix": "/again/"}, retryPolicy=RETRIES),
            "web/rest": to("web", {"prefix": "/"}),
            "lost/only": to("gone", {"prefix": "/"}),
        },
        gateways={"gate": {**specs.gateway(specs.listener(gateway)), "backendDefaults": policy}},
        gateway_routes={
            f"gate/{name}": {
                "httpRoute": {
                    "match": match,
                    "action": {
                        "target": {"virtualService": {"virtualServiceName": "web.local"}},
                        **({"rewrite": rewrite} if rewrite else {}),
                    },
                }
            }
            for name, (match, rewrite) in gateway_routes.items()
        },
    )


@pytest.fixture(scope="module")
def calls(envoy, certificate, tmp_path_factory) -> Iterator[Town]:
    """The town, with its Envoy."""
    directory = tmp_path_factory.mktemp("envoy")
    egress, web, gateway, through, other = free_ports(5)
    with Echo("web").running() as web_app, Echo("beta").running() as beta_app:
        state = town(web, beta_app.port, gateway)
        here = Options(capture=False, ingress_address="127.0.0.1", application_ports={web: web_app.port})
        snapshots = [
            snapshot_of(state, "front", Options(capture=False, egress_port=egress)),
            snapshot_of(state, "web", Options(**{**vars(here), "egress_port": other})),
            snapshot_of(state, "gate", Options(**{**vars(here), "egress_port": through}), "virtualGateway"),
        ]
        with running(envoy, bootstrap(snapshots, certificate, listen=True), directory):
            yield Town(egress, gateway, beta_app, web)


@pytest.mark.parametrize(
    ("app", "path", "method", "headers"),
    [
        ("web", "/", "GET", {}),
        ("beta", "/exact", "GET", {}),
        ("web", "/exact/not", "GET", {}),
        ("beta", "/r2", "GET", {}),
        ("web", "/r2d2", "GET", {}),
        ("beta", "/", "POST", {}),
        ("beta", "/?beta=1", "GET", {}),
        ("web", "/?beta=2", "GET", {}),
        ("beta", "/", "GET", {"x_kind": "exactly"}),
        ("beta", "/", "GET", {"x_kind": "prelude"}),
        ("beta", "/", "GET", {"x_kind": "suffix"}),
        ("beta", "/", "GET", {"x_kind": "zyx"}),
        ("web", "/", "GET", {"x_kind": "zyxw"}),
        ("beta", "/", "GET", {"x_kind": "10"}),
        ("web", "/", "GET", {"x_kind": "20"}),
    ],
)
def test_requests_go_where_their_match_says(calls, app, path, method, headers):
    """To `beta` on a match; the rest goes to `web`, with TLS on the way."""
    status, told = ask(calls.egress, "web.local", path, method, **headers)
    assert (status, told["app"], told["path"], told["host"]) == (200, app, path, "web.local")


def test_only_services_are_known(calls):
    """Another name is not found; a service whose targets are gone is unavailable."""
    assert ask(calls.egress, "other.local")[0] == 404
    assert ask(calls.egress, "lost.local")[0] == 503


def test_failures_are_tried_again_as_often_as_the_policy_says(calls):
    """Once, and three times more."""
    assert ask(calls.egress, "web.local", "/again/fail")[0] == 503
    assert calls.web.asked["/again/fail"] == 4


def test_what_must_be_encrypted_takes_nothing_in_the_clear(calls):
    """The sidecar of `web` closes the connection."""
    with pytest.raises(ConnectionError):
        ask(calls.secure, "web.local")


@pytest.mark.parametrize(
    ("host", "path", "told"),
    [
        pytest.param("any", "/shop/cart", ("/cart", "web.local"), id="prefix to /"),
        pytest.param("any", "/old/cart?a=1", ("/new/cart?a=1", "web.local"), id="prefix to another"),
        pytest.param("any:8443", "/kept/cart", ("/kept/cart", "any"), id="path and host kept"),
        pytest.param("any", "/one", ("/two", "web.local"), id="path to another"),
        pytest.param("SHOP.example:80", "/x", ("/x", "web.local"), id="by host"),
        pytest.param("far.by.example", "/x", ("/near/x", "web.local"), id="by the longer end of the host"),
        pytest.param("Close.by.example:80", "/x", ("/here/x", "web.local"), id="by the whole host"),
    ],
)
def test_a_gateway_rewrites(calls, host, path, told):
    """And then the routes of the service hold."""
    status, found = ask(calls.gateway, host, path)
    assert (status, found["path"], found["host"]) == (200, *told)
    status, found = ask(calls.gateway, host, path, "POST")
    assert found["app"] == "beta"


def test_a_gateway_lets_in_only_what_it_has_a_route_for(calls):
    """The rest is not found."""
    assert ask(calls.gateway, "any", "/elsewhere")[0] == 404
