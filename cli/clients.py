"""The real clients: Temporal, Kubernetes, App Mesh, Cloud Map.

Only commands call this; the rooms are given what it returns.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from typing import Any

import aiohttp
import structlog
from temporalio.client import Client, Interceptor
from temporalio.envconfig import ClientConfig
from temporalio.runtime import Runtime
from temporalio.service import GrpcCompression

from activities import metrics
from cli.app_mesh_tls import ClientTls, for_botocore
from cli.converter import converter_for
from cli.kubernetes_client import kubernetes as kubernetes
from cli.settings import Settings, SettingsError
from cli.signing import APP_MESH, signer
from watcher.data_plane import DataPlaneWatch, StandingFeed
from watcher.drift import DriftWatch, NoFeed, Sweeping
from watcher.feed import ChangeFeed, Sign
from watcher.listing import Listing
from watcher.poke import Workflows
from watcher.proxies import Proxies
from watcher.watcher import Watcher

log = structlog.get_logger(__name__)

CLOUD_MAP = "servicediscovery"
SERVICES = (APP_MESH, CLOUD_MAP)
"""As botocore calls them."""
FILES_SECONDS = 30
"""How often certificates are looked at, where nothing is asked at each connection."""
ANSWER_SECONDS = 10
"""How long a command waits for Temporal."""


async def temporal(
    settings: Settings, runtime: Runtime | None = None, interceptors: Sequence[Interceptor] = ()
) -> Client:
    """A Temporal client; waits as long as the server does not answer. `runtime` is where its SDK counts."""
    delay = 0.2
    while True:
        try:
            return await _connected(settings, runtime, interceptors)
        except RuntimeError as error:
            log.warning("no answer from Temporal", address=settings.temporal_address, error=str(error)[:200])
            await asyncio.sleep(delay)
            delay = min(delay * 2, 5)


async def temporal_now(settings: Settings) -> Client:
    """A Temporal client, for a command that somebody waits for.

    Raises:
        SettingsError: the server does not answer.
    """
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await _connected(settings)
    except (RuntimeError, TimeoutError) as error:
        raise SettingsError(f"no answer from Temporal at {settings.temporal_address} (TEMPORAL_ADDRESS)") from error


async def _connected(
    settings: Settings, runtime: Runtime | None = None, interceptors: Sequence[Interceptor] = ()
) -> Client:
    """TLS, API key and the rest come from the environment and the configuration file of Temporal's own tools.

    Raises:
        SettingsError: these cannot be used.
        RuntimeError: the server does not answer, or does not let us in.
    """
    try:
        connect = ClientConfig.load_client_connect_config()
    except (OSError, ValueError, RuntimeError) as error:
        raise SettingsError(f"Temporal's own settings (TEMPORAL_... or its configuration file): {error}") from error
    connect["target_host"] = settings.temporal_address
    connect["namespace"] = settings.temporal_namespace
    converter = converter_for(settings)
    try:
        # Uncompressed: messages are small, and the compression cost more than it saved (measured on one machine).
        return await Client.connect(
            **connect,
            data_converter=converter,
            grpc_compression=GrpcCompression.NONE,
            runtime=runtime,
            interceptors=interceptors,
        )
    except ValueError as error:
        raise SettingsError(f"setting temporal_address (TEMPORAL_ADDRESS): {error}") from error


def caller(settings: Settings) -> str:
    """What we call ourselves to the App Mesh API: how its change feed tells our writes from everybody else's."""
    return f"meshwright/{settings.cluster}"


def app_mesh(settings: Settings) -> Any:
    """A boto3 `appmesh` client, to be shared by all threads.

    The endpoint must be given: without one boto3 would call AWS, where the service no longer exists. Long waiting is
    Temporal's business, so the client itself gives up early.

    Raises:
        SettingsError: no endpoint, or one that cannot be used, or AWS's own settings cannot.
    """
    if settings.app_mesh_endpoint is None:
        raise SettingsError("app_mesh_endpoint is not set; set AWS_ENDPOINT_URL_APP_MESH to the App Mesh API's URL")
    return _boto(APP_MESH, settings.app_mesh_endpoint, settings, **for_botocore(settings))


def cloud_map(settings: Settings) -> Any:
    """A boto3 `servicediscovery` client, to be shared by all threads; without an endpoint it is AWS's own.

    Raises:
        SettingsError: AWS's own settings cannot be used.
    """
    return _boto(CLOUD_MAP, settings.cloud_map_endpoint, settings)


def _boto(
    service: str,
    endpoint: str | None,
    settings: Settings,
    verify: bool | str | None = None,
    client_cert: tuple[str, str] | None = None,
) -> Any:
    from botocore.config import Config

    config = Config(
        connect_timeout=3,
        read_timeout=10,
        max_pool_connections=settings.worker_threads,
        retries={"mode": "standard", "total_max_attempts": 1},
        tcp_keepalive=True,
        user_agent_extra=caller(settings),
        client_cert=client_cert,
    )
    with _aws_settings():
        client = _session().client(
            service, endpoint_url=endpoint, region_name=settings.app_mesh_region, verify=verify, config=config
        )
    metrics.watch(client, service)
    return client


@contextmanager
def _aws_settings() -> Iterator[None]:
    """Says whose settings they are that botocore stumbles over: a profile that is not there, a region that is none."""
    from botocore.exceptions import BotoCoreError

    try:
        yield
    except (BotoCoreError, ValueError) as error:
        raise SettingsError(f"AWS's own settings (AWS_... or its configuration files): {error}") from error


@asynccontextmanager
async def app_mesh_session(settings: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP session for what lies beside the operations of the App Mesh API; certificates are followed.

    Raises:
        SettingsError: a certificate cannot be used.
    """
    tls = ClientTls(settings)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls.context)) as session:
        following = asyncio.create_task(_follow(tls))
        try:
            yield session
        finally:
            following.cancel()


async def _follow(tls: ClientTls) -> None:
    while True:
        await asyncio.sleep(FILES_SECONDS)
        try:
            if tls.renew():
                log.info("certificates for the App Mesh API read again")
        except OSError as error:
            log.warning("the certificates for the App Mesh API cannot be read again", error=str(error))


def _session() -> Any:
    """A boto3 session. Imported here, so that processes which only sign requests do without boto3."""
    import boto3
    from botocore.session import get_session

    session = get_session()
    session.register_component("data_loader", _service_models())
    return boto3.Session(botocore_session=session)


@cache
def _service_models() -> Any:
    """What botocore knows of AWS. One for all clients: each would read it for itself.

    It knows the hosts of every service in every region, which takes seven megabytes, of which we ask for two services'.
    """
    from botocore.loaders import create_loader

    loader = create_loader(os.environ.get("AWS_DATA_PATH"))
    hosts, _ = loader.load_data_with_path("endpoints")  # kept by the loader, and given to each client that it serves
    for partition in hosts["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in SERVICES if name in services}
    return loader


def _credentials() -> Any:
    """AWS credentials as boto3 finds them; None without.

    First in the environment, as boto3 does too: a whole session takes ten times the memory of that.

    Raises:
        SettingsError: AWS's own settings cannot be used.
    """
    from botocore.credentials import EnvProvider

    with _aws_settings():
        found = EnvProvider().load()
        if found is not None:
            return found
        from botocore.session import get_session

        return get_session().get_credentials()


def drift_watch(
    settings: Settings, session: aiohttp.ClientSession, watcher: Watcher, workflows: Workflows
) -> DriftWatch | None:
    """What follows App Mesh: its change feed, or sweeps; None when both are off or we know too little."""
    if settings.app_mesh_endpoint is None or _credentials() is None:
        log.info("drift is not looked for: there is no App Mesh endpoint, or no credentials to sign requests with")
        return None
    sweeping = None
    if settings.drift_sweep_seconds:
        lists = Listing(lambda: app_mesh(settings), settings.app_mesh_reads_per_second)
        sweeping = Sweeping(lists, settings.drift_sweep_seconds)
    feed = change_feed(settings, session)
    if feed is None and sweeping is None:
        return None
    return DriftWatch(feed or NoFeed(), watcher.index, watcher.listed, workflows, sweeping)


def change_feed(settings: Settings, session: aiohttp.ClientSession) -> ChangeFeed | None:
    """The change feed of the App Mesh API, whether or not it has one; None when it is off or we know too little."""
    if settings.change_feed == "off" or settings.app_mesh_endpoint is None:
        return None
    sign = _signer(settings)
    if sign is None:
        log.info("no change feed: there are no AWS credentials to sign requests with")
        return None
    return ChangeFeed(session, settings.app_mesh_endpoint, caller(settings), sign)


def data_plane_watch(
    settings: Settings, session: aiohttp.ClientSession, watcher: Watcher, proxies: Proxies
) -> DataPlaneWatch | None:
    """What follows how proxies stand; None when it is off or we know too little."""
    sign = _signer(settings)
    if settings.change_feed == "off" or settings.app_mesh_endpoint is None or sign is None:
        return None
    feed = StandingFeed(session, settings.app_mesh_endpoint, sign)
    return DataPlaneWatch(feed, proxies, watcher.index, watcher.listed, watcher.tell)


def _signer(settings: Settings) -> Sign | None:
    """What signs requests to the extensions of the App Mesh API; None without credentials."""
    credentials = _credentials()
    if credentials is None:
        return None
    return signer(credentials, settings.app_mesh_region, {"User-Agent": caller(settings)})
