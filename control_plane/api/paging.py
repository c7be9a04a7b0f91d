"""Opaque page tokens: "continue after this name".

A page continues after the last name shown, not at an offset: objects created or deleted meanwhile neither shift nor
repeat the others. The token also says which list it belongs to, so it cannot be used on another one by mistake.
"""

import base64
import binascii
import json

from control_plane.api.errors import BadRequest
from control_plane.api.validation import is_text

_VERSION = 1


def next_token(collection: tuple[str, ...], after: str) -> str:
    """The token for the page of this collection that starts after `after`."""
    content = json.dumps([_VERSION, *collection, after], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def position(collection: tuple[str, ...], token: str | None) -> str:
    """The name after which the page starts; before all names without a token.

    Raises:
        BadRequest: this is not a token of ours, or one of another list.
    """
    if token is None:
        return ""
    try:
        decoded = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        content = json.loads(decoded)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise BadRequest("nextToken: is not one that this API gave out") from error
    match content:
        case [version, *of, str(after)] if version == _VERSION and tuple(of) == collection and is_text(after):
            return after
    raise BadRequest("nextToken: is not one of this list")
