"""A vendor's download host on this machine, as well-behaved or as broken as a test wants it."""

import contextlib
import http.server
import threading
from collections.abc import Callable, Iterator, Mapping

Answer = bytes | Callable[[http.server.BaseHTTPRequestHandler], None]
"""A body to send, or a function that answers in its own way."""


class ReleaseServer(http.server.ThreadingHTTPServer):
    """Answers by path, counts requests, and lets handlers hang until it stops."""

    daemon_threads = True

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = dict(answers)
        self.requests: list[str] = []
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_PATCH(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, ReleaseServer)
        server.requests.append(self.path)
        answer = server.answers.get(self.path)
        if answer is None:
            self.send_error(404)
        elif callable(answer):
            answer(self)
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        pass


def hang(handler: http.server.BaseHTTPRequestHandler) -> None:
    """Accept the request and never answer."""
    assert isinstance(handler.server, ReleaseServer)
    handler.server.stopping.wait()


def cut_short(body: bytes, of: int) -> Callable[[http.server.BaseHTTPRequestHandler], None]:
    """Promise more than is sent."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(of))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def stall(body: bytes, of: int) -> Answer:
    """Send a beginning, and then nothing, with the connection open."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        cut_short(body, of)(handler)
        handler.wfile.flush()
        hang(handler)

    return answer


@contextlib.contextmanager
def serving(answers: Mapping[str, Answer]) -> Iterator[ReleaseServer]:
    """Serve for the block."""
    with ReleaseServer(answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.stopping.set()
            server.shutdown()
            thread.join()
