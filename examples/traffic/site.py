"""A small site on this machine: services with their sidecars, and callers that reach them through a sidecar of theirs.

Services, callers and loads live on an event loop in a thread of their own, so that whoever plays a story may block.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from control_plane.xds.bootstrap import bootstrap
from control_plane.xds.proxies import ProxyId
from deploy.local import ports
from examples.traffic.http import Message
from examples.traffic.load import Load, Target, ask
from examples.traffic.service import Answer, Service
from examples.traffic.sidecar import Sidecar

T = TypeVar("T")


class Site:
    """Everything that it started ends with it."""

    def __init__(self, envoy: Path, directory: Path, xds_address: str, mesh: str, *, delta: bool = True) -> None:
        self.sidecars: dict[str, Sidecar] = {}
        self.directory = directory
        self._envoy = envoy
        self._xds_address = xds_address
        self._mesh = mesh
        self._delta = delta
        self._ports: set[int] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="site")
        self._ending = ExitStack()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._ending.close()
        finally:
            self._run(_cancel_all())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def port(self) -> int:
        """A free port that was not handed out before."""
        self._ports.add(port := ports.pick(self._ports))
        return port

    def service(
        self, name: str, port: int, behave: Callable[[Message], Answer | None] = lambda _request: None, says: str = ""
    ) -> Service:
        """A node with this port: its service, on a port of its own, and its sidecar."""
        service = Service(says or name, self.port(), behave)
        self._run(service.start())
        self._ending.callback(lambda: self._run(service.stop()))
        self.sidecar(name, applicationPorts={str(port): service.port}, ingressAddress="127.0.0.1")
        return service

    def caller(self, name: str) -> int:
        """A node that only calls others: where its sidecar takes what is for the mesh."""
        port = self.port()
        self.sidecar(name, egressPort=port)
        return port

    def sidecar(self, name: str, kind: str = "virtualNode", **options: Any) -> Sidecar:
        """Start the Envoy of a node."""
        options.setdefault("egressPort", self.port())
        document = bootstrap(
            ProxyId(self._mesh, kind, name),
            self._xds_address,
            metadata={"meshwright": {"capture": False, **options}},
            admin_port=0,
            delta=self._delta,
        )
        made = Sidecar(self._envoy, self.directory / name, document)
        made.start()
        self._ending.callback(made.stop)
        self.sidecars[name] = made
        return made

    def wait_ready(self) -> None:
        """Wait until every sidecar has its configuration."""
        for sidecar in self.sidecars.values():
            sidecar.wait_ready()

    def remove(self, name: str) -> None:
        """End a sidecar."""
        self.sidecars.pop(name).stop()

    def load(self, target: Target, **shape: Any) -> Load:
        """Begin a load; `finish` ends it."""

        async def begin() -> Load:
            load = Load(target, **shape)
            load.start()
            return load

        return self._run(begin())

    def finish(self, load: Load) -> None:
        """End a load, and wait for the requests under way."""
        self._run(load.finish())

    def ask(self, target: Target) -> Message:
        """One request."""
        return self._run(ask(target))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
