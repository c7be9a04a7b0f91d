"""The 38 operations as one ASGI application: the only place where HTTP and operations meet.

One request goes through routing, signature, decoding, dispatch and encoding (`_answer`, synchronous, as the database
drivers are), in a pool of threads: a slow or locked database never stops the event loop, so `/healthz` still answers.
A describe whose answer is known (`shown.py`) needs no database, and none of the threads.
Errors become responses here, in rest-json's form (`http.py`).
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from typing import TypeVar
from uuid import uuid4

import structlog
from botocore.model import OperationModel
from starlette.types import Receive, Scope, Send

from control_plane.api.access import AccessKey, Keys, Right
from control_plane.api.answers import REVISION
from control_plane.api.authorization import LIST_MESHES, authorize
from control_plane.api.bell import Bell
from control_plane.api.callers import caller_of
from control_plane.api.decoding import Parameters, decode
from control_plane.api.dispatch import Dispatcher
from control_plane.api.encoding import encode
from control_plane.api.errors import ApiError, InternalServerError
from control_plane.api.http import Response, received, refusal, respond
from control_plane.api.metrics import SUCCESS, UNKNOWN, ApiMetrics
from control_plane.api.routing import RoutingTable
from control_plane.api.service_model import operations
from control_plane.api.shown import Shown
from control_plane.api.signature import SignedRequest, Verifier
from control_plane.bounded_body import ClientGone

READING = ("GET", "HEAD")

log = structlog.get_logger("control_plane.api")

Answered = Callable[[Mapping[str, str], str, str, int, int], None]
"""Told of each request: its headers, operation and code, and when it began and ended (nanoseconds since 1970)."""

_Found = TypeVar("_Found", bound=Response | None)

_TRACE_PARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class _Accepted:
    """What a request asks for, by somebody who may."""

    operation: OperationModel
    parameters: Parameters
    key: AccessKey


@dataclass
class _Call:
    """What becomes known of a request on its way, for the log and the metrics."""

    request_id: str = field(default_factory=lambda: str(uuid4()))
    operation: str = UNKNOWN
    principal: str | None = None
    caller: str | None = None
    trace_id: str | None = None
    object: dict[str, str] = field(default_factory=dict)
    accepted: _Accepted | None = None


class ApiEndpoint:
    """Answers App Mesh requests."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        keys: Keys,
        metrics: ApiMetrics,
        threads: Executor,
        bell: Bell,
        answered: Answered | None = None,
        shown: Shown | None = None,
    ) -> None:
        self._dispatcher = dispatcher
        self._verifier = Verifier(keys)
        self._routes = RoutingTable(operations())
        self._metrics = metrics
        self._threads = threads
        self._bell = bell
        self._answered = answered
        self._shown = shown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; it is counted and logged whatever becomes of it."""
        call = _Call()
        began = time.perf_counter()
        headers: Mapping[str, str] = {}
        try:
            request = await received(scope, receive)
            headers = request.headers
            call.caller, call.trace_id = caller_of(headers), trace_id_of(headers)
            began = time.perf_counter()
            loop = asyncio.get_running_loop()
            response = self._respond(self._recall, call, request)
            if response is None:
                response = await loop.run_in_executor(self._threads, self._respond, self._answer, call, request)
            if request.method not in READING:
                self._bell.ring(call.caller)
        except ClientGone:
            return
        except ApiError as error:
            response = refusal(error)
        await respond(send, call.request_id, response)
        self._note(call, response, time.perf_counter() - began, headers)

    def _respond(
        self, step: Callable[[_Call, SignedRequest], _Found], call: _Call, request: SignedRequest
    ) -> _Found | Response:
        try:
            return step(call, request)
        except ApiError as error:
            return refusal(error)
        except Exception:
            log.exception("operation failed", operation=call.operation, request_id=call.request_id, **call.object)
            return refusal(
                InternalServerError(f"Something went wrong; the log of this API has it as {call.request_id}")
            )

    def _recall(self, call: _Call, request: SignedRequest) -> Response | None:
        """The answer, if it is known without the database."""
        if self._shown is None or request.method not in READING:
            return None
        call.accepted = accepted = self._accept(call, request)
        return self._shown.recall(accepted.operation.name, accepted.parameters)

    def _answer(self, call: _Call, request: SignedRequest) -> Response:
        accepted = call.accepted or self._accept(call, request)
        carry_out = partial(self._carry_out, accepted, call.caller)
        if self._shown is None:
            return carry_out()
        writes = request.method not in READING
        return self._shown.carry_out(accepted.operation.name, accepted.parameters, writes=writes, respond=carry_out)

    def _carry_out(self, accepted: _Accepted, caller: str | None) -> Response:
        operation = accepted.operation
        answer = self._dispatcher(operation, accepted.parameters, caller)
        if operation.name == LIST_MESHES:
            answer["meshes"] = [each for each in answer["meshes"] if accepted.key.may(Right.READ, each["meshName"])]
        return Response(200, encode(operation, answer), revision=answer.get(REVISION))

    def _accept(self, call: _Call, request: SignedRequest) -> _Accepted:
        # Which URLs there are is no secret: route first, so that refused signatures count for their operation.
        match = self._routes.match(request.method, request.raw_path)
        call.operation = match.operation.name
        key = self._verifier.verify(request, datetime.now(UTC))
        call.principal = key.id
        parameters = decode(match, request.raw_query, request.body)
        call.object = names_in(parameters)
        right = Right.READ if request.method in READING else Right.WRITE
        authorize(key, right, match.operation.name, parameters)
        return _Accepted(match.operation, parameters, key)

    def _note(self, call: _Call, response: Response, seconds: float, headers: Mapping[str, str]) -> None:
        code = response.error.code if response.error else SUCCESS
        self._metrics.count(call.operation, code, seconds)
        log.info(
            "request",
            operation=call.operation,
            code=code,
            status=response.status,
            milliseconds=round(seconds * 1000, 2),
            principal=call.principal,
            caller=call.caller,
            **call.object,
            **({"trace_id": call.trace_id} if call.trace_id is not None else {}),
            request_id=call.request_id,
        )
        if self._answered is not None:
            ended = time.time_ns()
            self._answered(headers, call.operation, code, ended - int(seconds * 1e9), ended)


def names_in(parameters: Mapping[str, object]) -> dict[str, str]:
    """The names by which a request says what it is about, as a log writes them: `mesh_name`, `route_name`."""
    return {
        _as_in_a_log(name): value
        for name, value in parameters.items()
        if name.endswith("Name") and isinstance(value, str)
    }


@cache
def _as_in_a_log(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def trace_id_of(headers: Mapping[str, str]) -> str | None:
    """The trace that a request belongs to, by the W3C header `traceparent`; None when it does not say."""
    found = _TRACE_PARENT.fullmatch(headers.get("traceparent", ""))
    return found[1] if found is not None else None
