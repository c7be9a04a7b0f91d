import io
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local.toolchain.binary import Binary
from deploy.local.toolchain.cache import Cache
from deploy.local.toolchain.errors import ToolchainError, Unreachable, WayFailed
from deploy.local.toolchain.progress import Progress
from deploy.local.toolchain.resolver import Toolchain
from tests.deploy.toolchain.programs import VERSION, described, put


class Way:
    """A fake of the two ways that make a program: works, or fails with an error; counts."""

    def __init__(self, error: Exception | None = None, version: str = VERSION) -> None:
        self.error = error
        self.version = version
        self.calls: list[str] = []

    def __call__(self, binary: Binary, into: Path, _progress: object) -> Path:
        """One attempt."""
        self.calls.append(binary.name)
        if self.error is not None:
            raise self.error
        return put(into, self.version, binary.name)


def toolchain(
    tmp_path: Path, environment: Mapping[str, str] | None = None, download: Way | None = None, build: Way | None = None
) -> tuple[Toolchain, io.StringIO]:
    """A toolchain whose PATH is `tmp_path/path` and whose cache is `tmp_path/cache`, and what it says."""
    said = io.StringIO()
    found = Toolchain(
        environment={"PATH": str(tmp_path / "path"), **(environment or {})},
        cache=Cache(tmp_path / "cache"),
        downloads=download or Way(WayFailed("404")),
        builds=build or Way(WayFailed("no Go")),
        progress=Progress(said, live=False),
        binaries={"tool": described(), "other": _other()},
    )
    return found, said


def _other() -> Binary:
    return replace(described(), name="other")


@pytest.mark.parametrize(
    ("available", "expected"),
    [
        pytest.param({"setting", "path", "cache", "download", "build"}, "setting", id="setting-first"),
        pytest.param({"path", "cache", "download", "build"}, "path", id="then-path"),
        pytest.param({"cache", "download", "build"}, "cache", id="then-cache"),
        pytest.param({"download", "build"}, "download", id="then-download"),
        pytest.param({"build"}, "build", id="then-build"),
    ],
)
def test_the_first_way_that_works_wins(tmp_path: Path, available: set[str], expected: str):
    """Setting, PATH, cache, download, build: and what comes later is not even tried."""
    key = described().cache_key
    setting = put(tmp_path / "setting")
    if "path" in available:
        put(tmp_path / "path")
    if "cache" in available:
        put(tmp_path / "cache" / key)
    download = Way() if "download" in available else Way(WayFailed("404"))
    build = Way()
    environment = {"MESHWRIGHT_TOOL": str(setting)} if "setting" in available else {}
    found, _said = toolchain(tmp_path, environment, download, build)
    made = tmp_path / "cache" / key / "tool"
    wanted = {"setting": setting, "path": tmp_path / "path" / "tool", "cache": made, "download": made, "build": made}
    assert found.resolve(["tool"]) == {"tool": wanted[expected]}
    assert len(download.calls) == (expected in {"download", "build"})
    assert len(build.calls) == (expected == "build")


@pytest.mark.parametrize(
    ("version", "good"),
    [
        pytest.param("1.2.9", False, id="too-old"),
        pytest.param("1.3.0", True, id="just-new-enough"),
        pytest.param("1.10.0", True, id="compared-as-numbers"),
        pytest.param("2.0.0", False, id="too-new"),
        pytest.param("1.4.2+vendor.3", True, id="a-vendors-build"),
    ],
)
def test_a_program_on_path_must_have_an_acceptable_version(tmp_path: Path, version: str, good: bool):
    """At least the first accepted version, and below the first that is too new."""
    put(tmp_path / "path", version)
    found, _said = toolchain(tmp_path, build=Way())
    assert (found.resolve(["tool"])["tool"].parent == tmp_path / "path") == good


def test_an_explicit_setting_is_taken_whatever_its_version(tmp_path: Path):
    """Who names a program knows what they do."""
    setting = put(tmp_path / "mine", "0.0.1")
    found, _said = toolchain(tmp_path, {"MESHWRIGHT_TOOL": str(setting)})
    assert found.resolve(["tool"]) == {"tool": setting}


@pytest.mark.parametrize("name", ["missing", "folder", "not-executable"])
def test_an_explicit_setting_that_is_no_program_is_an_error(tmp_path: Path, name: str):
    """It is never quietly replaced by another."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "not-executable").write_text("")
    put(tmp_path / "path")
    found, _said = toolchain(tmp_path, {"MESHWRIGHT_TOOL": str(tmp_path / name)})
    with pytest.raises(ToolchainError, match=f"MESHWRIGHT_TOOL is .*{name}, which is not a program"):
        found.resolve(["tool"])


def test_after_one_unreachable_host_no_other_download_is_tried(tmp_path: Path):
    """Behind a closed firewall one waits for one time-out, not for one per program."""
    download, build = Way(Unreachable("nobody there")), Way()
    found, said = toolchain(tmp_path, download=download, build=build)
    assert set(found.resolve(["tool", "other"])) == {"tool", "other"}
    assert download.calls == ["tool"]
    assert build.calls == ["tool", "other"]
    assert "cannot download tool: nobody there" in said.getvalue()


def test_a_single_bad_file_does_not_stop_other_downloads(tmp_path: Path):
    """The host answered; only this file was not good."""
    download = Way(WayFailed("404"))
    found, _said = toolchain(tmp_path, download=download, build=Way())
    found.resolve(["tool", "other"])
    assert download.calls == ["tool", "other"]


def test_when_nothing_works_the_error_tells_every_way_and_what_to_do(tmp_path: Path):
    """Whoever reads it can act without looking into the source."""
    put(tmp_path / "path", "1.0.0")
    found, _said = toolchain(tmp_path, download=Way(Unreachable("nobody there")), build=Way(WayFailed("no Go")))
    with pytest.raises(ToolchainError) as failed:
        found.resolve(["tool"])
    lines = str(failed.value).splitlines()
    assert lines[0] == "cannot get tool 1.4.2:"
    assert [line.split(":")[0] for line in lines[1:-1]] == [
        "  - MESHWRIGHT_TOOL",
        "  - PATH",
        "  - cache",
        "  - download",
        "  - build from source",
    ]
    assert "tool is v1.0.0; it must be at least 1.3 and below 2" in lines[2]
    assert "nobody there" in lines[4]
    assert "no Go" in lines[5]
    assert "set MESHWRIGHT_TOOL" in lines[-1]


def test_a_program_that_tells_another_version_is_not_kept(tmp_path: Path):
    """What is in the cache under a version is of that version."""
    found, _said = toolchain(tmp_path, download=Way(version="1.4.1"), build=Way(version="1.5.0"))
    with pytest.raises(ToolchainError, match=r"(?s)it is v1.4.1, and not 1.4.2.*it is v1.5.0, and not 1.4.2"):
        found.resolve(["tool"])
    assert not (tmp_path / "cache" / described().cache_key).exists()


def test_the_second_run_finds_what_the_first_made_and_says_nothing(tmp_path: Path):
    """Later runs start at once."""
    first, said = toolchain(tmp_path, build=Way())
    made = first.resolve(["tool"])
    assert "Not on this machine yet: tool 1.4.2." in said.getvalue()
    assert "building tool 1.4.2 from source" in said.getvalue()
    second, said = toolchain(tmp_path)
    assert second.resolve(["tool"]) == made
    assert said.getvalue() == ""


def test_two_runs_at_once_make_a_program_once(tmp_path: Path):
    """The second waits, says so, and takes what the first made."""
    building, proceed = threading.Event(), threading.Event()
    way = Way()

    def slow(binary: Binary, into: Path, step: object) -> Path:
        building.set()
        assert proceed.wait(10)
        return way(binary, into, step)

    first, _said = toolchain(tmp_path)
    first.builds = slow
    second, said = toolchain(tmp_path)

    class Waiting(Progress):
        def say(self, text: str) -> None:
            super().say(text)
            if "another run" in text:
                proceed.set()

    second.progress = Waiting(said, live=False)
    results: list[dict[str, Path]] = []
    threads = [threading.Thread(target=lambda: results.append(first.resolve(["tool"])))]
    threads[0].start()
    assert building.wait(10)
    threads.append(threading.Thread(target=lambda: results.append(second.resolve(["tool"]))))
    threads[1].start()
    for thread in threads:
        thread.join(10)
    assert len(results) == 2
    assert results[0] == results[1]
    assert way.calls == ["tool"]
    assert "another run is getting tool; waiting for it" in said.getvalue()


def test_a_failed_way_leaves_no_scratch_behind(tmp_path: Path):
    """The cache holds whole entries and locks, nothing half made."""
    found, _said = toolchain(tmp_path)
    with pytest.raises(ToolchainError):
        found.resolve(["tool"])
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".lock"]
