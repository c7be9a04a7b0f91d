"""The small HTTP server of worker and watcher: `/healthz` for probes, `/metrics` for Prometheus."""

from collections.abc import Awaitable, Callable, Sequence

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from cli.addresses import host_and_port

log = structlog.get_logger(__name__)


def serves(listen: str) -> bool:
    """Whether anybody asked for this server: port 0 means no."""
    return host_and_port("metrics_listen", listen)[1] != 0


class HealthServer:
    """Serves while the process lives; healthy says whether the process does its work."""

    def __init__(
        self,
        listen: str,
        healthy: Callable[[], bool],
        registries: Sequence[CollectorRegistry] = (),
        further: Callable[[], Awaitable[bytes]] | None = None,
    ) -> None:
        """Make one.

        Args:
            listen: HOST:PORT; port 0 for none.
            healthy: whether the process does its work.
            registries: whose metrics are told beside those of the process's own registry.
            further: metrics that are in no registry, in Prometheus's format.
        """
        self._host, self._port = host_and_port("metrics_listen", listen)
        self._healthy = healthy
        self._registries = (REGISTRY, *registries)
        self._further = further
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Bind; port 0 means that nobody asked for this server."""
        if self._port == 0:
            return
        app = web.Application()
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        log.info("serving metrics", host=self._host, port=self._port)

    async def stop(self) -> None:
        """Close the socket."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _health(self, _request: web.Request) -> web.Response:
        healthy = self._healthy()
        return web.Response(text="ok\n" if healthy else "not ready\n", status=200 if healthy else 503)

    async def _metrics(self, _request: web.Request) -> web.Response:
        known = b"".join(map(generate_latest, self._registries))
        further = await self._further() if self._further is not None else b""
        return web.Response(body=known + further, headers={"Content-Type": CONTENT_TYPE_LATEST})
