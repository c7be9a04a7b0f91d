"""`meshwright control-plane` as a process of its own, for tests that kill it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from deploy.local import ports
from tests.control_plane.serving import KEY_ID, REGION, SECRET

COMMAND = (sys.executable, "-m", "cli.main", "control-plane")


class ControlPlaneProcess:
    """The process on a fixed address, over several lives."""

    def __init__(
        self, directory: Path, *, database_url: str | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        """`settings`: further MESHWRIGHT_... variables."""
        self.directory = directory
        self._settings = dict(settings or {})
        self.database = directory / "control-plane.db"
        self.database_url = database_url or f"sqlite:///{self.database}"
        quotas = directory / "quotas.yaml"
        quotas.write_text("virtual_nodes_per_mesh: 100000\n")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self._arguments = ("--control-plane-listen", self.address, "--quotas-file", str(quotas))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://{self.address}"

    def start(self) -> None:
        """Start the process and wait until it is ready."""
        keys = {"MESHWRIGHT_ACCESS_KEYS": f"{KEY_ID}:{SECRET}", "MESHWRIGHT_DATABASE_URL": self.database_url}
        environment = os.environ | keys | self._settings
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen((*COMMAND, *self._arguments), env=environment, stderr=log)
        deadline = time.monotonic() + 60
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(
                    f"the control plane did not start:\n{(self.directory / 'log').read_text()[-2000:]}"
                )
            time.sleep(0.02)

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end; the exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        code = self._process.wait(30)
        self._process = None
        return code

    def kill(self) -> None:
        """End the process at once, wherever it is; nothing happens if it does not run."""
        if self._process is not None:
            self.end(signal.SIGKILL)

    @contextmanager
    def client(self) -> Iterator[Any]:
        """A boto3 client without retries."""
        made = boto3.client(
            "appmesh",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=20, read_timeout=20),
        )
        try:
            yield made
        finally:
            made.close()

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def serving(
    ending: ExitStack, directory: Path, database: Path | str, host: str = "localhost", **settings: str
) -> tuple[ControlPlaneProcess, str]:
    """A control plane that serves proxies on this host, and where; its database is a file, or a URL."""
    directory.mkdir()
    address = f"{host}:{ports.pick(set())}"
    made = ControlPlaneProcess(
        directory,
        database_url=database if isinstance(database, str) else f"sqlite:///{database}",
        settings={"MESHWRIGHT_XDS_LISTEN": address} | settings,
    )
    made.start()
    ending.callback(made.kill)
    return made, address


def metrics(control_plane: ControlPlaneProcess) -> str:
    """What it counts."""
    with urllib.request.urlopen(f"{control_plane.url}/metrics", timeout=10) as answer:
        return bytes(answer.read()).decode()
