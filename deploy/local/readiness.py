"""Does a part answer? Short, blocking probes that return None, or say what is missing.

A probe asks once and is bounded to about a second; whoever waits asks again.
"""

import http.client
import socket
import ssl
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

Probe = Callable[[], str | None]
"""Asks once: None when the part answers, otherwise why it does not count as ready."""

_PATIENCE = 1.0


def http_answers(
    url: str,
    *,
    method: str = "GET",
    body: str | None = None,
    headers: Mapping[str, str] | None = None,
    context: Callable[[], ssl.SSLContext] | None = None,
) -> Probe:
    """A probe that is content with status 200. The TLS context is built when first needed: its files may come later."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    path = parts.path + (f"?{parts.query}" if parts.query else "")

    def ask() -> str | None:
        connection: http.client.HTTPConnection
        try:
            if parts.scheme == "https":
                connection = http.client.HTTPSConnection(
                    host, port, timeout=_PATIENCE, context=context() if context else None
                )
            else:
                connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE)
            try:
                connection.request(method, path or "/", body=body, headers=dict(headers or {}))
                response = connection.getresponse()
                answer = response.read(500).decode(errors="replace").strip()
            finally:
                connection.close()
        except (OSError, http.client.HTTPException) as error:
            return f"{url}: {str(error) or type(error).__name__}"
        return None if response.status == 200 else f"{url}: {response.status} {answer}"

    return ask


def accepts_connections(address: str) -> Probe:
    """A probe that is content when HOST:PORT accepts a TCP connection."""
    host, _, port = address.rpartition(":")

    def ask() -> str | None:
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()
        except (OSError, ValueError) as error:
            return f"{address}: {error}"
        return None

    return ask
