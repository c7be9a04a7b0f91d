"""Tell the story of one mesh, on a stack of its own. Exit code 0 only if everything that it states is true."""

import argparse
import io
import shutil
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from types import FrameType

from deploy.local.errors import LocalStackError
from deploy.local.stack import LocalStack
from deploy.local.toolchain import Toolchain
from deploy.local.toolchain.progress import Progress
from examples.demo.errors import DemoError
from examples.demo.manifests import read
from examples.demo.screen import Screen
from examples.demo.story import Story

INTERRUPTED = 130
"""What a shell reports for a command that Ctrl-C ended."""


def main(arguments: list[str] | None = None) -> int:
    """Tell the story in a directory of its own; the exit code."""
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that knows no ✓ or → shows another sign
    directory = Path(tempfile.mkdtemp(prefix="meshwright-demo-")).resolve()
    screen = Screen()
    toolchain = Toolchain.from_environment(progress=Progress(sys.stdout))
    stack = LocalStack(directory, toolchain=toolchain)
    screen.headline("Meshwright: a mesh from kubectl apply to App Mesh, and back")
    screen.show(f"everything is kept in {directory}")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        envoy = toolchain.resolve(["envoy"])["envoy"]
        Story(screen, stack, envoy, read("colors"), options.patience).tell(options.keep)
    except KeyboardInterrupt:
        screen.headline("\nInterrupted: stopping ...")
        _stop(stack)
        shutil.rmtree(directory)
        return INTERRUPTED
    except Exception as error:
        _stop(stack)
        screen.failure(_message(error, stack), [f"logs: {stack.layout.logs}"])
        return 1
    if not options.keep:
        shutil.rmtree(directory)
    screen.headline(f"\nAll of it is true. {screen.elapsed:.0f} s")
    return 0


def _message(error: Exception, stack: LocalStack) -> str:
    """Our own errors speak for themselves; of any other the traceback goes to a log."""
    if isinstance(error, DemoError | LocalStackError):
        return str(error)
    stack.layout.create()
    stack.log("demo").write_text(traceback.format_exc())
    return f"{type(error).__name__}: {error}"


def _stop(stack: LocalStack) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # nothing gets in the way of stopping
        signal.signal(number, signal.SIG_IGN)
    stack.stop()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the stack running, with the mesh in it")
    parser.add_argument(
        "--patience",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="how long anything may take before the demo gives up (default: %(default)g)",
    )
    return parser
