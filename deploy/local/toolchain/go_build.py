"""Building a program from source, in its pinned module: `go.mod` says which versions, `go.sum` what is in them.

Go may write nothing into the module (`-mod=readonly`) and fetch no other Go (`GOTOOLCHAIN=local`); proxy settings and
caches are the user's own.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from deploy.local.toolchain.binary import Binary, Recipe, Version, parse
from deploy.local.toolchain.errors import WayFailed
from deploy.local.toolchain.progress import Step

_POLL = 0.2
_SAID_LINES = 8


def recipe_of(binary: Binary) -> Recipe:
    """How the program is built.

    Raises:
        WayFailed: it is not.
    """
    if binary.recipe is None:
        raise WayFailed(f"{binary.name} is not built here")
    return binary.recipe


def needed_go(binary: Binary) -> Version:
    """The Go version that the program's module asks for."""
    found = re.search(r"^go (\S+)$", (recipe_of(binary).folder / "go.mod").read_text(), re.MULTILINE)
    return parse(found.group(1)) if found else ()


def build(binary: Binary, go: Path, into: Path, environment: Mapping[str, str], step: Step) -> Path:
    """Build the program into a folder.

    Raises:
        WayFailed: the build failed; with the last lines of what Go said.
    """
    recipe = recipe_of(binary)
    program = into / binary.name
    said = into / ".build.log"
    command = [str(go), "build", "-ldflags", recipe.linker_flags, "-o", str(program), recipe.package]
    with said.open("wb") as output:
        running = subprocess.Popen(
            command,
            cwd=recipe.folder,
            env=go_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while True:
                try:
                    code = running.wait(_POLL)
                    break
                except subprocess.TimeoutExpired:
                    step.tick()
        except BaseException:
            running.terminate()
            running.wait()
            raise
    if code != 0:
        lines = said.read_text(errors="replace").strip().splitlines()[-_SAID_LINES:]
        raise WayFailed("\n      ".join([f"`{' '.join(command[:2])} {recipe.package}` failed:", *lines]))
    said.unlink()
    return program


def go_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment, without what would make another program of the same source."""
    return {
        **environment,
        "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }


def estimate(binary: Binary) -> float:
    """About how many seconds a build takes here, were nothing cached; 0 for what is not built."""
    minutes = binary.recipe.minutes if binary.recipe is not None else 0
    return minutes * 60 * 2 / max(2, min(os.cpu_count() or 2, 16))
