"""A Temporal that insists on TLS, a client's certificate and an API key: a front of the real server.

It ends TLS, looks at the `authorization` that each call carries, and hands the call on byte for byte: every call of
Temporal's API is one request and one answer.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
_POLLS = 128
"""Threads: workers wait for tasks in calls of a minute."""


@dataclass
class Frontend:
    """Where it is, and what came in."""

    address: str = ""
    answered: "Counter[str]" = field(default_factory=Counter)
    """Calls by method, of those that were let in."""
    refused: "Counter[str]" = field(default_factory=Counter)


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, upstream: Any, key: str, frontend: Frontend) -> None:
        self._upstream = upstream
        self._key = key
        self._frontend = frontend

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        """Whatever the method is."""
        method, metadata = details.method, dict(details.invocation_metadata)
        passes = metadata.get("authorization") == f"Bearer {self._key}"

        def call(request: bytes, context: grpc.ServicerContext) -> bytes:
            if not passes:
                self._frontend.refused[method] += 1
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "an API key is needed")
            self._frontend.answered[method] += 1
            try:
                answer: bytes = self._upstream.unary_unary(method)(request, timeout=context.time_remaining())
            except grpc.RpcError as error:
                failed: Any = error
                details = (each for each in failed.trailing_metadata() or () if each[0] == "grpc-status-details-bin")
                context.set_trailing_metadata(tuple(details))
                context.abort(failed.code(), failed.details())
            return answer

        return grpc.unary_unary_rpc_method_handler(call)


@contextmanager
def temporal_frontend(upstream: str, key: str, certificate: tuple[bytes, bytes], clients: bytes) -> Iterator[Frontend]:
    """Serve until the block ends.

    Args:
        upstream: the real server, in the clear.
        key: the API key.
        certificate: the server's key and certificate.
        clients: who signed the certificates that clients must show.
    """
    frontend = Frontend()
    with (
        ThreadPoolExecutor(_POLLS) as threads,
        grpc.insecure_channel(upstream, options=_UNLIMITED) as channel,
    ):
        server = grpc.server(threads, options=_UNLIMITED)
        server.add_generic_rpc_handlers((_Handler(channel, key, frontend),))
        credentials = grpc.ssl_server_credentials([certificate], clients, require_client_auth=True)
        frontend.address = f"localhost:{server.add_secure_port('localhost:0', credentials)}"
        server.start()
        try:
            yield frontend
        finally:
            channel.close()  # ends the calls that wait
            server.stop(None).wait()
