"""Reads a service's routing as fast as it can, and says whether it was ever anything but complete.

A routing is read in several calls, so it may change in between. A reading only counts when the service is the same
object in the same version before and after, and no route vanished while it was read: then that routing was what the
service resolved to at some moment.
"""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.e2e.app_mesh import AppMesh
from tests.waiting import until

Routing = str
"""Listeners and routes, as JSON: equal when they are."""

ABSENT: Routing = "no service"
HOLE: Routing = "a service that points at a router that does not exist"

_UNSURE = None


class Sampler:
    """Watches the routings of some services of a mesh, in a thread of its own."""

    def __init__(self, environment: Mapping[str, str], mesh: str, services: Iterable[str]) -> None:
        self._app_mesh = AppMesh(environment, patience=2)
        self._mesh = mesh
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self.seen: dict[str, list[Routing]] = {service: [] for service in services}
        """The routings of each service, each time that it was another one than before."""
        self.samples = 0
        self.failure: BaseException | None = None

    @contextmanager
    def running(self) -> Iterator["Sampler"]:
        """Sample during the block, which begins when each service has been read once."""
        self._thread.start()
        try:
            until(lambda: all(self.seen.values()), what="a first reading of each service")
            yield self
        finally:
            self._stop.set()
            self._thread.join(60)
            self._app_mesh.close()
            if self.failure is not None:
                raise self.failure

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                for service, seen in self.seen.items():
                    routing = self._try_to_read(service)
                    if routing is _UNSURE:
                        continue
                    self.samples += 1
                    if not seen or seen[-1] != routing:
                        seen.append(routing)
        except BaseException as error:
            self.failure = error

    def _try_to_read(self, service: str) -> Routing | None:
        try:
            return routing_of(self._app_mesh.api, self._mesh, service)
        except (ClientError, BotoCoreError):  # the API is away: nobody is told anything
            return _UNSURE


def routing_of(api: Any, mesh: str, service: str) -> Routing | None:
    """What a service resolves to, or None when it changed while it was read."""
    before = _service(api, mesh, service)
    if before is None:
        return ABSENT
    routing = _routing(api, mesh, before["spec"]["provider"]["virtualRouter"]["virtualRouterName"])
    after = _service(api, mesh, service)
    same = after is not None and after["metadata"]["uid"] == before["metadata"]["uid"]
    if after is None or not same or after["metadata"]["version"] != before["metadata"]["version"]:
        return _UNSURE
    return routing


def _service(api: Any, mesh: str, service: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = api.describe_virtual_service(meshName=mesh, virtualServiceName=service)
    except api.exceptions.NotFoundException:
        return None
    return found["virtualService"]  # type: ignore[no-any-return]


def _routing(api: Any, mesh: str, router: str) -> Routing | None:
    of = {"meshName": mesh, "virtualRouterName": router}
    try:
        spec = api.describe_virtual_router(**of)["virtualRouter"]["spec"]
        names = sorted(found["routeName"] for found in api.list_routes(**of)["routes"])
    except api.exceptions.NotFoundException:
        return HOLE
    try:
        routes = {name: api.describe_route(**of, routeName=name)["route"]["spec"] for name in names}
    except api.exceptions.NotFoundException:
        return _UNSURE
    return json.dumps({"listeners": spec.get("listeners"), "routes": routes}, sort_keys=True)
