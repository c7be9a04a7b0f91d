"""One Envoy as a plain process: started with a bootstrap, looked at through its admin port, ended by its pid."""

import json
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_POLL = 0.02
_STOP_WITHIN = 10.0


class SidecarFailed(Exception):
    """Envoy ended, or is not ready in time; the message has the end of its log."""


@dataclass
class Sidecar:
    """An Envoy in a directory of its own."""

    program: Path
    directory: Path
    bootstrap: Mapping[str, Any]
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self) -> None:
        """Start it; it gets its configuration in its own time."""
        self.directory.mkdir(parents=True, exist_ok=True)
        config = self.directory / "bootstrap.json"
        config.write_text(json.dumps(self.bootstrap, indent=2))
        arguments = [str(self.program), "--config-path", str(config), "--concurrency", "1", "--disable-hot-restart"]
        arguments += ["--admin-address-path", str(self._admin_file)]
        self._admin_file.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait_ready(self, within: float = 30.0) -> None:
        """Wait until it has its first configuration and listens.

        Raises:
            SidecarFailed: it ended, or takes longer.
        """
        deadline = time.monotonic() + within
        while not self._ready():
            assert self._process is not None, "not started"
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = self._log.read_text(errors="replace").splitlines()[-5:]
                raise SidecarFailed("\n".join([f"the Envoy in {self.directory} is not ready:", *said]))
            time.sleep(_POLL)

    def stop(self) -> None:
        """End it, politely at first."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once."""
        assert self._process is not None, "not started"
        self._process.kill()
        self._process.wait()

    def stats(self, pattern: str) -> dict[str, int]:
        """Its counters and gauges whose name the regular expression finds, by name."""
        answer = json.loads(self._admin(f"/stats?format=json&filter={urllib.parse.quote(pattern)}"))
        return {each["name"]: each["value"] for each in answer["stats"] if "name" in each}

    def config_dump(self) -> dict[str, Any]:
        """All that it is configured with."""
        dump: dict[str, Any] = json.loads(self._admin("/config_dump"))
        return dump

    @property
    def _admin_file(self) -> Path:
        return self.directory / "admin"

    @property
    def _log(self) -> Path:
        return self.directory / "envoy.log"

    def _ready(self) -> bool:
        if not self._admin_file.exists() or not self._admin_file.read_text():
            return False
        try:
            return self._admin("/ready").strip() == "LIVE"
        except OSError:  # not listening yet, or 503: it initialises
            return False

    def _admin(self, path: str) -> str:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"http://{self._admin_file.read_text()}{path}", timeout=10) as answer:
            text: str = answer.read().decode()
            return text
