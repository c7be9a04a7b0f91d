"""Pods as a cluster would have them: network namespaces on one bridge, with their traffic led to an Envoy of their own.

All of it goes with the processes that hold the namespaces; the machine's own namespace has one end of a cable for as
long, so that proxies reach the control plane that runs there.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from injector.proxy_init.kernel import has_ipv6
from injector.sidecar import USER
from tests.dialogue import Dialogue
from tests.namespaces import Namespace, namespace
from tests.waiting import until

ROOT = Path(__file__).parents[2]
NETWORK = "10.213.0."
NETWORK_BY_IPV6 = "fd00:213::"
MACHINE = f"{NETWORK}1"
INSIDE = (sys.executable, "-m", "tests.capture.inside")
MESHWRIGHT = str(Path(sys.executable).parent / "meshwright")
_ENVIRONMENT = {"PYTHONPATH": str(ROOT), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


class Pod:
    """One namespace with an address, and what runs in it until the end."""

    def __init__(self, inside: Namespace, address: str, directory: Path, ending: ExitStack) -> None:
        self.inside = inside
        self.address = address
        self._directory = directory
        self._ending = ending
        self._asker = self._start(*INSIDE, "ask")

    def serve(self, name: str, *ports: int) -> None:
        """Start the application, and wait until it listens."""
        assert self._start(*INSIDE, "serve", name, *map(str, ports)).hear() == "listening"

    def capture(self, tools: str, variables: Mapping[str, str]) -> None:
        """Lead its traffic to a proxy, as the pod's init container does."""
        self.inside.run(MESHWRIGHT, "proxy-init", environment={"PATH": tools, **variables})

    def proxy(self, envoy: Path, bootstrap: Mapping[str, Any]) -> None:
        """Start its Envoy as the user whose traffic is not captured, and wait until it has its configuration."""
        # The user may read the program wherever the one who runs the tests keeps it, and nothing more.
        may = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *may]
        arguments = ["--config-yaml", json.dumps(bootstrap), "--concurrency", "1", "--disable-hot-restart"]
        self._start(*user, "--pdeathsig", "KILL", str(envoy), *arguments)
        ready = "http://127.0.0.1:9901/ready"
        until(lambda: self.ask(ready), lambda answer: answer.get("status") == 200, f"the Envoy of {self.address}")

    def ask(self, url: str, **headers: str) -> dict[str, Any]:
        """What an application here is answered: status, headers and body, or an error.

        A header's name may have `_` for `-`.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return dict(self._asker.ask({"url": url, "headers": named}))

    def told(self, url: str, **headers: str) -> dict[str, Any]:
        """What an application says of a request that it answered: its name, who asked, with which headers."""
        answer = self.ask(url, **headers)
        assert answer.get("status") == 200, answer
        said: dict[str, Any] = json.loads(answer["body"])
        return said

    def counted(self, name: str) -> int:
        """A counter of its Envoy, summed over all whose name ends so."""
        text = self.ask(f"http://127.0.0.1:9901/stats?filter={name}$")["body"]
        return sum(int(line.rpartition(": ")[2]) for line in text.splitlines())

    def load(self, address: str, port: int, host: str) -> "Loaded":
        """Start a load from here."""
        return Loaded(self._start(*INSIDE, "load", address, str(port), host))

    def _start(self, *command: str) -> Dialogue:
        with (self._directory / f"{self.address}.log").open("ab") as log:
            process = self._ending.enter_context(
                subprocess.Popen(
                    self.inside.command(*command),
                    env=_ENVIRONMENT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
            )
        self._ending.callback(process.kill)
        return Dialogue(process)


class Loaded:
    """A load that runs."""

    def __init__(self, told: Dialogue) -> None:
        self._told = told

    def answers(self) -> dict[str, int]:
        """The good answers since the last time, by what they said."""
        return dict(self._told.ask("more"))

    def failures(self) -> list[str]:
        """End it: what failed from the beginning."""
        return list(self._told.end())


@contextmanager
def pods(directory: Path, hosts: Mapping[str, str], *numbers: int) -> Iterator[list[Pod]]:
    """Pods with these last numbers in their addresses, on one network; `hosts`: the names that all of them know."""
    names = directory / "hosts"
    names.write_text("127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in hosts.items()))
    with ExitStack() as stack:
        hub = stack.enter_context(namespace())
        hub.run("ip", "link", "add", "bridge", "type", "bridge")
        hub.run("ip", "link", "set", "bridge", "up")
        machine, end = Namespace.machine(), f"mw-test-{hub.pid}"
        _cable(hub, machine, end, MACHINE)
        # It would go with the hub, but later: the next town's would have to share its address for a moment.
        stack.callback(machine.run, "ip", "link", "delete", end)
        made = []
        for number in numbers:
            inside, address = stack.enter_context(namespace()), f"{NETWORK}{number}"
            _cable(hub, inside, "eth0", address)
            inside.run("ip", "route", "add", "default", "via", MACHINE)
            if has_ipv6():
                inside.run("ip", "address", "add", f"{NETWORK_BY_IPV6}{number}/64", "dev", "eth0", "nodad")
            inside.run("mount", "--bind", str(names), "/etc/hosts")
            made.append(Pod(inside, address, directory, stack))
        yield made


def _cable(hub: Namespace, other: Namespace, name: str, address: str) -> None:
    """Connect a namespace with the bridge; its end has this name and address."""
    end = f"to-{address.rpartition('.')[2]}"
    hub.run("ip", "link", "add", end, "type", "veth", "peer", "name", name, "netns", str(other.pid))
    hub.run("ip", "link", "set", end, "master", "bridge", "up")
    other.run("ip", "address", "add", f"{address}/24", "dev", name)
    other.run("ip", "link", "set", name, "up")
