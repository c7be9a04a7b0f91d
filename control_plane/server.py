"""The control plane as one process: configuration in, a served port out."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Literal

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from control_plane.api import change_feed
from control_plane.api.access import Keys
from control_plane.api.arns import ArnFormat
from control_plane.api.bell import Bell
from control_plane.api.change_feed import ChangeFeed
from control_plane.api.dispatch import Dispatcher
from control_plane.api.endpoint import Answered, ApiEndpoint
from control_plane.api.extension import Extension
from control_plane.api.metrics import ApiMetrics
from control_plane.api.quotas import Quotas
from control_plane.api.service_model import URI_PREFIX
from control_plane.api.session import Installation
from control_plane.api.shown import Shown
from control_plane.bounded_http import BoundedHttp
from control_plane.store.database import Database
from control_plane.tls import ServerTls
from control_plane.xds import standing_feed, status
from control_plane.xds.data_plane import DataPlane, DataPlaneConfig

log = structlog.get_logger("control_plane")

PAUSE_SECONDS = 1.0
"""Before what has ended by itself is begun again."""


class UnusableConfiguration(ValueError):
    """The control plane cannot run with this; the message names the setting."""


@dataclass(frozen=True)
class Tls:
    """Files; each is read again when it changes."""

    certificate: Path
    key: Path
    client_ca: Path | None = None
    """Whose certificates clients must show; None: they need none."""


@dataclass(frozen=True)
class ControlPlaneConfig:
    """All that the control plane needs to know."""

    listen: str  # HOST:PORT; port 0 picks a free one
    database_url: str
    keys: Keys  # who may sign requests
    account_id: str = "000000000000"
    region: str = "us-west-2"
    quotas: Quotas = field(default_factory=Quotas)
    data_plane: DataPlaneConfig | None = None  # None: no proxies are served
    tls: Tls | None = None  # None: without TLS
    metrics_listen: str | None = None  # HOST:PORT of the unsigned paths alone, without TLS; None: nowhere else
    answered: Answered | None = None  # told of each request, for traces


def create_app(config: ControlPlaneConfig) -> Starlette:
    """The application; opens the database and migrates it.

    Beside the API there are the change feed and, where proxies are served, who of them is connected and how far they
    are, signed like it; and three unsigned paths for whoever runs the process: `/healthz` (it is alive), `/readyz` (it
    is worth asking) and `/metrics`.

    Where proxies are served, ready is who has read the state once, as long as what serves them has no fault. They are
    then served from memory, whatever becomes of the database; were it asked for, its outage would make all replicas
    unready at once, and every new pod would find nobody at the address of their Service. The API says by itself, with
    503, that it has no database.

    Raises:
        StoreError: the database cannot be used.
    """
    database = Database(config.database_url)
    metrics = ApiMetrics()
    threads = ThreadPoolExecutor(database.concurrency, thread_name_prefix="operation")
    installation = Installation(config.account_id, ArnFormat(config.region, config.account_id), config.quotas)
    bell = Bell()
    shown = None if database.shared else Shown(database.glance)
    api = ApiEndpoint(Dispatcher(database, installation), config.keys, metrics, threads, bell, config.answered, shown)
    feed = ChangeFeed(database, metrics, threads, bell)
    data_plane = None
    if config.data_plane is not None:
        data_plane = DataPlane(config.data_plane, database, bell, threads, metrics.registry)

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        if data_plane is not None and data_plane.fault is not None:
            return PlainTextResponse("the data plane has stopped\n", 503)
        if data_plane is not None:
            loaded = data_plane.loaded
            return PlainTextResponse("ok\n") if loaded else PlainTextResponse("the database was not read yet\n", 503)
        ready = await asyncio.get_running_loop().run_in_executor(threads, database.answers)
        return PlainTextResponse("ok\n") if ready else PlainTextResponse("the database does not answer\n", 503)

    async def scrape(_request: Request) -> Response:
        return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

    unsigned = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", scrape)]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as running:
            if config.metrics_listen is not None:
                await running.enter_async_context(serving_aside(Starlette(routes=unsigned), config.metrics_listen))
            if data_plane is not None:
                await running.enter_async_context(data_plane.running())
            yield
        threads.shutdown()
        database.close()

    routes = [
        Mount(f"/{URI_PREFIX}", api),  # first, as nearly all requests go there
        Route(change_feed.PATH, Extension(config.keys, feed.answer, metrics.count_feed)),
        *unsigned,
    ]
    if data_plane is not None:
        routes.append(Route(status.PATH, Extension(config.keys, data_plane.proxies)))
        routes.append(Route(standing_feed.PATH, Extension(config.keys, data_plane.standing.answer)))
    routes.append(Mount("/", api))  # any other URL gets an answer in App Mesh's form
    app = Starlette(routes=routes, lifespan=lifespan)
    app.state.bell = bell
    app.state.data_plane = data_plane
    return app


def serve(config: ControlPlaneConfig, *, ready: Callable[[str], None] = lambda _url: None) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are answered first. `ready` is told the URL.

    A fault of the data plane itself ends the process too, with exit code 1, so that it is started afresh.

    Raises:
        UnusableConfiguration: the address is not one, or is taken.
        StoreError: the database cannot be used.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stopped)
    tls = server_tls(config.tls)
    with listen(config.listen) as listener:
        if config.data_plane is not None:
            listen(config.data_plane.ads.listen).close()  # gRPC would say less of what is wrong
        if config.metrics_listen is not None:
            listen(config.metrics_listen).close()  # the application would say it late
        app = create_app(config)
        host, port = listener.getsockname()[:2]
        scheme = "http" if tls is None else "https"
        url = f"{scheme}://[{host}]:{port}" if listener.family == socket.AF_INET6 else f"{scheme}://{host}:{port}"
        log.info("listening", url=url, account_id=config.account_id, region=config.region)
        ready(url)
        server = Server(app, tls)
        server.run(sockets=[listener])
        if server.failed:
            raise SystemExit(1)  # what failed was logged where it did


def server_tls(files: Tls | None) -> ServerTls | None:
    """TLS from these files, as they are at each handshake.

    Raises:
        UnusableConfiguration: one cannot be read, or they do not belong together.
    """
    if files is None:
        return None
    try:
        return ServerTls(files.certificate, files.key, files.client_ca)
    except (OSError, ValueError) as error:
        raise UnusableConfiguration(f"certificate {files.certificate}: {error}") from error


@asynccontextmanager
async def serving_aside(app: Starlette, address: str) -> AsyncIterator[None]:
    """Serve a small application beside the main one, for as long as the block lasts; its signals are the main one's."""
    stopping = asyncio.Event()
    task = asyncio.create_task(_serve_aside(app, listen(address), stopping))
    try:
        yield
    finally:
        stopping.set()
        await task


async def _serve_aside(app: Starlette, listener: socket.socket, stopping: asyncio.Event) -> None:
    """Where serving ends by itself it is told, and begun again: what it is beside is worth more, and goes on."""
    host, port = listener.getsockname()[:2]
    stop = asyncio.create_task(stopping.wait())
    with listener:
        while not stopping.is_set():
            server = uvicorn.Server(uvicorn_config(app, lifespan="off"))
            server.capture_signals = nullcontext  # type: ignore[method-assign, assignment]
            with listener.dup() as given:  # uvicorn closes it, except where it fails
                serving = asyncio.create_task(server.serve(sockets=[given]))
                await asyncio.wait({serving, stop}, return_when=asyncio.FIRST_COMPLETED)
                server.should_exit = True
                [fault] = await asyncio.gather(serving, return_exceptions=True)
                for each in getattr(server, "servers", ()):  # it has none before it began
                    each.close()
            if fault is not None or not stopping.is_set():
                log.error("serving metrics has ended, and is begun again", host=host, port=port, exc_info=fault)
                await asyncio.wait({stop}, timeout=PAUSE_SECONDS)


class Server(uvicorn.Server):
    """Serves the application; those who wait for a change are answered when it has to stop.

    It stops by itself when the data plane cannot go on.
    """

    def __init__(self, app: Starlette, tls: ServerTls | None = None) -> None:
        config = uvicorn_config(app)
        if tls is not None:
            config.load()
            config.ssl = tls.context
        super().__init__(config)
        self._bell: Bell = app.state.bell
        self._data_plane: DataPlane | None = app.state.data_plane

    @property
    def failed(self) -> bool:
        """Whether the data plane could not go on."""
        return self._data_plane is not None and self._data_plane.fault is not None

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop; uvicorn asks ten times a second."""
        return await super().on_tick(counter) or self.failed

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop taking requests and finish those under way."""
        self._bell.close()
        await super().shutdown(sockets)


def _stopped(_number: int, _frame: FrameType | None) -> None:
    """End with exit code 0: before uvicorn serves, or after, when it hands on the signal that it has obeyed."""
    raise SystemExit(0)


def uvicorn_config(app: Starlette, *, lifespan: Literal["auto", "off"] = "auto") -> uvicorn.Config:
    """How we serve: fast parser with bounds, no second access log, a bound on how long a shutdown waits."""
    return uvicorn.Config(
        app,
        http=BoundedHttp,
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        lifespan=lifespan,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=20,
    )


def listen(address: str) -> socket.socket:
    """A listening socket at HOST:PORT.

    Raises:
        UnusableConfiguration: the address is not one, or is taken.
    """
    host, separator, port = address.rpartition(":")
    if not separator or not port.isdigit():
        raise UnusableConfiguration(f"listen address {address!r}: expected HOST:PORT")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family, backlog=1024)
    except (OSError, OverflowError) as error:
        raise UnusableConfiguration(f"listen address {address}: {error}") from error
