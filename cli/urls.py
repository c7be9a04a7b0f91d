"""URLs of APIs in settings: what our HTTP clients would stumble over is told before any of them is made. Pure."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_NAME = re.compile(rf"({_LABEL}\.)*{_LABEL}\.?")
"""What botocore takes for a host: no underscore, though some resolvers know one."""


def _checked(value: str) -> str:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:  # a port that is none, a bracket that is not closed
        host = None
    if not host or parts.scheme not in ("http", "https") or re.search(r"\s", value) or parts.query or parts.fragment:
        raise PydanticCustomError("url", "expected a URL, as http://HOST:PORT")
    if ":" not in host and _NAME.fullmatch(host) is None:
        raise PydanticCustomError("host", "the URL's host may have letters, digits, dashes and dots alone")
    return value


ApiUrl = Annotated[str, AfterValidator(_checked)]
"""The URL of an API, `http://` or `https://`; messages do not show it, as it may carry a password."""
