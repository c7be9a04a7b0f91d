"""gRPC's own clients, which read our xDS themselves, as `meshwright bootstrap --grpc` told them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from operator import eq
from pathlib import Path
from typing import Any

import pytest

from tests.control_plane import specs
from tests.control_plane.e2e.process import metrics, serving
from tests.control_plane.xds.ads.certificates import Authority
from tests.control_plane.xds.compile.remote import Remote
from tests.dialogue import Dialogue
from tests.waiting import until

pytestmark = pytest.mark.e2e

BOOTSTRAP = (sys.executable, "-m", "cli.main", "bootstrap", "--grpc", "--mesh", "shop", "--node", "front")
CALLS = 50


@contextmanager
def calling(name: str, bootstrap: Path) -> Iterator[Dialogue]:
    """A client of `xds:///NAME` that says who answered how often, at once and when asked; a call that fails ends it."""
    with subprocess.Popen(
        (sys.executable, "-m", "tests.control_plane.xds.ads.grpc_client", name, str(CALLS)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "GRPC_XDS_BOOTSTRAP": str(bootstrap)},
    ) as process:
        try:
            yield Dialogue(process)
        finally:
            process.kill()


def node(port: int, response: str) -> dict[str, Any]:
    """A node on this machine."""
    discovery = {"dns": {"hostname": "localhost", "responseType": response}}
    return specs.node(specs.listener(port, "grpc"), serviceDiscovery=discovery)


@pytest.mark.parametrize("name", ["color.shop", "color.shop:8080"])
def test_a_client_without_a_proxy_follows_the_routes_and_no_call_fails(tmp_path: Path, name: str) -> None:
    """By mutual TLS, as the node of its certificate; each colour is found by another sort of DNS."""
    authority = Authority()
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    authority.write(tmp_path, server="localhost", front="spiffe://local/mesh/shop/virtualNode/front")
    with ExitStack() as stack:
        red, blue = (stack.enter_context(Remote(colour).running()) for colour in ("red", "blue"))
        control_plane, xds = serving(
            stack,
            tmp_path / "control-plane",
            tmp_path / "state.db",
            MESHWRIGHT_XDS_CERTIFICATE_FILE=str(tmp_path / "server.pem"),
            MESHWRIGHT_XDS_KEY_FILE=str(tmp_path / "server.key"),
            MESHWRIGHT_XDS_CLIENT_CA_FILE=str(tmp_path / "ca.pem"),
        )
        api = stack.enter_context(control_plane.client())

        def route(colour: str) -> dict[str, Any]:
            spec = specs.route(protocol="grpc", match={"serviceName": "test.Colour"}, to={colour: 1})
            return {"meshName": "shop", "virtualRouterName": "color", "routeName": "all", "spec": spec}

        api.create_mesh(meshName="shop")
        api.create_virtual_node(meshName="shop", virtualNodeName="red", spec=node(red.port, "LOADBALANCER"))
        api.create_virtual_node(meshName="shop", virtualNodeName="blue", spec=node(blue.port, "ENDPOINTS"))
        router = specs.router(specs.listener(8080, "grpc"))
        api.create_virtual_router(meshName="shop", virtualRouterName="color", spec=router)
        api.create_route(**route("red"))
        service = specs.service(router="color")
        api.create_virtual_service(meshName="shop", virtualServiceName="color.shop", spec=service)
        front = {"backends": [specs.backend("color.shop")]}
        api.create_virtual_node(meshName="shop", virtualNodeName="front", spec=front)
        files = [f"--ca-file={tmp_path}/ca.pem", f"--certificate-file={tmp_path}/front.pem"]
        bootstrap = tmp_path / "bootstrap.json"
        bootstrap.write_bytes(
            subprocess.check_output([*BOOTSTRAP, "--xds", xds, *files, f"--key-file={tmp_path}/front.key"])
        )
        client = stack.enter_context(calling(name, bootstrap))
        assert client.hear() == {"red": CALLS}
        api.update_route(**route("blue"))
        until(partial(client.ask, "more"), partial(eq, {"blue": CALLS}), "all calls to be answered by blue")
        assert 'appmesh_xds_connections{form="sotw"} 1.0' in metrics(control_plane)
