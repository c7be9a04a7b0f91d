"""`meshwright proxy-init`: leads a pod's traffic to its proxy, as the App Mesh environment variables say."""

import os
import sys
from typing import Annotated

import typer

from cli.settings import SettingsError

_UNDO = typer.Option("--undo", help="Take the rules away again; the environment does not matter.")
_DRY_RUN = typer.Option("--dry-run", help="Print the rules instead of setting them.")


def proxy_init(
    undo: Annotated[bool, _UNDO] = False,
    dry_run: Annotated[bool, _DRY_RUN] = False,
) -> None:
    """Lead the traffic of this network namespace to its proxy, as the variables APPMESH_... say.

    Done again it changes nothing. It takes root with the capability NET_ADMIN, and nft or iptables.
    """
    from injector.proxy_init import kernel
    from injector.proxy_init.environment import BadVariable, capture_of

    try:
        capture = None if undo else capture_of(os.environ)
    except BadVariable as error:
        raise SettingsError(str(error)) from error
    try:
        steps = kernel.steps(capture)
        if dry_run:
            print("".join(step.script for step in steps), end="")
            return
        kernel.perform(steps)
    except kernel.CaptureFailed as error:
        print(f"meshwright: {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    print(f"captured: {capture}" if capture else "nothing is captured")
    if capture and capture.ipv6 and not kernel.has_ipv6():
        print("IPv6 is not captured: this kernel has none")
