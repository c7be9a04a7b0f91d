"""`python -m deploy.local.toolchain`: have every program at hand before something that must not wait for a build.

With `--link FOLDER PROGRAM...`: have these, and put links to them into a folder, as `make tools` does.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.local.parts import BINARIES
from deploy.local.toolchain import Toolchain, ToolchainError

ALL = sorted({*BINARIES.values(), "helm", "envoy"})


def main() -> int:
    """Find or build programs, telling what is done; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.toolchain", description="Have programs at hand.")
    parser.add_argument("--link", type=Path, metavar="FOLDER", help="put links to them here")
    parser.add_argument("programs", nargs="*", help=f"which; without any: {', '.join(ALL)}")
    given = parser.parse_args()
    try:
        found = Toolchain.from_environment(os.environ).resolve(given.programs or ALL)
    except ToolchainError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if given.link is not None:
        link(given.link, found)
    sys.stdout.writelines(f"{name}: {program}\n" for name, program in found.items())
    return 0


def link(folder: Path, found: Mapping[str, Path]) -> None:
    """Put a link to each program into a folder, in place of a link that is there; a real file there is left alone."""
    for name, program in found.items():
        at = folder / name
        if program.parent == folder or (at.exists() and not at.is_symlink()):
            continue
        at.unlink(missing_ok=True)
        at.symlink_to(program)


if __name__ == "__main__":
    sys.exit(main())
