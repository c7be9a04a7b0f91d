"""An application that says which one it is and what it was asked, and counts; `/fail` fails, `/hang` never answers."""

import collections
import http.client
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Echo(http.server.ThreadingHTTPServer):
    """One application, on a free port of this machine."""

    daemon_threads = True

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.name = name
        self.asked: collections.Counter[str] = collections.Counter()
        self.closing = threading.Event()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    @contextmanager
    def running(self) -> Iterator["Echo"]:
        """Answer, for a while."""
        thread = threading.Thread(target=self.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.closing.set()
            self.shutdown()
            thread.join()
            self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Echo

    def do_GET(self) -> None:
        self.server.asked[self.path] += 1
        if self.path.endswith("/hang"):
            self.server.closing.wait()
            return
        told = {"app": self.server.name, "path": self.path, "host": self.headers["Host"]}
        body = json.dumps(told).encode()
        self.send_response(503 if self.path.endswith("/fail") else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def ask(port: int, host: str, path: str = "/", method: str = "GET", **headers: str) -> tuple[int, dict[str, Any]]:
    """Status and answer; what is no JSON is empty."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.putrequest(method, path, skip_host=True)
        for name, value in {"Host": host, "Content-Length": "0", **headers}.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    return response.status, json.loads(body) if body.startswith(b"{") else {}
