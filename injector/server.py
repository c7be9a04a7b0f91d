"""The webhook's HTTPS server, with the bounds on heads and slow clients that the control plane has."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from control_plane.bounded_http import BoundedHttp
from control_plane.tls import ServerTls


class Server(uvicorn.Server):
    """Serves an application over TLS until `stop`; who runs the process sees to its signals."""

    def __init__(self, app: Starlette, host: str, port: int, tls: ServerTls) -> None:
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            http=BoundedHttp,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=10,
        )
        config.load()
        config.ssl = tls.context
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Bind, and say so."""
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield

    def stop(self) -> None:
        """Ask for the end: requests under way are answered, no new ones taken."""
        self.should_exit = True
