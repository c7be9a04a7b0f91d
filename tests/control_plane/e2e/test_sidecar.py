"""A control plane as it is installed, and an Envoy that starts with just what `meshwright bootstrap` prints."""

import asyncio
import json
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from deploy.local import ports
from deploy.local.toolchain import Toolchain
from examples.traffic.load import Load, Target
from examples.traffic.sidecar import Sidecar
from tests.control_plane.e2e.process import ControlPlaneProcess, metrics, serving
from tests.control_plane.xds.ads.certificates import Authority
from tests.waiting import until

pytestmark = pytest.mark.e2e

BOOTSTRAP = (sys.executable, "-m", "cli.main", "bootstrap", "--mesh", "shop", "--node", "web")
TOKEN = "a-token-of-web"
REFUSED = re.compile(r'^appmesh_xds_streams_refused_total\{code="PERMISSION_DENIED"\} [1-9]', re.MULTILINE)


class _Web(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "3")
        self.end_headers()
        self.wfile.write(b"web")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # Envoy waits a quarter of a second for a connection to its application, and no longer


@dataclass
class Place:
    """Where an application listens, and the ports of its node."""

    directory: Path
    application: int
    port: int
    other_port: int
    third_port: int
    egress: int

    def spec(self, *listening: int) -> dict[str, Any]:
        """The node with these ports."""
        return {
            "listeners": [{"portMapping": {"port": port, "protocol": "http"}} for port in listening],
            "serviceDiscovery": {"dns": {"hostname": "localhost"}},
        }

    def bootstrap(self, xds: str, *flags: str) -> dict[str, Any]:
        """What the command prints."""
        ours = ["--xds", xds, "--admin-port", "0", "--explicit-ports", "--ingress-address", "127.0.0.1"]
        ours += ["--egress-port", str(self.egress)]
        for port in (self.port, self.other_port, self.third_port):
            ours += ["--application-port", f"{port}={self.application}"]
        printed: dict[str, Any] = json.loads(subprocess.check_output([*BOOTSTRAP, *ours, *flags]))
        return printed

    @contextmanager
    def sidecar(self, bootstrap: dict[str, Any]) -> Iterator[Sidecar]:
        """An Envoy that starts with this."""
        envoy = Toolchain.from_environment().resolve(["envoy"])["envoy"]
        made = Sidecar(envoy, self.directory / "envoy", bootstrap)
        made.start()
        try:
            yield made
        finally:
            made.stop()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """An application that knows nothing of any mesh."""
    taken: set[int] = set()
    for _ in range(4):
        taken.add(ports.pick(taken))
    with _Server(("127.0.0.1", 0), _Web) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Place(tmp_path, server.server_address[1], *taken)
        server.shutdown()
        thread.join()


@pytest.fixture
def control_planes(tmp_path: Path) -> Iterator[ExitStack]:
    """Each that is entered here ends with the test."""
    with ExitStack() as stack:
        yield stack


def says(port: int) -> str:
    """What one hears there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            return bytes(answer.read()).decode()
    except urllib.error.URLError as error:
        return str(error)


@pytest.mark.parametrize("delta", [False, True], ids=["sotw", "delta"])
@pytest.mark.parametrize("by", ["certificate", "token"])
def test_only_who_is_a_node_gets_its_configuration(
    place: Place, control_planes: ExitStack, by: str, delta: bool
) -> None:
    """The same files and flags with the identity of another node: refused, counted, and nothing served."""
    at, authority = place.directory, Authority()
    (at / "ca.pem").write_bytes(authority.pem)
    nodes = "spiffe://cluster.local/mesh/shop/virtualNode"
    authority.write(at, server="localhost", web=f"{nodes}/web", other=f"{nodes}/other")
    (at / "tokens").write_text(f"{TOKEN} mesh/shop/virtualNode/web\nanother-token mesh/shop/virtualNode/other\n")
    guard = {"certificate": ("CLIENT_CA_FILE", "ca.pem"), "token": ("TOKENS_FILE", "tokens")}[by]
    control_plane, xds = serving(
        control_planes,
        at / "control-plane",
        at / "state.db",
        MESHWRIGHT_XDS_CERTIFICATE_FILE=str(at / "server.pem"),
        MESHWRIGHT_XDS_KEY_FILE=str(at / "server.key"),
        **{f"MESHWRIGHT_XDS_{guard[0]}": str(at / guard[1])},
    )
    with control_plane.client() as api:
        api.create_mesh(meshName="shop")
        api.create_virtual_node(meshName="shop", virtualNodeName="web", spec=place.spec(place.port))

    def identity(name: str, token: str) -> list[str]:
        files = ["--certificate-file", str(at / f"{name}.pem"), "--key-file", str(at / f"{name}.key")]
        return ["--ca-file", str(at / "ca.pem"), *(files if by == "certificate" else ["--token", token])]

    form = [] if delta else ["--sotw"]
    with place.sidecar(place.bootstrap(xds, *identity("other", "another-token"), *form)) as envoy:
        until(lambda: metrics(control_plane), REFUSED.search, "a refusal that is counted")
        assert "Connection refused" in says(place.port)
        assert envoy.stats("^cluster_manager.cds.update_success$") == {"cluster_manager.cds.update_success": 0}
    with place.sidecar(place.bootstrap(xds, *identity("web", TOKEN), *form)) as envoy:
        envoy.wait_ready()
        assert says(place.port) == "web"


@pytest.mark.parametrize("form", ["sotw", "delta"])
async def test_a_lost_replica_is_not_noticed_by_traffic(
    place: Place, control_planes: ExitStack, database_url: str, form: str
) -> None:
    """The one that Envoy talks to dies, and the other, under load: no request fails, what is written is followed."""
    open_to_all = {"MESHWRIGHT_XDS_PLAINTEXT": "true"}
    started = [serving(control_planes, place.directory / name, database_url, **open_to_all) for name in ("one", "two")]
    replicas = {address: replica for replica, address in started}
    bootstrap = place.bootstrap(next(iter(replicas)), *(["--sotw"] if form == "sotw" else []))
    # As a name with two addresses would: here both have one address, and ports of their own.
    (cluster,) = bootstrap["static_resources"]["clusters"]
    cluster["load_assignment"]["endpoints"][0]["lb_endpoints"] = [_endpoint(address) for address in replicas]
    with next(iter(replicas.values())).client() as api:
        api.create_mesh(meshName="shop")
        api.create_virtual_node(meshName="shop", virtualNodeName="web", spec=place.spec(place.port))

    def lose_one(listening: int) -> None:
        """Kill the replica that serves Envoy, write at the other one until that is followed, start the lost one."""
        lost = until(lambda: [each for each in replicas.values() if _serves(each, form)], what="one that serves it")[0]
        (other,) = (each for each in replicas.values() if each is not lost)
        lost.kill()
        with other.client() as api:
            api.update_virtual_node(meshName="shop", virtualNodeName="web", spec=place.spec(place.port, listening))
        until(lambda: says(listening), lambda said: said == "web", "the port that was added at the other replica")
        assert _serves(other, form)
        lost.start()

    with place.sidecar(bootstrap) as envoy:
        await asyncio.to_thread(envoy.wait_ready)
        load = Load(Target(place.port, "web"))
        load.start()
        for listening in (place.other_port, place.third_port):
            await asyncio.to_thread(lose_one, listening)
        await load.finish()
    assert load.failures == []
    assert load.answers.total() > 100


def _endpoint(address: str) -> dict[str, Any]:
    host, _, port = address.partition(":")
    return {"endpoint": {"address": {"socket_address": {"address": host, "port_value": int(port)}}}}


def _serves(control_plane: ControlPlaneProcess, form: str) -> bool:
    return f'appmesh_xds_connections{{form="{form}"}} 1.0' in metrics(control_plane)
