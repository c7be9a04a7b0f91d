"""The `meshwright` command group.

Each command lives in a module of its own that imports nothing heavy at the top, so that `--help` is quick.
"""

import atexit
import os
import sys
from contextlib import suppress

import typer

from cli.bootstrap import bootstrap
from cli.codec_server import codec_server
from cli.control_plane import control_plane
from cli.doctor import doctor
from cli.down import down
from cli.env import env
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
app.command("control-plane", rich_help_panel="Processes")(control_plane)
app.command("worker", rich_help_panel="Processes")(worker)
app.command("watcher", rich_help_panel="Processes")(watcher)
app.command("injector", rich_help_panel="Processes")(injector)
app.command("status", rich_help_panel="Resources")(status)
app.command("plan", rich_help_panel="Resources")(plan)
app.command("reconcile", rich_help_panel="Resources")(reconcile)
app.command("history", rich_help_panel="Resources")(history)
app.command("graph", rich_help_panel="Resources")(graph)
app.command("validate", rich_help_panel="Resources")(validate)
app.command("export", rich_help_panel="Resources")(export)
app.command("import", rich_help_panel="Resources")(import_dump)
app.command("doctor", rich_help_panel="Resources")(doctor)
app.command("proxies", rich_help_panel="Proxies")(proxies)
app.command("bootstrap", rich_help_panel="Proxies")(bootstrap)
app.command("proxy-init", rich_help_panel="Proxies")(proxy_init)
app.command("search-attributes", rich_help_panel="Temporal")(search_attributes)
app.command("codec-server", rich_help_panel="Temporal")(codec_server)
app.command("up", rich_help_panel="Local stack")(up)
app.command("down", rich_help_panel="Local stack")(down)
app.command("restart", rich_help_panel="Local stack")(restart)
app.command("env", rich_help_panel="Local stack")(env)


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
