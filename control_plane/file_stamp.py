"""Whether a file is still the one that was read: asked at each use of a key or certificate that may be renewed."""

from pathlib import Path

Stamp = tuple[int, int, int]


def stamp_of(file: Path) -> Stamp:
    """What differs when a file was written anew, be it within a tick of the clock or with an old time.

    Raises:
        OSError: there is no such file.
    """
    found = file.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size
