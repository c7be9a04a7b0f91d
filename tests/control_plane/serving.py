"""A served API for tests: in this process, on a free port, with a database of its own; and clients for it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from control_plane.api.access import FixedKeys
from control_plane.api.quotas import Quotas
from control_plane.server import ControlPlaneConfig, Server, create_app, listen, server_tls

KEY_ID, SECRET = "TESTKEY", "a-secret-of-the-tests"
ACCOUNT = "123456789012"
REGION = "eu-central-1"
NO_LIMITS = replace(Quotas(**dict.fromkeys(Quotas.__dataclass_fields__, 100_000)), tags_per_resource=50)


@dataclass(frozen=True)
class Served:
    """Where the API is, and what it was started with."""

    url: str
    config: ControlPlaneConfig

    @contextmanager
    def client(self, **overrides: Any) -> Iterator[Any]:
        """A boto3 client for it, without retries."""
        arguments = {
            "endpoint_url": self.url,
            "region_name": REGION,
            "aws_access_key_id": KEY_ID,
            "aws_secret_access_key": SECRET,
            "config": Config(retries={"total_max_attempts": 1}, max_pool_connections=20),
            **overrides,
        }
        client = boto3.client("appmesh", **arguments)
        try:
            yield client
        finally:
            client.close()


@contextmanager
def served(directory: Path, *, quotas: Quotas = NO_LIMITS, **settings: Any) -> Iterator[Served]:
    """Serve the API from a thread of this process until the block ends."""
    config = ControlPlaneConfig(
        listen="127.0.0.1:0",
        database_url=f"sqlite:///{directory}/control-plane.db",
        keys=FixedKeys.of({KEY_ID: SECRET}),
        account_id=ACCOUNT,
        region=REGION,
        quotas=quotas,
    )
    config = replace(config, **settings)
    app = create_app(config)
    listener = listen(config.listen)
    tls = server_tls(config.tls)
    server = Server(app, tls)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        host, port = listener.getsockname()
        yield Served(f"http://{host}:{port}" if tls is None else f"https://localhost:{port}", config)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
