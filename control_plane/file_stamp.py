"""Whether files are still those that were read: asked at each use of a key or certificate that may be renewed."""

from pathlib import Path

Stamp = tuple[int, ...]


def stamp_of(*files: Path | None) -> Stamp:
    """What differs when one was written anew, be it within a tick of the clock or with an old time.

    Args:
        files: None is passed over.

    Raises:
        OSError: one is not there.
    """
    found = [file.stat() for file in files if file is not None]
    return tuple(part for each in found for part in (each.st_mtime_ns, each.st_ino, each.st_size))
