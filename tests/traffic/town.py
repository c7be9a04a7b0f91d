"""A mesh whose nodes run: a front that calls the service `color`, and the colours that answer with their names."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from examples.traffic.http import Message
from examples.traffic.load import Load, Target
from examples.traffic.service import Answer, Service
from examples.traffic.site import Site
from tests.builders import Manifest, http_route, listener
from tests.e2e.cluster import Cluster
from tests.e2e.world import World
from tests.waiting import until

SERVICE = "color"


class Town:
    """Manifests that suit one machine, and the processes that belong to them."""

    def __init__(self, cluster: Cluster, world: World, site: Site) -> None:
        self.cluster = cluster
        self.world = world
        self.site = site
        self.ports: dict[str, int] = {}
        self.services: dict[str, Service] = {}
        self.egress = 0

    def node(self, name: str, **spec: Any) -> Manifest:
        """A colour's node: found on this machine, at a port of its own."""
        port = self.ports.setdefault(name, self.site.port())
        found = {"dns": {"hostName": "localhost"}}
        return self.world.node(name, **{"listeners": [listener(port)], "serviceDiscovery": found} | spec)

    def front(self, *services: str) -> Manifest:
        """The node that calls, and that nobody calls."""
        backends = [{"virtualService": {"virtualServiceName": self.world.host(name)}} for name in services or [SERVICE]]
        return self.world.node("front", listeners=None, serviceDiscovery=None, backends=backends)

    def service(self, targets: Mapping[str, int] | None = None, *routes: dict[str, Any], **spec: Any) -> Manifest:
        """The service: everything to these targets, after routes that come first."""
        ordered = [*routes, *([http_route("all", targets)] if targets else [])]
        return self.world.service(SERVICE, ordered, **spec)

    def open(self, *manifests: Manifest, colours: tuple[str, ...] = ("red", "green"), **behave: Any) -> None:
        """Apply the front, the colours and these; start all of them, and wait until every sidecar is ready."""
        nodes = [self.node(name) for name in colours]
        self.cluster.converge(self.world.mesh(), *nodes, *manifests, self.front())
        for name in colours:
            self.start(name, behave.get(name, lambda _request: None))
        self.egress = self.site.caller(self.api_name("front"))
        self.site.wait_ready()

    def start(self, name: str, behave: Callable[[Message], Answer | None] = lambda _request: None) -> None:
        """Start a colour and its sidecar."""
        self.services[name] = self.site.service(self.api_name(name), self.ports[name], behave, says=name)

    def stop(self, name: str) -> None:
        """End a colour and its sidecar."""
        self.site.remove(self.api_name(name))

    def api_name(self, node: str) -> str:
        """What App Mesh calls a node."""
        return f"{node}-{self.world.name}"

    def target(self, path: str = "/", method: str = "GET", **headers: str) -> Target:
        """A request of the front to the service."""
        named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        return Target(self.egress, self.world.host(SERVICE), path, method, named)

    def ask(self, path: str = "/", method: str = "GET", **headers: str) -> str:
        """What the service says: a colour, or the status when it is no good one."""
        answer = self.site.ask(self.target(path, method, **headers))
        status = answer.start.split(" ")[1]
        return answer.body.decode() if status == "200" else status

    def wait_says(self, colour: str, path: str = "/", **headers: str) -> None:
        """Wait until the service says this."""
        until(
            partial(self.ask, path, **headers),
            lambda said: said == colour,
            f"{path} to be answered by {colour}",
            every=0.01,
        )

    @contextmanager
    def loaded(self, **shape: Any) -> Iterator[Load]:
        """A load on the service inside the block."""
        load = self.site.load(self.target(), **shape)
        try:
            yield load
        finally:
            self.site.finish(load)
