"""What runs inside a pod's namespace: an application, a caller that is told what to ask, and a load.

python -m tests.capture.inside serve NAME PORT...   says who it is, and how it was asked
python -m tests.capture.inside ask                  a request for each line of JSON, an answer for each request
python -m tests.capture.inside load ADDRESS PORT HOST  asks until its input ends, then says what came of it
"""

import asyncio
import http.client
import json
import socket
import socketserver
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from examples.traffic.load import Load, Target
from injector.proxy_init.kernel import has_ipv6


class _Server(ThreadingHTTPServer):
    def server_bind(self) -> None:
        """As any server's; the usual one asks DNS for its own name first, which nobody answers here."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "pod", self.server_address[1]


class _ByIpv6(_Server):
    address_family = socket.AF_INET6

    def server_bind(self) -> None:
        """Beside the one for IPv4, on the same port."""
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        super().server_bind()


def serve(name: str, *ports: str) -> None:
    """Answer on these ports, at every address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Say who this is, who asks, and with which headers."""
            asked = {"name": name, "peer": self.client_address[0], "headers": dict(self.headers)}
            body = (name if self.path == "/name" else json.dumps(asked)).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    servers = [_Server(("0.0.0.0", int(port)), Handler) for port in ports]
    if has_ipv6():
        servers += [_ByIpv6(("::", int(port)), Handler) for port in ports]
    threads = [threading.Thread(target=server.serve_forever) for server in servers]
    for thread in threads:
        thread.start()
    say("listening")


def ask() -> None:
    """Ask what the lines say: `{"url": ..., "headers": {...}}`; answer with status, headers and body, or the error."""
    for line in sys.stdin:
        wanted = json.loads(line)
        say(_answer(wanted["url"], wanted["headers"]))


def _answer(url: str, headers: dict[str, str]) -> dict[str, Any]:
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return {"status": answer.status, "headers": dict(answer.headers), "body": answer.read().decode()}
    except urllib.error.HTTPError as error:
        return {"status": error.code, "headers": dict(error.headers), "body": error.read().decode()}
    except (OSError, http.client.HTTPException) as error:
        return {"error": str(error) or type(error).__name__}


async def load(address: str, port: str, host: str) -> None:
    """Ask steadily; for each line how often each answer came since the last one; at the end the failures."""
    made = Load(Target(int(port), host, "/name", address=address))
    made.start()
    while await asyncio.to_thread(sys.stdin.readline):
        say(made.take())
    await made.finish()
    say(made.failures)


def say(what: Any) -> None:
    """A line of JSON to the test."""
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    if what == "load":
        asyncio.run(load(*arguments))
    elif what == "serve":
        serve(*arguments)
    else:
        ask()
