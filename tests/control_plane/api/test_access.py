"""What a key may do, and keys that change under way."""

import os
from pathlib import Path

import pytest

from control_plane.api.access import AccessKey, FixedKeys, KeyFile, MalformedKey, Right, parse
from control_plane.api.authorization import authorize
from control_plane.api.errors import Forbidden

READ, WRITE = Right.READ, Right.WRITE


@pytest.mark.parametrize(
    ("rights", "right", "mesh", "allowed"),
    [
        pytest.param("", WRITE, "shop", True, id="nothing said, everything allowed"),
        pytest.param("write:shop", WRITE, "shop", True, id="write"),
        pytest.param("write:shop", READ, "shop", True, id="write includes read"),
        pytest.param("read:shop", READ, "shop", True, id="read"),
        pytest.param("read:shop", WRITE, "shop", False, id="read is not write"),
        pytest.param("write:shop", READ, "bank", False, id="another mesh"),
        pytest.param("write:shop", READ, "Shop", False, id="names have a case"),
        pytest.param("write:shop-*", WRITE, "shop-eu", True, id="pattern"),
        pytest.param("write:shop-*", WRITE, "shop", False, id="pattern does not match less"),
        pytest.param("write:shop-?", WRITE, "shop-1", True, id="any one character"),
        pytest.param("write:shop-?", WRITE, "shop-12", False, id="one character is not two"),
        pytest.param("write:shop-[ab]", WRITE, "shop-b", True, id="one of these"),
        pytest.param("write:shop-[ab]", WRITE, "shop-c", False, id="none of these"),
        pytest.param("read:* write:shop", READ, "bank", True, id="several"),
        pytest.param("read:* write:shop", WRITE, "bank", False, id="several, and none of them"),
    ],
)
def test_rights(rights: str, right: Right, mesh: str, allowed: bool):
    """Each line of this table."""
    assert parse(f"ID:secret {rights}").may(right, mesh) is allowed


def test_a_key_does_not_show_its_secret():
    """Wherever it is printed."""
    assert "very-secret" not in repr(parse("ID:very-secret write:shop"))


def test_an_operation_is_judged_by_its_mesh_or_its_arn():
    """What is about no mesh passes, to be refused as incomplete or to list what may be read."""
    key = parse("ID:secret read:shop")
    arn = "arn:aws:appmesh:us-west-2:000000000000:mesh/{}/virtualNode/a"
    for parameters in ({}, {"meshName": "shop"}, {"resourceArn": arn.format("shop")}, {"resourceArn": "none"}):
        authorize(key, READ, "DescribeMesh", parameters)
    with pytest.raises(Forbidden, match="The access key ID may not write in mesh shop, as TagResource would"):
        authorize(key, WRITE, "TagResource", {"resourceArn": arn.format("shop")})
    with pytest.raises(Forbidden, match="may not read in mesh bank"):
        authorize(key, READ, "ListTagsForResource", {"resourceArn": arn.format("bank")})


def replace(file: Path, text: str) -> None:
    """Put other keys in place, as a Secret that is mounted changes: at once."""
    new = file.with_suffix(".new")
    new.write_text(text)
    os.replace(new, file)


def test_a_file_is_read_again_when_it_changes(tmp_path: Path):
    """A new key counts from then on, an old one no more."""
    file = tmp_path / "keys"
    replace(file, "OLD:one\n")
    keys = KeyFile(file, [AccessKey("FIXED", "x")])
    assert keys.find("NEW") is None
    replace(file, "OLD:one\nNEW:two write:shop\n")
    assert keys.find("NEW") == AccessKey("NEW", "two", ((WRITE, "shop"),))
    replace(file, "NEW:two\n")
    assert keys.find("OLD") is None
    assert keys.find("FIXED") == AccessKey("FIXED", "x")


def test_a_file_that_cannot_be_used_takes_nobody_out(tmp_path: Path):
    """What counted before still does, until it is repaired."""
    file = tmp_path / "keys"
    replace(file, "OLD:one\n")
    keys = KeyFile(file)
    for content in ("NEW:two rights\n", "NEW\n", "", "# nobody any more\n"):
        replace(file, content)
        assert keys.find("OLD") is not None
        assert keys.find("NEW") is None
    file.unlink()
    assert keys.find("OLD") is not None
    replace(file, "NEW:two\n")
    assert keys.find("NEW") is not None


def test_an_empty_file_takes_nobody_out_beside_fixed_keys_either(tmp_path: Path):
    """An editor that empties a file before it writes it would turn everybody away for a moment."""
    file = tmp_path / "keys"
    replace(file, "OLD:one\n")
    keys = KeyFile(file, [AccessKey("FIXED", "x")])
    replace(file, "")
    assert keys.find("OLD") is not None
    assert keys.find("FIXED") is not None


def test_a_change_within_one_tick_of_the_clock_is_seen_by_its_size(tmp_path: Path):
    """Written in place, with the same time of change."""
    file = tmp_path / "keys"
    file.write_text("OLD:one\n")
    keys = KeyFile(file)
    at = file.stat().st_mtime_ns
    file.write_text("OLD:one\nNEW:two\n")
    os.utime(file, ns=(at, at))
    assert keys.find("NEW") is not None


def test_a_file_must_be_usable_at_first(tmp_path: Path):
    """Else nothing starts."""
    with pytest.raises(OSError, match="keys"):
        KeyFile(tmp_path / "keys")
    (tmp_path / "keys").write_bytes(b"ID:\xff\n")
    with pytest.raises(MalformedKey, match="not text"):
        KeyFile(tmp_path / "keys")
    (tmp_path / "keys").write_text("ID\n")
    with pytest.raises(MalformedKey, match="line 1: expected ID:SECRET"):
        KeyFile(tmp_path / "keys")


def test_fixed_keys_may_do_everything():
    """As before there were rights."""
    found = FixedKeys.of({"ID": "secret"}).find("ID")
    assert found is not None
    assert found.may(WRITE, "any")
