"""`python -m deploy.local.toolchain`: have every program at hand before something that must not wait for a build."""

import os
import sys

from deploy.local.parts import BINARIES
from deploy.local.toolchain import Toolchain, ToolchainError


def main() -> int:
    """Find or build all programs of the stack, Helm and Envoy, telling what is done; returns the exit code."""
    try:
        found = Toolchain.from_environment(os.environ).resolve(sorted({*BINARIES.values(), "helm", "envoy"}))
    except ToolchainError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.writelines(f"{name}: {program}\n" for name, program in found.items())
    return 0


if __name__ == "__main__":
    sys.exit(main())
