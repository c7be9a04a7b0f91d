"""Changes of a town, one after the other, each with a way to see in traffic or at Envoy that it has taken effect."""

from collections.abc import Callable, Iterator
from itertools import count, cycle

from tests.builders import Manifest, http_route, listener
from tests.traffic.town import Town
from tests.waiting import until

Change = Callable[[], None]


class Changes:
    """The mesh's desired state, and what is done to it. Every change waits until it is what Envoy does."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._numbers = count()
        self._colours = cycle(["green", "red"])

    def each(self) -> Iterator[Change]:
        """Changes without end, of every sort by turns."""
        sorts = (
            self.weights,
            self.swap,
            self.weights,
            self.node_comes,
            self.router_port,
            self.weights,
            self.health_check,
            self.access_log,
        )
        while True:
            yield from (*sorts, self.node_goes)

    def weights(self) -> None:
        """All traffic goes to the other colour: one route changes in place."""
        colour = next(self._colours)
        self._apply(self._service(colour))
        self._town.wait_says(colour)

    def swap(self) -> None:
        """Two routes come and the last one changes: a new router, and the service turned to it."""
        number, colour = next(self._numbers), next(self._colours)
        paths = [http_route(f"{name}-{number}", {name: 1}, prefix=f"/{name}/{number}") for name in ("red", "green")]
        self._apply(self._service(colour, *paths))
        self._town.wait_says("red", f"/red/{number}")
        self._town.wait_says("green", f"/green/{number}")
        self._town.wait_says(colour)

    def node_comes(self) -> None:
        """A third colour appears, and takes the traffic once its sidecar is ready."""
        town = self._town
        self._apply(town.node("blue"))
        town.start("blue")
        town.site.sidecars[town.api_name("blue")].wait_ready()
        self._apply(self._service("blue"))
        town.wait_says("blue")

    def node_goes(self) -> None:
        """The third colour gives the traffic back, and goes."""
        town, colour = self._town, next(self._colours)
        self._apply(self._service(colour))
        town.wait_says(colour)
        town.cluster.kubernetes.delete(town.node("blue"))
        town.cluster.wait_let_go(town.node("blue"))
        town.stop("blue")

    def router_port(self) -> None:
        """The service's router listens elsewhere, and goes by another name: a new router, again."""
        number, colour = next(self._numbers), next(self._colours)
        router = {"name": f"router-{number}", "listeners": [listener(8000 + number)]}
        self._apply(self._town.service({colour: 1}, virtualRouter=router))
        self._town.wait_says(colour)

    def access_log(self) -> None:
        """A colour's own listener changes: its sidecar writes another access log."""
        number, town = next(self._numbers), self._town
        path = str(town.site.directory / f"access-{number}.log")
        self._apply(town.node("red", logging={"accessLog": {"file": {"path": path}}}))
        red = town.site.sidecars[town.api_name("red")]
        until(lambda: path in str(red.config_dump()), what=f"the sidecar to write {path}")

    def wait_forgotten(self, node: str) -> None:
        """Wait until the front has nothing left of a node: it goes some time after nothing names it any more."""
        front, name = self._town.site.sidecars[self._town.api_name("front")], self._town.api_name(node)
        until(lambda: name in str(front.config_dump()), lambda there: not there, f"the front to forget {node}")

    def health_check(self) -> None:
        """How callers check a colour changes: their cluster for it, and with that its endpoints, are made anew."""
        town, seconds = self._town, 5 + next(self._numbers)
        check = {"protocol": "http", "path": "/", "intervalMillis": seconds * 1000, "timeoutMillis": 2000}
        checked = listener(town.ports["green"], healthCheck=check | {"healthyThreshold": 2, "unhealthyThreshold": 2})
        self._apply(town.node("green", listeners=[checked]))
        front = town.site.sidecars[town.api_name("front")]
        until(lambda: f"'interval': '{seconds}s'" in str(front.config_dump()), what=f"a check each {seconds} s")

    def _service(self, colour: str, *routes: dict[str, object]) -> Manifest:
        return self._town.service({colour: 1}, *routes)

    def _apply(self, manifest: Manifest) -> None:
        self._town.cluster.kubernetes.apply(manifest)
