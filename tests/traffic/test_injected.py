"""The proxy of an injected pod, run as its container would run it: the API server's pod, and a real Envoy.

Only its ports are others than the pod's own, and nothing redirects traffic here.
"""

import json
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

import pytest

from control_plane.xds.proxies import ProxyId
from deploy.local import ports
from injector.annotations import SWITCH, Asked
from injector.proxy_bootstrap import ADMIN_PORT, STATUS_PORT
from injector.sidecar import sidecar
from tests.e2e.cluster import Cluster
from tests.e2e.kubernetes_api import namespace_manifest
from tests.e2e.world import World
from tests.injector.cases import CONFIGURATION, container, owned_by, pod
from tests.waiting import until


class Proxy:
    """A container with a proxy, as a process of this machine."""

    def __init__(self, made: dict[str, Any], envoy: Path) -> None:
        numbers = {ADMIN_PORT: ports.pick(set())}
        numbers[STATUS_PORT] = ports.pick({numbers[ADMIN_PORT]})
        self._numbers = numbers
        self.made = made
        self._envoy = envoy

    @contextmanager
    def running(self, change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        """The proxy, inside the block; `change` edits its bootstrap."""
        document = json.loads(self._moved(self.made["args"][1]))
        change(document)
        command = [str(self._envoy), "--config-yaml", json.dumps(document), *self.made["args"][2:]]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                yield
            finally:
                process.terminate()

    def status(self, path: str) -> int:
        """What the port that kubelet asks answers; 0: nobody does."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._numbers[STATUS_PORT]}{path}", timeout=5) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code
        except URLError:
            return 0

    def hook(self, name: str) -> "subprocess.Popen[bytes]":
        """Start a hook of its life."""
        command = self.made["lifecycle"][name]["exec"]["command"]
        return subprocess.Popen([self._moved(word) for word in command], stdin=subprocess.DEVNULL)

    def _moved(self, text: str) -> str:
        for number, other in self._numbers.items():
            text = text.replace(str(number), str(other))
        return text


@pytest.fixture
def injected(cluster: Cluster, world: World, envoy: Path) -> Proxy:
    """The proxy of a pod of the node `front`, which calls others; the node is Active."""
    namespace = namespace_manifest(world.name)
    node = world.node("front", listeners=None, serviceDiscovery=None)
    cluster.converge(world.mesh(), node)
    cluster.kubernetes.patch(namespace, {"metadata": {"labels": {SWITCH: "enabled"}}})
    owner = {"namespace": world.name, "ownerReferences": [owned_by("StatefulSet", "front", "apps/v1")]}
    made = pod("front-0", None, container(), metadata=owner)

    def containers() -> list[dict[str, Any]]:
        cluster.kubernetes.create(made)
        found = cluster.kubernetes.read(made)["spec"]
        cluster.kubernetes.delete_now(made)
        return [each for each in found.get("initContainers", ()) if each["name"] == "envoy"]

    (proxy,) = until(containers, what="the injector to know the node")
    return Proxy(proxy, envoy)


def test_the_proxy_of_an_injected_pod_gets_its_configuration(injected: Proxy) -> None:
    """It is ready when it has all of it, and what it serves to others cannot stop it."""

    def explicit(document: dict[str, Any]) -> None:
        options = {"capture": False, "egressPort": ports.pick(set())}
        document["node"]["metadata"] = {"meshwright": options}

    with injected.running(explicit):
        until(lambda: injected.status("/ready"), lambda status: status == 200, "the proxy to be ready")
        assert injected.status("/stats/prometheus") == 200
        assert injected.status("/quitquitquit") == injected.status("/config_dump") == 404


def test_the_application_waits_for_a_classic_proxy_which_drains_when_the_pod_ends(envoy: Path) -> None:
    """The hooks, against an Envoy that needs no control plane."""
    classic = replace(CONFIGURATION, native=False, drain_seconds=0)
    proxy = Proxy(sidecar(ProxyId("m", "virtualNode", "n"), Asked(), classic, own_resources=True).container, envoy)
    gate = proxy.hook("postStart")

    def alone(document: dict[str, Any]) -> None:
        del document["dynamic_resources"]

    assert gate.poll() is None
    with proxy.running(alone):
        assert gate.wait(60) == 0
        assert proxy.status("/ready") == 200
        assert proxy.hook("preStop").wait(60) == 0
        assert proxy.status("/ready") == 503
