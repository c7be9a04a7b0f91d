"""The body of a request, with a bound: what is beyond it is never kept, whatever its length claims to be."""

from starlette.types import Receive

MAX_DISCARDED_BYTES = 1 << 24
"""What is too large is still read up to here, as a client that is cut off while it sends would not see our answer."""


class ClientGone(Exception):
    """The caller hung up before its request was complete; there is nobody to answer."""


class BodyTooLarge(Exception):
    """The body has more bytes than we take; the connection cannot be used for another request."""


async def bounded_body(receive: Receive, at_most: int) -> bytes:
    """The whole body.

    Raises:
        BodyTooLarge: it has more bytes than that.
        ClientGone: it never came in full.
    """
    body, size = bytearray(), 0
    while size <= MAX_DISCARDED_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= at_most:
            body += chunk
        if not message.get("more_body", False):
            break
    if size > at_most:
        raise BodyTooLarge(f"the body has more than {at_most} bytes")
    return bytes(body)
