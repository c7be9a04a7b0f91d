"""docker-compose.yml as plain processes: the commands, environments and health checks that it states, for real.

No container engine runs here. So each of our services is started as the file says it, and only what containers have
of their own (names of hosts, ports, paths, PostgreSQL) is replaced by what stands for it on this machine.
"""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.local.stack import LocalStack, StackSettings
from tests.control_plane.xds.compile.running import free_ports
from tests.deploy.installing import ROOT
from tests.deploy.test_compose import SERVICES, VARIABLES
from tests.waiting import until

pytestmark = pytest.mark.e2e

BIN = Path(sys.executable).parent
ENTRYPOINT = ["meshwright"]
"""The image's."""


@dataclass(frozen=True)
class Place:
    """What stands on this machine for what the containers have."""

    instead: Mapping[str, str]
    directory: Path

    def here(self, text: str) -> str:
        """The text with this machine's addresses and paths."""
        for theirs, ours in self.instead.items():
            text = text.replace(theirs, ours)
        return text

    def environment(self, name: str) -> dict[str, str]:
        """That of the service and nothing of the caller's."""
        stated = SERVICES[name].get("environment", {})
        path = f"{BIN}:/usr/local/bin:/usr/bin:/bin"
        return {"PATH": path, "HOME": str(self.directory), **{key: self.here(value) for key, value in stated.items()}}

    def command(self, name: str) -> list[str]:
        """Its command line, as an engine puts it together."""
        service = SERVICES[name]
        return [self.here(word) for word in [*service.get("entrypoint", ENTRYPOINT), *service.get("command", ())]]

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """The service, healthy, for the length of a block; it ends when it is asked to."""
        log = self.directory / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.command(name),
                env=self.environment(name),
                cwd=self.directory,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            until(lambda: self._healthy(name, process), bool, f"{name} to be healthy; see {log}", every=0.5)
            yield
        finally:
            process.terminate()
            try:
                process.wait(30)
            finally:
                process.kill()

    def _healthy(self, name: str, process: subprocess.Popen[bytes]) -> bool:
        """Its own health check; where it states none, whether somebody listens on its port."""
        assert process.poll() is None, (self.directory / f"{name}.log").read_text()
        check: dict[str, Any] | None = SERVICES[name].get("healthcheck")
        if check is None:
            return self._listens(int(self.command(name)[-1]))
        kind, *words = check["test"]
        assert kind == "CMD"
        done = subprocess.run(
            [self.here(word) for word in words],
            env=self.environment(name),
            capture_output=True,
            check=False,
            timeout=30,
        )
        return done.returncode == 0

    @staticmethod
    def _listens(port: int) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return True
        except OSError:
            return False


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """What the images of others provide: a cluster and Temporal."""
    settings = StackSettings(parts=("etcd", "kube-apiserver", "temporal"), fast=True)
    with LocalStack(tmp_path_factory.mktemp("base"), settings) as stack:
        yield stack.environment


@pytest.fixture(scope="module")
def place(base: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Addresses for our services. Containers may all listen on one port number, processes may not."""
    directory = tmp_path_factory.mktemp("compose")
    api, xds, cloud_map = free_ports(3)
    password = VARIABLES["POSTGRES_PASSWORD"]
    instead = {
        "temporal:7233": base["TEMPORAL_ADDRESS"],
        "control-plane:8080": f"127.0.0.1:{api}",
        "0.0.0.0:8080": f"127.0.0.1:{api}",
        "127.0.0.1:8080": f"127.0.0.1:{api}",
        "0.0.0.0:18000": f"127.0.0.1:{xds}",
        "cloud-map:5000": f"127.0.0.1:{cloud_map}",
        f"postgresql://meshwright:{password}@postgres/meshwright": f"sqlite:///{directory}/control-plane.db",
        "/kubeconfig/config": base["KUBECONFIG"],
        "/examples/": f"{ROOT}/examples/",
    }
    (directory / "cloud-map-port").write_text(str(cloud_map))
    return Place(instead, directory)


def for_service(place: Place, name: str) -> Place:
    """The place with what is this service's alone: its own metrics port, and the bare port of its command."""
    own: dict[str, str] = {}
    if name == "cloud-map":
        own = {"0.0.0.0": "127.0.0.1", "5000": (place.directory / "cloud-map-port").read_text()}
    elif name in ("watcher", "worker"):
        (metrics,) = free_ports(1)
        own = {"0.0.0.0:9090": f"127.0.0.1:{metrics}", "127.0.0.1:9090": f"127.0.0.1:{metrics}"}
    return Place({**place.instead, **own}, place.directory)


@pytest.fixture(scope="module")
def services(place: Place) -> Iterator[None]:
    """All of ours, each healthy by its own check before those that depend on it begin."""
    with ExitStack() as running:
        for name in ("cloud-map", "control-plane", "watcher", "worker"):
            running.enter_context(for_service(place, name).running(name))
        yield


def test_the_order_of_starting_is_the_files(services: None):
    """What a service of ours waits for was healthy before it; the fixture has started them in this order."""
    started = ["cloud-map", "control-plane", "watcher", "worker"]
    for number, name in enumerate(started):
        ours = set(SERVICES[name].get("depends_on", ())) & set(started)
        assert ours <= set(started[:number]), name


def test_a_failed_health_check_is_seen(place: Place):
    """Nobody listens there, so the check that the file states says so: the others mean something."""
    (nobody,) = free_ports(1)
    words = SERVICES["worker"]["healthcheck"]["test"][1:]
    elsewhere = [word.replace("127.0.0.1:9090", f"127.0.0.1:{nobody}") for word in words]
    done = subprocess.run(elsewhere, env=place.environment("worker"), capture_output=True, check=False, timeout=30)
    assert done.returncode != 0


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_the_demo_brings_its_example_into_app_mesh(place: Place, services: None):
    """The demo's own script: it ends well only when every VirtualService of the example is active."""
    script = place.command("demo")
    began = time.monotonic()
    done = subprocess.run(
        script, env=place.environment("demo"), capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, f"after {time.monotonic() - began:.0f} s: {done.stderr}"
    assert "virtualservice" in done.stdout
