"""A stack whose worker and watcher reach App Mesh and Kubernetes through fault proxies; tests reach both directly."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local import site as local_site
from deploy.local.credentials import Credentials
from deploy.local.plan import Plan
from deploy.local.stack import LocalStack, StackSettings
from tests.e2e.cluster import Cluster, clients_of
from tests.faults.proxy import FaultProxy
from tests.waiting import until

OURS = ("worker", "watcher")
"""The parts behind the proxies."""


@dataclass(frozen=True)
class FaultSite:
    """The stack, and the two places at which calls can be tampered with."""

    cluster: Cluster
    app_mesh: FaultProxy
    kubernetes: FaultProxy
    stop_seconds: float
    """How long a stopped part stays so."""

    def strike(self, part: str, how: str, meanwhile: Callable[[], None]) -> None:
        """Let a fault come over a part, and return when it answers again. `meanwhile` runs at the worst moment.

        Args:
            part: a part of the stack.
            how: `killed` (SIGKILL), `stopped` (SIGSTOP, and SIGCONT some seconds later) or `restarted` (politely).
            meanwhile: lets calls go that are held, or cuts them.
        """
        stack = self.cluster.stack
        match how:
            case "killed":
                stack.kill(part)
                meanwhile()
                stack.restart(part)
            case "stopped":
                with self.cluster.frozen(part):
                    meanwhile()
                    time.sleep(self.stop_seconds)  # the fault itself is a length of time
            case "restarted":
                meanwhile()
                stack.restart(part)
            case _:
                raise ValueError(how)

    @contextmanager
    def second(self, part: str) -> Iterator["subprocess.Popen[bytes]"]:
        """Run another worker or watcher beside the stack's own during the block; ends however it can at its end."""
        stack = self.cluster.stack
        plan = Plan.read(stack.layout.plan)
        ports = json.loads(stack.layout.ports.read_text())
        caller = {**os.environ, "APP_MESH_ENDPOINT": self.app_mesh.url}
        site = local_site.Site(stack.layout, ports, plan.binaries, plan.settings.external, caller=caller)
        environment = site.python_environment(site.environment())
        with (stack.layout.logs / f"second-{part}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "cli.main", part], env=environment, stdout=log, stderr=log
            )
        try:
            ready = "working" if part == "worker" else "all kinds listed"
            file = stack.layout.logs / f"second-{part}.log"
            until(file.read_text, lambda text: ready in text, f"a second {part}")
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            process.wait(30)


@contextmanager
def fault_site(directory: Path, stop_seconds: float) -> Iterator[FaultSite]:
    """A stack of its own, with both proxies in place."""
    with ExitStack() as things:
        app_mesh, kubernetes = FaultProxy().start(), FaultProxy(keep_alive=True).start()
        things.callback(app_mesh.close)
        things.callback(kubernetes.close)
        # The first of the names by which the endpoint can be given: it wins over the stack's own address.
        settings = StackSettings(fast=True, environment={"APP_MESH_ENDPOINT": app_mesh.url})
        stack = things.enter_context(LocalStack(directory, settings))
        app_mesh.upstream = stack.environment["AWS_ENDPOINT_URL_APP_MESH"]
        cluster = things.enter_context(clients_of(stack))
        kubernetes.upstream, kubernetes.context = _lead_through(kubernetes.url, stack)
        cluster.kill(*OURS)  # quicker than asking politely; they have nothing to do yet
        yield FaultSite(cluster, app_mesh, kubernetes, stop_seconds)


def _lead_through(url: str, stack: LocalStack) -> tuple[str, ssl.SSLContext]:
    """Have the kubeconfig lead to the proxy; where it led before, and the keys for it.

    The clients of the tests have read it already, and the parts behind the proxy read it when they are restarted.
    """
    kubeconfig = stack.layout.kubeconfig
    content = json.loads(kubeconfig.read_text())
    (found,) = content["clusters"]
    server = found["cluster"]["server"]
    found["cluster"] = {"server": url}
    kubeconfig.write_text(json.dumps(content))
    return server, Credentials(stack.layout.credentials).client_context()
