"""The folder that keeps what was downloaded or built, shared by every project of the user.

A program appears in it by one rename, so whoever finds it finds it whole. A lock per program keeps two runs from
making the same thing side by side.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cache:
    """Entries are folders, named by a key that tells everything that went into them."""

    folder: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Cache":
        """The user's cache, by the XDG rule."""
        base = environment.get("XDG_CACHE_HOME")
        return cls((Path(base) if base else Path.home() / ".cache") / "meshwright" / "toolchain")

    def find(self, key: str, file: str) -> Path | None:
        """A file of an entry, if it is there."""
        path = self.folder / key / file
        return path if path.is_file() else None

    @contextlib.contextmanager
    def new_entry(self, key: str) -> Iterator[Path]:
        """A scratch folder that becomes the entry when the block ends well, and goes when it does not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{key}.", dir=self.folder))
        try:
            yield scratch
            scratch.chmod(0o755)
            entry = self.folder / key
            if entry.exists():  # without the file that was wanted, or nobody would be here
                shutil.rmtree(entry)
            os.rename(scratch, entry)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    @contextlib.contextmanager
    def locked(self, key: str, waiting: Callable[[], None]) -> Iterator[None]:
        """Hold the lock of a key; `waiting` is called once if somebody else has it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{key}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(file, fcntl.LOCK_EX)
            yield
