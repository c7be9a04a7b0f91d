"""The codec server's web application: decrypts payloads for Temporal's UI and its command line.

The protocol is Temporal's: `POST /decode` with `{"payloads": [...]}` in protobuf's JSON. It only decrypts, as nobody
tells our workflows anything by hand. Whoever may ask it can read every history, so a browser is let in only from the
pages of the UIs that are named, and with a token only who has it.
"""

import hmac
from collections.abc import Sequence

import structlog
from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from temporalio.api.common.v1 import Payloads
from temporalio.converter import PayloadCodec

from cli.encryption import UnknownKey

log = structlog.get_logger(__name__)

LARGEST = 16 * 1024 * 1024
"""Bytes of a request; Temporal itself takes no message of more than 4 MB."""


def create_app(codec: PayloadCodec, origins: Sequence[str], token: str | None = None) -> Starlette:
    """The application.

    Args:
        codec: what decrypts.
        origins: of the UIs whose pages may ask, as `http://localhost:8233`.
        token: what `Authorization: Bearer` must carry; None: nothing.
    """

    async def decode(request: Request) -> Response:
        if token is not None and not _carries(request, token):
            log.warning("a request without the token was refused", origin=request.headers.get("origin"))
            return PlainTextResponse("a token is needed\n", 401)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST:
                return PlainTextResponse("too large\n", 413)
        payloads = Payloads()
        try:
            json_format.Parse(body, payloads)
            opened = await codec.decode(payloads.payloads)
        except (json_format.ParseError, UnicodeDecodeError):
            return PlainTextResponse("expected payloads in protobuf's JSON\n", 400)
        except UnknownKey as error:
            log.warning("a payload cannot be decrypted", error=str(error))
            return PlainTextResponse(f"{error}\n", 422)
        return JSONResponse(json_format.MessageToDict(Payloads(payloads=opened)))

    async def healthy(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    cors = Middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["POST"],
        allow_headers=["authorization", "content-type", "x-namespace"],
        allow_credentials=True,
    )
    routes = [Route("/decode", decode, methods=["POST"]), Route("/healthz", healthy)]
    return Starlette(routes=routes, middleware=[Middleware(_Gate, origins=origins), cors])


class _Gate:
    """Refuses the pages of others, their question whether they may ask (preflight) included.

    CORS alone keeps a page from reading an answer, not from asking; and a page that gave its own name our address (DNS
    rebinding) would count as ours. The UI tells its user only that it could not connect: the log says why.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None
        if origin is None or origin in self._origins:
            await self._app(scope, receive, send)
            return
        log.warning("a page of another origin was refused", origin=origin[:200], allowed=list(self._origins))
        await PlainTextResponse("this page may not ask\n", 403)(scope, receive, send)


def _carries(request: Request, token: str) -> bool:
    given = request.headers.get("authorization", "")
    return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
