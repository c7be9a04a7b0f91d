"""Applications that do not speak HTTP/1: a gRPC server that says which one it is, and a TCP server that does."""

import collections
import socketserver
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc


class Remote(grpc.GenericRpcHandler):
    """Answers every unary method with its name; `Fail` is unavailable. Counts the calls of each method."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = 0
        self.asked: collections.Counter[str] = collections.Counter()

    def service(self, handler_call_details: Any) -> Any:
        """The handler of any method."""
        method = handler_call_details.method

        def answer(_: bytes, context: grpc.ServicerContext) -> bytes:
            self.asked[method] += 1
            if method.endswith("/Fail"):
                context.abort(grpc.StatusCode.UNAVAILABLE, "as asked")
            return self.name.encode()

        return grpc.unary_unary_rpc_method_handler(answer)

    @contextmanager
    def running(self) -> Iterator["Remote"]:
        """Answer, for a while."""
        server = grpc.server(ThreadPoolExecutor(2), handlers=[self])
        self.port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield self
        finally:
            server.stop(None).wait()


class Line(socketserver.ThreadingTCPServer):
    """Sends its name to everybody who connects."""

    daemon_threads = True

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), _Name)
        self.name = name

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    @contextmanager
    def running(self) -> Iterator["Line"]:
        """Answer, for a while."""
        thread = threading.Thread(target=self.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            thread.join()
            self.server_close()


class _Name(socketserver.BaseRequestHandler):
    server: Line

    def handle(self) -> None:
        self.request.sendall(self.server.name.encode())
