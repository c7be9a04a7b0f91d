"""A real Envoy with a static configuration, for as long as a test needs it."""

import json
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.waiting import until


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


@contextmanager
def running(envoy: Path, config: dict[str, Any], directory: Path) -> Iterator[None]:
    """Envoy, from when it is ready."""
    [admin] = free_ports(1)
    config["admin"] = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin}}}
    path = directory / "bootstrap.json"
    path.write_text(json.dumps(config))
    command = [str(envoy), "--config-path", str(path), "--use-dynamic-base-id", "--log-level", "error"]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--concurrency", "1"], stdout=log, stderr=log)
        try:
            until(lambda: process.poll() is not None or _is_ready(admin), what="Envoy")
            assert process.poll() is None, (directory / "log").read_text()
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)


def _is_ready(admin: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{admin}/ready", timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False
