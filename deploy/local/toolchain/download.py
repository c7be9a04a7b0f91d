"""The official download: fetched over TLS, bounded in time, and never used before its checksum was verified.

The sum is pinned in our table where we know it, else it is the vendor's own, fetched from beside the file. A host that
cannot be reached is reported as such (`Unreachable`), so that the caller need not wait for the next time-out.
"""

import hashlib
import http.client
import shutil
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deploy.local.toolchain.binary import Binary, Release, this_platform
from deploy.local.toolchain.errors import Unreachable, WayFailed

Tick = Callable[[str], None]

_CHUNK = 256 * 1024
_SUMS_LIMIT = 256 * 1024


@dataclass(frozen=True)
class Limits:
    """How long a download may take."""

    silence: float = 5.0
    """Seconds to connect, and seconds without a byte."""
    whole: float = 600.0
    """Seconds for one file."""


def download(binary: Binary, into: Path, tick: Tick, limits: Limits = Limits()) -> Path:
    """Fetch the program into a folder.

    Raises:
        Unreachable: nobody answers.
        WayFailed: what came is not what was published.
    """
    release = binary.release
    assert isinstance(release, Release), "a wheel is pip's to fetch"
    system, machine = this_platform()
    words = {"version": binary.version, "os": system, "arch": machine}
    url = release.url.format(**words)
    expected = release.pinned.get(f"{system}/{machine}")
    if expected is None:
        sums = release.checksums.format(**words)
        expected = find_sum(read_text(sums, limits), file=url.rpartition("/")[2], source=sums)

    fetched = into / ".download"
    found = fetch(url, fetched, tick, limits)
    if found != expected:
        fetched.unlink()
        raise WayFailed(f"{url} has the SHA-256 {found}, and should have {expected}")

    program = into / binary.name
    if release.member is None:
        fetched.rename(program)
    else:
        extract(fetched, release.member, program)
        fetched.unlink()
    program.chmod(0o755)
    return program


def fetch(url: str, path: Path, tick: Tick, limits: Limits) -> str:
    """Write what is at the URL into a file; its SHA-256."""
    deadline = time.monotonic() + limits.whole
    digest = hashlib.sha256()
    with _open(url, limits) as response, path.open("wb") as file:
        size = int(response.headers.get("Content-Length") or 0)
        received = 0
        while chunk := _read(response, url):
            digest.update(chunk)
            file.write(chunk)
            received += len(chunk)
            of = f" of {size / 1e6:.0f}" if size else ""
            tick(f"{received / 1e6:.0f}{of} MB")
            if time.monotonic() > deadline:
                raise WayFailed(f"{url} took longer than {limits.whole:g} s")
    if received < size:
        raise WayFailed(f"{url} broke off after {received} of {size} bytes")
    return digest.hexdigest()


def read_text(url: str, limits: Limits) -> str:
    """A small text."""
    with _open(url, limits) as response:
        text: bytes = response.read(_SUMS_LIMIT)
    return text.decode(errors="replace")


def find_sum(text: str, file: str, source: str) -> str:
    """The sum of a file in what the vendor published: only the sum, or lines of sum and name."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    for words in lines:
        if len(words) == 2 and words[1].lstrip("*").rpartition("/")[2] == file:
            return words[0].lower()
    if len(lines) == 1 and len(lines[0]) == 1 and len(lines[0][0]) == 64:
        return lines[0][0].lower()
    raise WayFailed(f"{source} has no SHA-256 of {file}")


def extract(archive: Path, member: str, program: Path) -> None:
    """Take one file out of a tar archive; nothing else is unpacked, wherever it would like to go."""
    try:
        with tarfile.open(archive) as content:
            for entry in content:
                if entry.isfile() and entry.name.rpartition("/")[2] == member:
                    source = content.extractfile(entry)
                    assert source is not None  # it is a file
                    with source, program.open("wb") as target:
                        shutil.copyfileobj(source, target)
                    return
    except tarfile.TarError as error:
        raise WayFailed(f"the archive cannot be read: {error}") from error
    raise WayFailed(f"the archive has no {member}")


def _open(url: str, limits: Limits) -> http.client.HTTPResponse:
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(url, timeout=limits.silence)
    except urllib.error.HTTPError as error:
        with error:
            raise WayFailed(f"{url}: {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise Unreachable(f"{url}: {reason or type(error).__name__}") from error
    return response


def _read(response: IO[bytes], url: str) -> bytes:
    try:
        return response.read(_CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise WayFailed(f"{url} broke off: {str(error) or type(error).__name__}") from error
