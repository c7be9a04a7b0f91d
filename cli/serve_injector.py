"""The injector process."""

import asyncio
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import structlog

from activities.resource_api import ClusterApi, ResourceApi
from cli.addresses import host_and_port
from cli.health import HealthServer
from cli.injected import configuration
from cli.kubernetes_client import kubernetes
from cli.settings import Settings, SettingsError
from cli.signals import Stopped, stop_requested, unless
from control_plane.tls import ServerTls
from injector.directory import Directory
from injector.endpoint import create_app
from injector.events import EventReporter
from injector.keeper import CertificateKeeper, Place
from injector.metrics import CERTIFICATE_EXPIRY
from injector.server import Server
from injector.watch import DirectoryWatch
from resources.kinds import Kind
from watcher import stream
from watcher.patience import until_answered
from watcher.stream import ResourceStream

log = structlog.get_logger(__name__)

_FIRST_WITH_SIDECARS = (1, 29)
"""The Kubernetes version in which sidecar containers are there without asking for them."""


async def serve(settings: Settings) -> None:
    """Run until asked to stop; a fault of the injector itself ends the process, so that it is started afresh."""
    with suppress(Stopped):
        await _serve(settings, stop_requested())


async def _serve(settings: Settings, stopping: asyncio.Event) -> None:
    kubernetes_client = await unless(stopping, kubernetes())
    api = ClusterApi(kubernetes_client)
    directory = Directory()
    watch = DirectoryWatch(ResourceStream(kubernetes_client, Kind.VIRTUAL_NODE), directory)
    events = EventReporter(api)
    server: Server | None = None
    health = HealthServer(
        settings.metrics_listen, lambda: server is not None and server.listening.is_set(), (stream.REGISTRY,)
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(kubernetes_client.close)
        stop = asyncio.create_task(stopping.wait())
        await health.start()
        stack.push_async_callback(health.stop)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="meshwright-injector-")))
        working: list[asyncio.Task[None]] = [asyncio.create_task(watch.run()), asyncio.create_task(events.run())]
        starting = asyncio.create_task(_start(settings, api, directory, watch, events, folder))
        await asyncio.wait({starting, stop, *working}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            server, keeping = starting.result()
            working += keeping
            serving = asyncio.create_task(server.serve())
            await asyncio.wait({serving, stop, *working}, return_when=asyncio.FIRST_COMPLETED)
            server.stop()
            await serving
        for task in working:
            if task.done():
                task.result()
        log.info("stopping")
        for each in (starting, stop, *working):
            each.cancel()
        await asyncio.gather(starting, stop, *working, return_exceptions=True)


async def _start(
    settings: Settings,
    api: ResourceApi,
    directory: Directory,
    watch: DirectoryWatch,
    events: EventReporter,
    folder: Path,
) -> tuple[Server, list[asyncio.Task[None]]]:
    """A server that can judge, and what keeps its certificate good; waits for what it needs to know."""
    native = settings.inject_native == "on"
    if settings.inject_native == "auto":
        version = await until_answered(lambda: api.request("GET", "/version"), "the cluster's version is not known yet")
        native = knows_sidecars(version)
    made = configuration(settings, native)
    keeping: list[asyncio.Task[None]] = []
    certificate, key = settings.injector_certificate_file, settings.injector_key_file
    if certificate is None or key is None:
        service, _, namespace = settings.injector_service.partition(".")
        keeper = CertificateKeeper(api, Place(namespace, service, settings.injector_webhook), folder)
        await until_answered(keeper.look, "there is no certificate yet")
        keeping.append(asyncio.create_task(keeper.run()))
        certificate, key = keeper.certificate, keeper.key
    try:
        tls = ServerTls(certificate, key, expires=CERTIFICATE_EXPIRY.set)
    except OSError as error:
        raise SettingsError(f"setting injector_certificate_file or injector_key_file: {error}") from error
    await watch.listed.wait()
    host, port = host_and_port("injector_listen", settings.injector_listen)
    log.info("listening", host=host, port=port, native=native, virtual_nodes=len(directory))
    return Server(create_app(made, directory, events.tell), host, port, tls), keeping


def knows_sidecars(version: Mapping[str, str]) -> bool:
    """Whether a cluster of this version has sidecar containers; `minor` may have a `+` at its end."""
    numbers = (version.get("major", ""), version.get("minor", "").rstrip("+"))
    return all(map(str.isdecimal, numbers)) and tuple(map(int, numbers)) >= _FIRST_WITH_SIDECARS
