"""Requests of applications that know nothing of any proxy: captured, and led by real Envoys as the routes say.

Each pod is a network namespace, prepared by `meshwright proxy-init` with the variables that the injector sets, and has
an Envoy that started with what `meshwright bootstrap` prints.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from operator import eq
from typing import Any

import pytest

from deploy.local.toolchain import Toolchain
from injector.annotations import Asked
from injector.capture import init_container
from injector.configuration import Configuration
from injector.proxy_init.kernel import has_ipv6
from tests.capture.pods import MACHINE, NETWORK, NETWORK_BY_IPV6, Pod, pods
from tests.control_plane import specs
from tests.control_plane.e2e.process import serving
from tests.namespaces import need_namespaces, path_with
from tests.waiting import until

pytestmark = pytest.mark.e2e

SERVICE = "color.shop"
NOWHERE = f"{NETWORK}99"
"""Where the service's name leads: as with a Service of Kubernetes, nobody is there."""
PAST_THE_PROXY = f"{NETWORK}14"
METADATA = "169.254.169.254"
PORT, OPEN_PORT = 8080, 9999
by_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="the kernel has no IPv6")
URL = f"http://{SERVICE}:{PORT}/"


@dataclass
class Town:
    """A front and two colours with proxies, somebody outside the mesh, and the control plane's API."""

    front: Pod
    blue: Pod
    green: Pod
    outsider: Pod
    api: Any

    def share(self, blue: int, green: int) -> None:
        """Divide what is for the service."""
        to = {"blue": blue, "green": green}
        self.api.update_route(meshName="shop", virtualRouterName="color", routeName="all", spec=specs.route(to=to))


@pytest.fixture(scope="module", params=["nft", "iptables"])
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """All of it, with the rules set by one of the two tools. Everything goes to blue."""
    need_namespaces()
    directory = tmp_path_factory.mktemp("capture")
    tools = path_with(request.param, directory / "tools")
    envoy = Toolchain.from_environment().resolve(["envoy"])["envoy"]
    with ExitStack() as stack:
        made = stack.enter_context(pods(directory, {SERVICE: NOWHERE}, 11, 12, 13, 14))
        front, blue, green, outsider = made
        outsider.inside.run("ip", "address", "add", f"{NETWORK}15/24", "dev", "eth0")
        outsider.inside.run("ip", "address", "add", f"{METADATA}/32", "dev", "eth0")
        front.inside.run("ip", "route", "add", METADATA, "via", outsider.address)
        control_plane, xds = serving(
            stack, directory / "control-plane", directory / "state.db", host=MACHINE, MESHWRIGHT_XDS_PLAINTEXT="true"
        )
        api = stack.enter_context(control_plane.client())
        declare(api, {"blue": blue, "green": green})
        outsider.serve("outsider", PORT, 7000)
        for name, pod in {"front": front, "blue": blue, "green": green}.items():
            pod.serve(name, PORT, OPEN_PORT)
            pod.capture(tools, variables())
            pod.proxy(envoy, bootstrap(name, xds))
        yield Town(front, blue, green, outsider, api)


def declare(api: Any, colours: dict[str, Pod]) -> None:
    """A mesh that lets nothing out, and a service with a route by header and one for all else."""
    api.create_mesh(meshName="shop", spec={"egressFilter": {"type": "DROP_ALL"}})
    for name, pod in colours.items():
        found = {"dns": {"hostname": pod.address}}
        node = specs.node(specs.listener(PORT), serviceDiscovery=found)
        api.create_virtual_node(meshName="shop", virtualNodeName=name, spec=node)
    router = specs.router(specs.listener(PORT))
    api.create_virtual_router(meshName="shop", virtualRouterName="color", spec=router)
    asked = {"prefix": "/", "headers": [{"name": "x-colour", "match": {"exact": "green"}}]}
    for name, spec in {"asked": specs.route(match=asked, green=1), "all": specs.route(blue=1)}.items():
        priority = {"priority": 1 if name == "asked" else 2}
        api.create_route(meshName="shop", virtualRouterName="color", routeName=name, spec=spec | priority)
    service = specs.service(router="color")
    api.create_virtual_service(meshName="shop", virtualServiceName=SERVICE, spec=service)
    front = specs.node(backends=[specs.backend(SERVICE)])
    api.create_virtual_node(meshName="shop", virtualNodeName="front", spec=front)


def variables() -> dict[str, str]:
    """What the injector would have told the init container of these pods."""
    configuration = Configuration(
        "unused:0", ignored_ips=(METADATA, PAST_THE_PROXY), ignored_ports=(22, OPEN_PORT), ipv6=has_ipv6()
    )
    container = init_container((PORT,), Asked(), configuration, own_resources=False)
    return {variable["name"]: variable["value"] for variable in container["env"]}


def bootstrap(node: str, xds: str) -> dict[str, Any]:
    """What the command prints."""
    command = (
        sys.executable,
        "-m",
        "cli.main",
        "bootstrap",
        "--mesh",
        "shop",
        "--node",
        node,
        "--xds",
        xds,
        *(["--ipv6"] if has_ipv6() else []),
    )
    printed: dict[str, Any] = json.loads(subprocess.check_output(command))
    return printed


def test_routes_lead_applications_that_know_of_no_proxy(town: Town) -> None:
    """By both Envoys: that of the caller, and that of the called, from which the application is asked at last."""
    before = town.blue.counted("ingress.downstream_rq_total")
    said = town.front.told(URL)
    assert (said["name"], said["peer"]) == ("blue", "127.0.0.1")
    assert town.front.told(URL, x_colour="green")["name"] == "green"
    assert town.front.ask(URL)["headers"]["server"] == "envoy"
    assert town.front.counted("15001.downstream_cx_total")
    assert town.blue.counted("ingress.downstream_rq_total") - before == 2


def test_who_has_no_proxy_meets_that_of_the_called(town: Town) -> None:
    """What comes in is captured, wherever it comes from."""
    said = town.outsider.told(f"http://{town.blue.address}:{PORT}/")
    assert (said["name"], said["peer"]) == ("blue", "127.0.0.1")


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(f"http://{PAST_THE_PROXY}:{PORT}/", id="an address"),
        pytest.param(f"http://{NETWORK}12:{OPEN_PORT}/", id="a port"),
        pytest.param(f"http://{METADATA}:{PORT}/", id="the metadata of the instance"),
    ],
)
def test_what_is_excluded_passes_by(town: Town, url: str) -> None:
    """From the application itself to the application itself, with no header of a proxy."""
    captured = town.front.counted("15001.downstream_cx_total")
    said = town.front.told(url)
    assert said["peer"] == town.front.address
    assert not {"x-request-id", "x-forwarded-proto"} & {name.lower() for name in said["headers"]}
    assert town.front.counted("15001.downstream_cx_total") == captured


@pytest.mark.parametrize(
    "address",
    [f"{NETWORK}15", pytest.param(f"[{NETWORK_BY_IPV6}14]", marks=by_ipv6)],
    ids=["ipv4", "ipv6"],
)
def test_what_is_not_in_the_mesh_is_let_out_where_the_mesh_says_so(town: Town, address: str) -> None:
    """DROP_ALL closes the connection; ALLOW_ALL leads it where it was going."""
    url = f"http://{address}:7000/"
    assert "error" in town.front.ask(url)
    town.api.update_mesh(meshName="shop", spec={"egressFilter": {"type": "ALLOW_ALL"}})
    until(lambda: town.front.ask(url), lambda answer: answer.get("status") == 200, "ALLOW_ALL to let it out")
    assert town.front.counted("mesh-allow-all.upstream_cx_total") >= 1
    assert town.front.told(URL)["name"] == "blue"
    town.api.update_mesh(meshName="shop", spec={"egressFilter": {"type": "DROP_ALL"}})
    until(lambda: town.front.ask(url), lambda answer: "error" in answer, "DROP_ALL to keep it in")


@by_ipv6
def test_ipv6_is_led_the_same_way(town: Town) -> None:
    """A service by an address where nobody is, and a pod by its own."""
    said = town.front.told(f"http://[{NETWORK_BY_IPV6}99]:{PORT}/", host=f"{SERVICE}:{PORT}")
    assert (said["name"], said["peer"]) == ("blue", "127.0.0.1")
    said = town.outsider.told(f"http://[{NETWORK_BY_IPV6}12]:{PORT}/")
    assert (said["name"], said["peer"]) == ("blue", "127.0.0.1")
    said = town.front.told(f"http://[{NETWORK_BY_IPV6}12]:{OPEN_PORT}/")
    assert (said["name"], said["peer"]) == ("blue", f"{NETWORK_BY_IPV6}11")


def test_a_canary_loses_no_request(town: Town) -> None:
    """From blue to green in steps, and back at once, under load."""
    load = town.front.load(NOWHERE, PORT, f"{SERVICE}:{PORT}")
    for blue, green in [(90, 10), (50, 50), (0, 100), (100, 0)]:
        town.share(blue, green)
        wanted = {name for name, weight in {"blue": blue, "green": green}.items() if weight}
        until(lambda: set(load.answers()), partial(eq, wanted), f"{blue} to {green}", every=0.2)
    assert load.failures() == []
