"""Access keys: who may sign requests, and what each of them may do in which meshes.

A key is one line, its id and its secret, then what it may do; with nothing said it may do everything:

    AKIAOPS:a-secret
    AKIASHOP:another-secret write:shop write:shop-*
    AKIAVIEW:a-third-secret read:*

`write` includes `read`; in the name of a mesh `*` stands for any characters, `?` for one and `[ab]` for one of these.

A file of keys is read again when it changes. So a key is renewed without a moment in which nobody may sign: add the new
one, move the clients, take the old one out. A file that has become empty is taken for a mistake: what counted before
still does.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from threading import Lock
from typing import Protocol

import structlog

from control_plane.file_stamp import stamp_of

log = structlog.get_logger("control_plane.api")


class MalformedKey(ValueError):
    """This is no access key. The message says what is expected, and never what was given: it may well be a secret."""


class Right(StrEnum):
    """What a key may do in a mesh."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class AccessKey:
    """Somebody who may sign requests."""

    id: str
    secret: str = field(repr=False)
    grants: tuple[tuple[Right, str], ...] | None = None
    """Rights with patterns of meshes; None: everything everywhere."""

    @property
    def may_everything(self) -> bool:
        """Whether it may do everything in every mesh, also in those that are still to come."""
        return self.grants is None or (Right.WRITE, "*") in self.grants

    def may(self, right: Right, mesh: str) -> bool:
        """Whether this is allowed in a mesh."""
        if self.grants is None:
            return True
        enough = (Right.WRITE,) if right is Right.WRITE else (Right.WRITE, Right.READ)
        return any(granted in enough and fnmatchcase(mesh, pattern) for granted, pattern in self.grants)


def parse(line: str) -> AccessKey:
    """The key of one line.

    Raises:
        MalformedKey: it is none.
    """
    pair, *words = line.split()
    key_id, separator, secret = pair.partition(":")
    if not (key_id and separator and secret):
        raise MalformedKey("expected ID:SECRET")
    grants = []
    for word in words:
        right, separator, pattern = word.partition(":")
        if right not in list(Right) or not pattern:
            raise MalformedKey(f"key {key_id}: after ID:SECRET, expected read:MESH or write:MESH")
        grants.append((Right(right), pattern))
    return AccessKey(key_id, secret, tuple(grants) or None)


def parse_lines(lines: Iterable[str]) -> Iterator[AccessKey]:
    """The keys of a file's lines; empty ones and those that begin with # are none.

    Raises:
        MalformedKey: a line is neither.
    """
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                yield parse(line)
            except MalformedKey as error:
                raise MalformedKey(f"line {number}: {error}") from error


class Keys(Protocol):
    """The access keys that count now."""

    def find(self, key_id: str) -> AccessKey | None:
        """The key of this id."""
        ...


class FixedKeys:
    """Keys that stay what they are."""

    def __init__(self, keys: Iterable[AccessKey]) -> None:
        self._keys = {key.id: key for key in keys}

    @classmethod
    def of(cls, secrets: Mapping[str, str]) -> "FixedKeys":
        """Keys that may do everything, by id."""
        return cls(AccessKey(key_id, secret) for key_id, secret in secrets.items())

    def find(self, key_id: str) -> AccessKey | None:
        """See `Keys`."""
        return self._keys.get(key_id)


class KeyFile:
    """The keys of a file, as it is now, beside fixed ones."""

    def __init__(self, path: Path, fixed: Iterable[AccessKey] = ()) -> None:
        """Read the file.

        Raises:
            OSError: it cannot be read.
            MalformedKey: a line is no key.
        """
        self._path = path
        self._fixed = {key.id: key for key in fixed}
        self._lock = Lock()
        self._stamp = stamp_of(self._path)
        self._keys = {**self._fixed, **self._read()}

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, key_id: str) -> AccessKey | None:
        """See `Keys`. Looks at the file each time: that costs less than a thousandth of a signature."""
        try:
            if (stamp := stamp_of(self._path)) != self._stamp:
                with self._lock:
                    found = self._read()
                    if not found:
                        raise MalformedKey("there is no key in the file")
                    self._keys, self._stamp = {**self._fixed, **found}, stamp
                log.info("access keys read again", file=str(self._path), keys=len(self._keys))
        except (OSError, MalformedKey) as error:
            self._complain(str(error))
        return self._keys.get(key_id)

    def _complain(self, error: str) -> None:
        try:
            stamp = stamp_of(self._path)
        except OSError:
            stamp = (0, 0, 0)
        if stamp != self._stamp:  # once for each state of the file, not for each request
            self._stamp = stamp
            log.warning("the access keys cannot be read again; those known still count", error=error)

    def _read(self) -> dict[str, AccessKey]:
        try:
            lines = self._path.read_text().splitlines()
        except UnicodeDecodeError:
            raise MalformedKey("the file is not text in UTF-8") from None
        return {key.id: key for key in parse_lines(lines)}
