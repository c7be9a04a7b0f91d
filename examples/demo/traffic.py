"""The example's front and two of its colours as real sidecars, and a load that goes through them."""

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local import ports
from examples.demo.manifests import Example, Manifest
from examples.traffic.load import Load, Target
from examples.traffic.site import Site
from resources.kinds import Kind
from resources.names import virtual_node_api_name
from resources.parsing import parse_virtual_node

FRONT, COLOURS = "front", ("white", "green")
_MEASURED_SECONDS = 2.0
_TOLERANCE = 0.05


def on_this_machine(example: Example) -> Example:
    """The example with nodes that are found here: Services' names do not resolve, and a port is one node's."""
    taken: set[int] = set()

    def moved(resource: Manifest) -> Manifest:
        if resource["kind"] != Kind.VIRTUAL_NODE:
            return resource
        taken.add(port := ports.pick(taken))
        (listener,) = resource["spec"]["listeners"]
        here = {**listener, "portMapping": {**listener["portMapping"], "port": port}}
        found = {"dns": {"hostName": "localhost"}}
        return {**resource, "spec": {**resource["spec"], "listeners": [here], "serviceDiscovery": found}}

    resources = tuple(moved(resource) for resource in example.resources)
    return Example(example.name, example.namespaces, resources, example.canary)


class Traffic:
    """Requests from the front to the service, from `start` to the end of the block."""

    def __init__(self, envoy: Path, directory: Path, xds_address: str, example: Example) -> None:
        self._site = Site(envoy, directory, xds_address, example.mesh)
        self._nodes = {node.metadata.name: node for node in map(parse_virtual_node, example.of_kind(Kind.VIRTUAL_NODE))}
        self._service = str(example.canary["metadata"]["name"])
        self._load: Load | None = None

    def __enter__(self) -> Self:
        self._site.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish()
        self._site.__exit__(kind, error, trace)

    def start(self) -> int:
        """Start sidecars and load; how many sidecars there are, all of them ready."""
        for name in COLOURS:
            node = self._nodes[name]
            self._site.service(virtual_node_api_name(node), node.spec.listeners[0].port_mapping.port, says=name)
        self._site.wait_ready()  # before the front looks whether they are healthy
        egress = self._site.caller(virtual_node_api_name(self._nodes[FRONT]))
        self._site.wait_ready()
        self._load = self._site.load(Target(egress, self._service), pause=0.005)
        return len(self._site.sidecars)

    def measure(self) -> Counter[str]:
        """The answers of the next seconds, by colour."""
        assert self._load is not None, "not started"
        self._load.take()
        time.sleep(_MEASURED_SECONDS)
        return self._load.take()

    @property
    def failures(self) -> list[str]:
        """Why, of each request that failed since the start."""
        return self._load.failures if self._load is not None else []

    def finish(self) -> None:
        """End the load."""
        if self._load is not None:
            self._site.finish(self._load)


def shares(answers: Mapping[str, int]) -> dict[str, float]:
    """The part of each colour, 0 to 1."""
    total = max(1, sum(answers.values()))
    return {name: answers.get(name, 0) / total for name in COLOURS}


def shown(answers: Mapping[str, int]) -> str:
    """`white 90 %, green 10 %`."""
    return ", ".join(f"{name} {share:.0%}".replace("%", " %") for name, share in shares(answers).items())


def fits(answers: Mapping[str, int], wanted: Mapping[str, int]) -> bool:
    """Whether traffic is split as these weights (in percent) say."""
    return all(abs(share - wanted[name] / 100) < _TOLERANCE for name, share in shares(answers).items())
