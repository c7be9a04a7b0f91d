"""What an object may be called."""

import re
from collections.abc import Iterator

from control_plane.api.validation import Violation, shown

# The index of the store has to hold it; App Mesh documents no bound.
SERVICE_NAME_BYTES = 1024

_RESOURCE_NAME = re.compile(r"[A-Za-z0-9_-]+")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,36}")


def resource_name(name: str, path: str) -> Iterator[Violation]:
    """Letters, digits, hyphens and underscores; the length is in the service model."""
    if not _RESOURCE_NAME.fullmatch(name):
        yield Violation(path, f"must consist of letters, digits, hyphens and underscores; is {shown(name)}")


def service_name(name: str, path: str) -> Iterator[Violation]:
    """Free text, usually a DNS name; but something, and on one line."""
    if not name:
        yield Violation(path, "must not be empty")
    elif not name.isprintable():
        yield Violation(path, f"must consist of printable characters; is {shown(name)}")
    elif len(name.encode()) > SERVICE_NAME_BYTES:
        yield Violation(path, f"must have at most {SERVICE_NAME_BYTES} bytes")


def client_token(token: str) -> Iterator[Violation]:
    """Up to 36 letters, digits, hyphens and underscores."""
    if not _TOKEN.fullmatch(token):
        yield Violation("clientToken", "must have 1 to 36 letters, digits, hyphens and underscores")
