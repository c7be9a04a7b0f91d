"""The 38 operations as one ASGI application: the only place where HTTP and operations meet.

One request goes through routing, signature, decoding, dispatch and encoding (`_answer`, synchronous, as the database
drivers are), in a pool of threads: a slow or locked database never stops the event loop, so `/healthz` still answers.
Errors become responses here and nowhere else, in rest-json's form: the code in a header, the message in the body, the
status from the model.
"""

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

import structlog
from starlette.types import Receive, Scope, Send

from control_plane.api.decoding import decode
from control_plane.api.dispatch import Dispatcher
from control_plane.api.encoding import dump, encode
from control_plane.api.errors import ApiError, InternalServerError, MethodNotAllowed, PayloadTooLarge
from control_plane.api.metrics import SUCCESS, UNKNOWN, ApiMetrics
from control_plane.api.routing import RoutingTable
from control_plane.api.service_model import operations
from control_plane.api.signature import SignedRequest, Verifier

MAX_BODY_BYTES = 1 << 20
# What is too large is still read up to here, as a client that is cut off while it sends would not see our answer.
MAX_DISCARDED_BYTES = 1 << 24

log = structlog.get_logger("control_plane.api")


class ClientGone(Exception):
    """The caller hung up before its request was complete; there is nobody to answer."""


@dataclass
class _Call:
    """What becomes known of a request on its way, for the log and the metrics."""

    request_id: str = field(default_factory=lambda: str(uuid4()))
    operation: str = UNKNOWN
    principal: str | None = None


@dataclass(frozen=True)
class _Response:
    status: int
    body: bytes
    error: ApiError | None = None


class ApiEndpoint:
    """Answers App Mesh requests."""

    def __init__(
        self, dispatcher: Dispatcher, access_keys: Mapping[str, str], metrics: ApiMetrics, threads: Executor
    ) -> None:
        self._dispatcher = dispatcher
        self._verifier = Verifier(access_keys)
        self._routes = RoutingTable(operations())
        self._metrics = metrics
        self._threads = threads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; it is counted and logged whatever becomes of it."""
        call = _Call()
        began = time.perf_counter()
        try:
            request = await _received(scope, receive)
            began = time.perf_counter()
            loop = asyncio.get_running_loop()
            response = await loop.run_in_executor(self._threads, self._respond, call, request)
        except ClientGone:
            return
        except ApiError as error:
            response = _refusal(error)
        await _send(send, call, response)
        self._note(call, response, time.perf_counter() - began)

    def _respond(self, call: _Call, request: SignedRequest) -> _Response:
        try:
            return _Response(200, self._answer(call, request))
        except ApiError as error:
            return _refusal(error)
        except Exception:
            log.exception("operation failed", operation=call.operation, request_id=call.request_id)
            return _refusal(
                InternalServerError(f"Something went wrong; the log of this API has it as {call.request_id}")
            )

    def _answer(self, call: _Call, request: SignedRequest) -> bytes:
        # Which URLs there are is no secret: route first, so that refused signatures count for their operation.
        match = self._routes.match(request.method, request.raw_path)
        call.operation = match.operation.name
        call.principal = self._verifier.verify(request, datetime.now(UTC))
        parameters = decode(match, request.raw_query, request.body)
        return encode(match.operation, self._dispatcher(match.operation, parameters))

    def _note(self, call: _Call, response: _Response, seconds: float) -> None:
        code = response.error.code if response.error else SUCCESS
        self._metrics.count(call.operation, code, seconds)
        log.info(
            "request",
            operation=call.operation,
            code=code,
            status=response.status,
            milliseconds=round(seconds * 1000, 2),
            principal=call.principal,
            request_id=call.request_id,
        )


def _refusal(error: ApiError) -> _Response:
    return _Response(error.status, dump({"message": error.message}), error)


async def _received(scope: Scope, receive: Receive) -> SignedRequest:
    """The whole request.

    Raises:
        PayloadTooLarge: its body is.
        ClientGone: it never came in full.
    """
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    return SignedRequest(
        method=scope["method"],
        raw_path=scope["raw_path"].decode("latin-1"),
        raw_query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=await _body(receive),
    )


async def _body(receive: Receive) -> bytes:
    body, size = bytearray(), 0
    while size <= MAX_DISCARDED_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= MAX_BODY_BYTES:
            body += chunk
        if not message.get("more_body", False):
            break
    if size > MAX_BODY_BYTES:
        raise PayloadTooLarge(f"The body has more than {MAX_BODY_BYTES} bytes")
    return bytes(body)


async def _send(send: Send, call: _Call, response: _Response) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(response.body)).encode()),
        (b"x-amzn-requestid", call.request_id.encode()),
    ]
    if response.error is not None:
        headers.append((b"x-amzn-errortype", response.error.code.encode()))
    if isinstance(response.error, MethodNotAllowed):
        headers.append((b"allow", ", ".join(response.error.allowed).encode()))
    if isinstance(response.error, PayloadTooLarge):
        headers.append((b"connection", b"close"))  # the rest of the body is not read
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
