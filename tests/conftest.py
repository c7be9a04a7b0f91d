"""What all test rooms share."""

import logging
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.golden import Golden

# How long an example takes says more about the machine's other work than about the code; pytest-timeout still guards.
settings.register_profile("meshwright", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("meshwright")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our flags."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files instead of comparing")
    parser.addoption("--sequences", type=int, default=20, help="how many sequences of edits tests/convergence tries")
    parser.addoption(
        "--faults", choices=["quick", "full"], default="quick", help="how long tests/faults takes its time"
    )
    parser.addoption(
        "--traffic", choices=["quick", "full"], default="quick", help="how long the long runs of tests/traffic are"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Comparison with golden files."""
    return Golden(update=bool(request.config.getoption("--update-golden")))


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A command that runs in the test's process sets up logging for its own life, which ends with the test."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def strict_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients' contexts as Python makes them from 3.13 on: certificates that lack an identifier are refused."""
    as_it_is = ssl.create_default_context

    def strict(*args: Any, **named: Any) -> ssl.SSLContext:
        context = as_it_is(*args, **named)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)
