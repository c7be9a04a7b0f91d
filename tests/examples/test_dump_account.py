"""`examples/dump-account.sh`: a dump cannot be made again once the service is gone, so none may be lost."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "dump-account.sh"

EMPTY = "exit 0"
"""An `aws` to which an account holds nothing."""

CANNOT_CONNECT = "echo 'Could not connect to the endpoint URL' >&2; exit 255"

FAILS_LATE = """case "$2" in
  list-meshes) printf 'shop\\tarn:shop\\n' ;;
  describe-mesh) echo '{"mesh": {}}' ;;
  *) exit 254 ;;
esac"""
"""An `aws` that describes a mesh, and no more."""

ONE_MESH = """case "$2" in
  list-meshes) printf 'shop\\tarn:shop\\n' ;;
  describe-mesh) echo '{"mesh": {}}' ;;
  list-tags-for-resource) echo '{"tags": []}' ;;
esac"""


def dump(directory: Path, aws: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script with this body of `aws`."""
    program = directory / "bin" / "aws"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\n{aws}\n")
    program.chmod(0o755)
    return subprocess.run(
        ["bash", str(SCRIPT), *arguments],
        env={"PATH": f"{program.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def recorded(directory: Path) -> Path:
    """A directory with a dump."""
    out = directory / "dump"
    out.mkdir()
    (out / "objects.json").write_text("the objects")
    (out / "tags.json").write_text("the tags")
    return out


def content(out: Path) -> dict[str, str]:
    """All files of a directory, hidden ones too."""
    return {file.name: file.read_text() for file in out.iterdir()}


RECORDED = {"objects.json": "the objects", "tags.json": "the tags"}


@pytest.mark.parametrize("aws", [CANNOT_CONNECT, FAILS_LATE, EMPTY], ids=["cannot connect", "fails late", "empty"])
def test_a_dump_that_is_there_is_refused(tmp_path, aws):
    """The command of the documentation, given twice."""
    out = recorded(tmp_path)
    done = dump(tmp_path, aws, str(out))
    assert done.returncode == 2
    assert "is there already; --force replaces" in done.stderr
    assert content(out) == RECORDED


@pytest.mark.parametrize("aws", [CANNOT_CONNECT, FAILS_LATE], ids=["cannot connect", "fails late"])
def test_a_dump_is_replaced_only_by_a_whole_one(tmp_path, aws):
    """Also when that is asked for."""
    out = recorded(tmp_path)
    assert dump(tmp_path, aws, "--force", str(out)).returncode not in (0, 2)
    assert content(out) == RECORDED
    assert dump(tmp_path, ONE_MESH, "--force", str(out)).returncode == 0
    assert content(out) == {"objects.json": '{"mesh": {}}\n', "tags.json": '{"tags": []}\n'}


def test_what_was_not_dumped_whole_leaves_nothing(tmp_path):
    """So that nobody imports half an account, and the next attempt is not refused."""
    out = tmp_path / "dump"
    assert dump(tmp_path, FAILS_LATE, str(out)).returncode == 254
    assert content(out) == {}
    assert dump(tmp_path, ONE_MESH, str(out)).returncode == 0
    assert sorted(content(out)) == ["objects.json", "tags.json"]


@pytest.mark.parametrize("arguments", [[], ["--force"], ["--help"], ["a", "b"]])
def test_wrong_usage_is_told(tmp_path, arguments):
    """Before anything is asked."""
    done = dump(tmp_path, EMPTY, *arguments)
    assert (done.returncode, done.stderr) == (2, "usage: dump-account.sh [--force] DIRECTORY\n")
