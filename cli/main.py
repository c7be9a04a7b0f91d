"""The `meshwright` command group.

Each command lives in a module of its own that imports nothing heavy at the top, so that `--help` is quick.
"""

import atexit
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress

import typer

from cli.bootstrap import bootstrap
from cli.codec_server import codec_server
from cli.control_plane import control_plane
from cli.doctor import doctor
from cli.down import down
from cli.env import env
from cli.examples import epilog
from cli.export import export
from cli.graph import graph
from cli.history import history
from cli.import_dump import import_dump
from cli.injector import injector
from cli.plan import plan
from cli.proxies import proxies
from cli.proxy_init import proxy_init
from cli.reconcile import reconcile
from cli.restart import restart
from cli.search_attributes import search_attributes
from cli.settings import SettingsError
from cli.status import status
from cli.up import up
from cli.validate import validate
from cli.watcher import watcher
from cli.worker import worker

app = typer.Typer(
    name="meshwright",
    help="App Mesh resources in Kubernetes, reconciled by durable workflows, served by our own App Mesh API.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
_PANELS: Mapping[str, Mapping[str, Callable[..., None]]] = {
    "Processes": {
        "control-plane": control_plane,
        "worker": worker,
        "watcher": watcher,
        "injector": injector,
    },
    "Resources": {
        "status": status,
        "plan": plan,
        "reconcile": reconcile,
        "history": history,
        "graph": graph,
        "validate": validate,
        "export": export,
        "import": import_dump,
        "doctor": doctor,
    },
    "Proxies": {
        "proxies": proxies,
        "bootstrap": bootstrap,
        "proxy-init": proxy_init,
    },
    "Temporal": {
        "search-attributes": search_attributes,
        "codec-server": codec_server,
    },
    "Local stack": {
        "up": up,
        "down": down,
        "restart": restart,
        "env": env,
    },
}
for _panel, _commands in _PANELS.items():
    for _name, _command in _commands.items():
        app.command(_name, rich_help_panel=_panel, epilog=epilog(_name))(_command)


def main() -> None:
    """Run the command; a setting that cannot be used ends it with exit code 2 and one line."""
    try:
        app()
        code = 0
    except SettingsError as error:
        print(f"meshwright: {error}", file=sys.stderr)
        code = 2
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        code = end.code or 0
    _leave(code)


def _leave(code: int) -> None:
    """End the process, with all that is registered for that, and without taking the interpreter apart under threads.

    Those of Temporal's SDK may still have something to say to Python, such as that a connection was refused that nobody
    waits for any more; an interpreter that is being taken apart then aborts the process, and its exit code is lost.
    """
    if "temporalio.bridge.runtime" not in sys.modules:
        sys.exit(code)
    atexit._run_exitfuncs()
    with suppress(BrokenPipeError):  # whoever read it has left
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
