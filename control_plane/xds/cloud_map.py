"""Instances of Cloud Map services: asked for every few seconds, for as long as a connected proxy needs them.

Cloud Map has nothing that tells of changes. What it does not answer is kept as it was last known: an outage of Cloud
Map takes nothing from the mesh.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any, Protocol

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from control_plane.xds.feed import Feed
from control_plane.xds.meshes import Service
from control_plane.xds.state import Instance

POLL_SECONDS = 5.0
_MOST = 1000  # instances that Cloud Map tells of one service, and lets it have

log = structlog.get_logger("control_plane.xds")


class Unreadable(Exception):
    """Cloud Map has answered, and not with what it was asked for."""


class CloudMapClient(Protocol):
    """As much of boto3's `servicediscovery` client as we use."""

    @property
    def discover_instances(self) -> Callable[..., dict[str, Any]]:
        """The operation DiscoverInstances."""


def client(endpoint: str, region: str) -> CloudMapClient:
    """A client of the Cloud Map API at a URL."""
    made: CloudMapClient = boto3.client(
        "servicediscovery",
        endpoint_url=endpoint,
        region_name=region,
        config=Config(
            connect_timeout=3,
            read_timeout=10,
            retries={"mode": "standard", "total_max_attempts": 1},
            inject_host_prefix=False,  # AWS answers DiscoverInstances at a host of its own; an endpoint is one host
        ),
    )
    return made


class CloudMap:
    """Keeps a feed's instances up to date."""

    def __init__(self, client: CloudMapClient, feed: Feed, threads: Executor) -> None:
        self._client = client
        self._feed = feed
        self._threads = threads
        self._known: dict[Service, tuple[Instance, ...]] = {}
        feed.discovers = True

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            self._feed.services_needed.clear()
            await self.look()
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._feed.services_needed.wait()
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Ask once for all that is needed, and tell the feed."""
        loop = asyncio.get_running_loop()
        needed = self._feed.services()
        self._known = {service: found for service, found in self._known.items() if service in needed}
        for service in sorted(needed):
            try:
                self._known[service] = await loop.run_in_executor(self._threads, discover, self._client, service)
            except (BotoCoreError, ClientError, Unreadable) as error:
                log.warning("Cloud Map does not answer; instances stay as known", service=service, error=str(error))
        self._feed.discovered(dict(self._known))


def discover(client: CloudMapClient, service: Service) -> tuple[Instance, ...]:
    """The instances of a service, by id; none of one that does not exist. Blocks.

    Raises:
        BotoCoreError: Cloud Map cannot be reached.
        ClientError: Cloud Map refuses.
        Unreadable: its answer is empty, cut off, or somebody else's.
    """
    namespace, name = service
    try:
        answer = client.discover_instances(
            NamespaceName=namespace, ServiceName=name, HealthStatus="ALL", MaxResults=_MOST
        )
        return tuple(sorted(map(_instance, answer["Instances"]), key=lambda instance: instance.id))
    except ClientError as error:
        if error.response["Error"]["Code"] in ("ServiceNotFound", "NamespaceNotFound"):
            return ()
        raise
    except BotoCoreError:
        raise
    except Exception as error:  # botocore does not check a body: it or we trip over whatever an endpoint has sent
        raise Unreadable(f"the answer cannot be read: {type(error).__name__}: {error}") from error


def _instance(found: Mapping[str, Any]) -> Instance:
    attributes = found.get("Attributes", {})
    ipv4, ipv6 = (attributes.get(f"AWS_INSTANCE_{family}", "") for family in ("IPV4", "IPV6"))
    return Instance(found["InstanceId"], ipv4, ipv6, attributes, found.get("HealthStatus") != "UNHEALTHY")
