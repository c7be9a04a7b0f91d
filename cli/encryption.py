"""Payloads in Temporal encrypted: what workflows are told, what activities take and return, failures, summaries.

Who can read Temporal's database, its API or its UI then learns no spec and no message from it. Keys are in a file, one
a line; the first encrypts, all decrypt, so that a key can be replaced while histories that the old one wrote live on.
What was written before there was a key is read as it is.
"""

import asyncio
import base64
import binascii
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from cli.settings import SettingsError

ENCODING = b"binary/encrypted"
KEY_ID = "encryption-key-id"
KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
"""What authenticates the rest, at its end; without it there is nothing to open."""
LARGE = 256 * 1024
"""Bytes from which a payload is encrypted in a thread, so that the loop goes on."""


class UnknownKey(Exception):
    """A payload was encrypted with a key that is not in the file, or it was tampered with or cut off."""


class EncryptionCodec(PayloadCodec):
    """AES-256-GCM over the whole payload, with its metadata; the key's id is authenticated too."""

    def __init__(self, keys: Sequence[tuple[str, bytes]], nonce: Callable[[int], bytes] = os.urandom) -> None:
        self._ciphers = {id: AESGCM(secret) for id, secret in keys}
        self._current = keys[0][0]
        self._nonce = nonce

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Each encrypted with the first key."""
        return [await self._off_loop(self._encrypted, payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Each decrypted with the key that it names; what is not encrypted stays as it is.

        Raises:
            UnknownKey: it cannot be read with these keys.
        """
        return [
            await self._off_loop(self._decrypted, payload) if payload.metadata.get("encoding") == ENCODING else payload
            for payload in payloads
        ]

    async def _off_loop(self, work: Callable[[Payload], Payload], payload: Payload) -> Payload:
        return await asyncio.to_thread(work, payload) if len(payload.data) > LARGE else work(payload)

    def _encrypted(self, payload: Payload) -> Payload:
        id, nonce = self._current.encode(), self._nonce(NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, payload.SerializeToString(), id)
        return Payload(metadata={"encoding": ENCODING, KEY_ID: id}, data=nonce + sealed)

    def _decrypted(self, payload: Payload) -> Payload:
        id = payload.metadata.get(KEY_ID, b"")
        cipher = self._ciphers.get(id.decode(errors="replace"))
        if cipher is None:
            raise UnknownKey(
                f"a payload was encrypted with key {id.decode(errors='replace')!r}, which is not known here"
            )
        if len(payload.data) < NONCE_BYTES + TAG_BYTES:
            raise UnknownKey(f"a payload of key {id.decode()!r} is too short to be one: it was cut off")
        try:
            opened = cipher.decrypt(payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:], id)
        except InvalidTag:
            raise UnknownKey(f"a payload does not fit key {id.decode()!r}: another key of that name?") from None
        return Payload.FromString(opened)


def read_keys(path: Path) -> list[tuple[str, bytes]]:
    """Ids and keys, in order. A line is `ID:KEY`, the key 32 bytes in base64; empty lines and `#` comments are fine.

    Raises:
        SettingsError: the file cannot be read, or a line is none of these; the key itself is never shown.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"setting payload_keys_file: {error}") from error
    found: dict[str, bytes] = {}
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line or line.startswith("#"):
            continue
        id, _, encoded = line.partition(":")
        try:
            secret = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            secret = b""
        if not id or len(secret) != KEY_BYTES or id in found:
            wrong = f"{id!r} is there twice" if id in found else f"expected ID:KEY, the key {KEY_BYTES} bytes in base64"
            raise SettingsError(f"setting payload_keys_file: {path}, line {number}: {wrong}")
        found[id] = secret
    if not found:
        raise SettingsError(f"setting payload_keys_file: {path} has no key")
    return list(found.items())
