"""Payloads of Temporal, encrypted: who can read what, and which files of keys can be used."""

import base64
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError

from activities.messages import ReadReferences
from cli.converter import converter_for
from cli.encryption import LARGE, NONCE_BYTES, TAG_BYTES, EncryptionCodec, UnknownKey, read_keys
from cli.reconciles import words
from cli.settings import SettingsError, load

OLD, NEW = ("2026-01", b"o" * 32), ("2026-02", b"n" * 32)
SECRET = Payload(metadata={"encoding": b"json/plain"}, data=b'"the spec"')


def line(key: tuple[str, bytes]) -> str:
    """A key as its line in the file."""
    return f"{key[0]}:{base64.b64encode(key[1]).decode()}"


@pytest.mark.parametrize("size", [0, 10, LARGE + 1], ids=["empty", "small", "large"])
async def test_what_is_encrypted_comes_back_whole_and_cannot_be_read(size):
    """Data and metadata; two payloads that are equal do not look equal."""
    codec = EncryptionCodec([OLD])
    payload = Payload(metadata={"encoding": b"json/plain"}, data=b"x" * size)
    first, second = await codec.encode([payload, payload])
    assert first.data != second.data
    assert b"json/plain" not in first.SerializeToString()
    assert b"xxxxxxxxxx" not in first.data
    assert await codec.decode([first, second]) == [payload, payload]


async def test_a_new_first_key_encrypts_and_the_old_one_still_decrypts():
    """Rotation: histories that were written before live on, and a process that lacks the new key cannot read on."""
    [old] = await EncryptionCodec([OLD]).encode([SECRET])
    rotated = EncryptionCodec([NEW, OLD])
    [new] = await rotated.encode([SECRET])
    assert await rotated.decode([old, new]) == [SECRET, SECRET]
    assert await EncryptionCodec([OLD, NEW]).decode([new]) == [SECRET]
    with pytest.raises(UnknownKey, match="2026-02"):
        await EncryptionCodec([OLD]).decode([new])


async def test_what_was_written_before_there_was_a_key_is_read_as_it_is():
    """Encryption can be turned on while workflows run."""
    assert await EncryptionCodec([OLD]).decode([SECRET]) == [SECRET]


@pytest.mark.parametrize("change", ["data", "id"])
async def test_what_was_tampered_with_is_refused(change):
    """Also when it is given to another key of the file."""
    codec = EncryptionCodec([OLD, NEW])
    [sealed] = await codec.encode([SECRET])
    if change == "data":
        sealed.data = sealed.data[:-1] + bytes([sealed.data[-1] ^ 1])
    else:
        sealed.metadata["encryption-key-id"] = NEW[0].encode()
    with pytest.raises(UnknownKey, match="does not fit"):
        await codec.decode([sealed])


@pytest.mark.parametrize("size", [0, 7, 8, NONCE_BYTES, NONCE_BYTES + TAG_BYTES - 1])
async def test_what_was_cut_off_is_refused(size):
    """However little is left of it."""
    codec = EncryptionCodec([OLD])
    [sealed] = await codec.encode([SECRET])
    sealed.data = sealed.data[:size]
    with pytest.raises(UnknownKey, match="'2026-01' is too short"):
        await codec.decode([sealed])


async def test_failures_hide_their_words_and_history_reads_them(tmp_path):
    """The kind of failure stays readable, as retry policies need it."""
    converter = converter_for(settings(tmp_path, line(OLD)))
    failure = Failure()
    await converter.encode_failure(ApplicationError("route /secret is refused", type="BadRequest"), failure)
    assert b"secret" not in failure.SerializeToString()
    assert await words(failure, converter) == "BadRequest: route /secret is refused"


async def test_models_of_ours_go_through(tmp_path):
    """What activities take is pydantic's."""
    converter = converter_for(settings(tmp_path, line(OLD)))
    asked = ReadReferences(mesh="shop")
    [payload] = await converter.encode([asked])
    assert b"shop" not in payload.SerializeToString()
    assert await converter.decode([payload], [ReadReferences]) == [asked]


def test_the_file_of_keys_has_one_a_line(tmp_path):
    """The first is the one that encrypts; comments and empty lines say nothing."""
    path = tmp_path / "keys"
    path.write_text(f"# rotated in February\n{line(NEW)}\n\n  {line(OLD)}  \n")
    assert read_keys(path) == [NEW, OLD]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("", "has no key", id="empty"),
        pytest.param("justakey", "line 1: expected ID:KEY", id="no-id"),
        pytest.param("a:c2hvcnQ=", "line 1: expected ID:KEY", id="too-short"),
        pytest.param("# x\na:???", "line 2: expected ID:KEY", id="no-base64"),
        pytest.param(f"{line(OLD)}\n{line(OLD)}", "'2026-01' is there twice", id="twice"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_without_its_keys(tmp_path, content, message):
    """It may be a typing mistake in a secret."""
    with pytest.raises(SettingsError, match=message) as refused:
        converter_for(settings(tmp_path, content))
    assert line(OLD).partition(":")[2] not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    """With the setting."""
    with pytest.raises(SettingsError, match=r"payload_keys_file.*nowhere"):
        read_keys(tmp_path / "nowhere")


def settings(directory: Path, content: str) -> Any:
    """Settings that name a file with this content."""
    path = directory / "keys"
    path.write_text(content)
    return load({"payload_keys_file": str(path)})
