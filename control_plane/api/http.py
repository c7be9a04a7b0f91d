"""Requests in and responses out, over ASGI, in rest-json's form.

An error's code is in a header, its message in the body, its status is the model's.
"""

from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from control_plane.api.encoding import dump
from control_plane.api.errors import ApiError, MethodNotAllowed, PayloadTooLarge
from control_plane.api.signature import SignedRequest
from control_plane.bounded_body import BodyTooLarge, bounded_body

REVISION_HEADER = b"x-appmesh-revision"
"""Beside what App Mesh answers: where in the order of writes the object's last one is. The data plane counts by it."""
MAX_BODY_BYTES = 1 << 20


@dataclass(frozen=True)
class Response:
    """A response, and the error that it tells of."""

    status: int
    body: bytes
    error: ApiError | None = None
    revision: int | None = None


def refusal(error: ApiError) -> Response:
    """The response that an error becomes."""
    return Response(error.status, dump({"message": error.message}), error)


async def received(scope: Scope, receive: Receive) -> SignedRequest:
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
    try:
        return await bounded_body(receive, MAX_BODY_BYTES)
    except BodyTooLarge as error:
        raise PayloadTooLarge(f"The body has more than {MAX_BODY_BYTES} bytes") from error


async def respond(send: Send, request_id: str, response: Response) -> None:
    """Send a response with the headers of App Mesh."""
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(response.body)).encode()),
        (b"x-amzn-requestid", request_id.encode()),
    ]
    if response.revision is not None:
        headers.append((REVISION_HEADER, str(response.revision).encode()))
    if response.error is not None:
        headers.append((b"x-amzn-errortype", response.error.code.encode()))
    if isinstance(response.error, MethodNotAllowed):
        headers.append((b"allow", ", ".join(response.error.allowed).encode()))
    if isinstance(response.error, PayloadTooLarge):
        headers.append((b"connection", b"close"))  # the rest of the body is not read
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
