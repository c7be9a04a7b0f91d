"""What lies beside App Mesh's operations: signed as they are, read with GET, refused in their form."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import structlog
from starlette.types import Receive, Scope, Send

from control_plane.api.access import AccessKey, Keys
from control_plane.api.encoding import dump
from control_plane.api.errors import ApiError, InternalServerError, MethodNotAllowed, ServiceUnavailable
from control_plane.api.http import Response, received, refusal, respond
from control_plane.api.metrics import SUCCESS
from control_plane.api.signature import SignedRequest, Verifier
from control_plane.bounded_body import ClientGone
from control_plane.store.errors import DatabaseUnavailable

log = structlog.get_logger("control_plane.api")

Answering = Callable[[SignedRequest, AccessKey], Awaitable[dict[str, Any]]]


class Extension:
    """One path. `answer` gets requests whose signature is right, with the key; `count` the code of each response.

    What it answers is about the meshes that the key may read.
    """

    def __init__(self, keys: Keys, answer: Answering, count: Callable[[str], None] | None = None) -> None:
        self._verifier = Verifier(keys)
        self._answer = answer
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request_id = str(uuid4())
        try:
            response = Response(200, dump(await self._answered(await received(scope, receive))))
        except ClientGone:
            return
        except ApiError as error:
            response = refusal(error)
        except DatabaseUnavailable:
            response = refusal(ServiceUnavailable("The database does not answer; try again"))
        except Exception:
            log.exception("an extension failed", path=scope["path"], request_id=request_id)
            response = refusal(InternalServerError(f"Something went wrong; the log of this API has it as {request_id}"))
        if self._count is not None:
            self._count(response.error.code if response.error else SUCCESS)
        await respond(send, request_id, response)

    async def _answered(self, request: SignedRequest) -> dict[str, Any]:
        if request.method != "GET":
            raise MethodNotAllowed(f"{request.method} is not possible here; there is GET", ("GET",))
        return await self._answer(request, self._verifier.verify(request, datetime.now(UTC)))
