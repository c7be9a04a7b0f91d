"""Imports for processes that run for long, without what libraries bring along and we never use.

Worker and watcher are many where there are many clusters, and most of their memory is code. Three things in it serve
nobody here: gRPC for Python (Temporal's client has its own, in Rust; its generated modules import the other one where
it is installed, for stubs that nobody calls), rich (structlog would draw tracebacks with it; ours are plain text), and
the synchronous half of the Kubernetes client (the package imports it as a whole, with OAuth, requests and websockets).
"""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager

OPTIONAL = ("grpc", "rich")
"""What is imported only where it is installed; for those who import it inside, it is not."""


@contextmanager
def lean_imports() -> Iterator[None]:
    """Inside, imports leave those out; what was imported before stays, and afterwards all can be imported again."""
    hidden = [name for name in OPTIONAL if name not in sys.modules]
    _leave_bare("kubernetes")
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def _leave_bare(package: str) -> None:
    """Make a package known without running its own module: its subpackages are found, and import only their own."""
    if package not in sys.modules and (found := importlib.util.find_spec(package)) is not None:
        sys.modules[package] = importlib.util.module_from_spec(found)
