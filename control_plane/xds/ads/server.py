"""The gRPC server: takes streams in, finds out who they are of, and lets a `Conversation` run on each."""

import itertools
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import grpc
import structlog
from grpc.aio import ServicerContext
from prometheus_client import CollectorRegistry

from control_plane.xds.ads import delta, sotw
from control_plane.xds.ads.connections import Connection, Connections
from control_plane.xds.ads.conversation import Conversation, metadata_of, next_request
from control_plane.xds.ads.metrics import AdsMetrics
from control_plane.xds.ads.security import Denied, Guard, Security
from control_plane.xds.ads.source import Source
from control_plane.xds.ads.staging import Timing
from control_plane.xds.ads.stream import Dialect, Stream
from control_plane.xds.proxies import MalformedNodeId, parse

log = structlog.get_logger("control_plane.xds")

SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
MAX_REQUEST_BYTES = 4 * 1024 * 1024
MAX_NAMES = 20_000
"""In one request. The quotas of a mesh allow a tenth of it."""

_SECOND = 1000
_CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
    ("grpc.max_send_message_length", -1),
    # App Mesh's agent has Envoy ping each 10 s, with or without a request under way; grpc takes that for an attack.
    ("grpc.http2.min_ping_interval_without_data_ms", 5 * _SECOND),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5 * _SECOND),
    ("grpc.keepalive_permit_without_calls", 1),
    # And we ping, to notice a proxy that is gone without a word.
    ("grpc.keepalive_time_ms", 30 * _SECOND),
    ("grpc.keepalive_timeout_ms", 20 * _SECOND),
    ("grpc.so_reuseport", 0),
)


@dataclass(frozen=True)
class AdsConfig:
    """All that the ADS server needs to know."""

    listen: str
    """HOST:PORT; port 0 picks a free one."""
    account_id: str = "000000000000"
    timing: Timing = field(default_factory=Timing)
    security: Security | None = None
    """None: without TLS, and whoever connects may be any proxy."""


class AdsServer:
    """One listening port that serves what a source has."""

    def __init__(self, config: AdsConfig, source: Source, registry: CollectorRegistry) -> None:
        self.connections = Connections()
        self._config = config
        self._source = source
        self._metrics = AdsMetrics(registry, self.connections)
        self._ids = (f"{secrets.token_hex(4)}.{count}" for count in itertools.count(1))
        self._server: grpc.aio.Server | None = None
        self._guard: Guard | None = None

    async def start(self) -> int:
        """Listen; returns the port.

        Raises:
            OSError: the address cannot be listened at, or a file of `Security` cannot be read.
        """
        if self._config.security is not None:
            self._guard = Guard(self._config.security)
        self._server = grpc.aio.server(options=_CHANNEL_OPTIONS)
        self._server.add_generic_rpc_handlers((self._handlers(),))
        try:
            port = (
                self._server.add_insecure_port(self._config.listen)
                if self._guard is None
                else self._server.add_secure_port(self._config.listen, self._guard.credentials())
            )
        except RuntimeError as error:
            raise OSError(f"listen address {self._config.listen}: {error}") from error
        await self._server.start()
        return port

    async def stop(self, grace: float = 1.0) -> None:
        """End all streams: proxies keep what they have, and connect to another replica."""
        if self._server is not None:
            await self._server.stop(grace)

    def _handlers(self) -> grpc.GenericRpcHandler:
        def handler(dialect: Dialect, form: str) -> Any:
            async def serve(_requests: Any, context: ServicerContext[Any, Any]) -> None:
                await self._serve(dialect, form, context)

            return grpc.stream_stream_rpc_method_handler(serve, request_deserializer=dialect.Request.FromString)

        methods = {sotw.METHOD: handler(sotw, "sotw"), delta.METHOD: handler(delta, "delta")}
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    async def _serve(self, dialect: Dialect, form: str, context: ServicerContext[Any, Any]) -> None:
        async def read() -> Any | None:
            request = await next_request(context)
            if request is not None and dialect.names_in(request) > MAX_NAMES:
                await self._refuse(context, grpc.StatusCode.RESOURCE_EXHAUSTED, f"more than {MAX_NAMES} names")
            return request

        first = await read()
        if first is None:
            return
        try:
            proxy = parse(first.node.id, self._config.account_id)
            if self._guard is not None:
                self._guard.check(proxy, _names(context), _authorization(context))
        except MalformedNodeId as error:
            await self._refuse(context, grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except Denied as error:
            await self._refuse(context, error.code, str(error))
        name = next(self._ids)
        connection = Connection(name, proxy, first.node.id, context.peer(), form, datetime.now(UTC))
        try:
            watch = self._source.watch(proxy, metadata_of(first.node), dialect.clusters_claimed(first))
        except ValueError as error:
            await self._refuse(context, grpc.StatusCode.INVALID_ARGUMENT, f"node metadata: {error}")
        stream = Stream(dialect, name, self._config.timing)
        self._metrics.connected(form, 1)
        try:
            conversation = Conversation(stream, watch, connection, self.connections, self._metrics, context.write)
            await conversation.run(first, read)
        finally:
            self._metrics.connected(form, -1)

    async def _refuse(self, context: ServicerContext[Any, Any], code: grpc.StatusCode, message: str) -> None:
        log.warning("a stream was refused", address=context.peer(), code=code.name, message=message)
        self._metrics.stream_refused(code.name)
        await context.abort(code, message)


def _names(context: ServicerContext[Any, Any]) -> list[str]:
    """The subject alternative names of the client's certificate, which TLS has verified."""
    properties = context.auth_context()
    return [each.decode(errors="replace") for each in properties.get("x509_subject_alternative_name", ())]


def _authorization(context: ServicerContext[Any, Any]) -> str:
    for key, value in context.invocation_metadata() or ():
        if key == "authorization":
            return value if isinstance(value, str) else ""
    return ""
