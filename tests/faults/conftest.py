"""One stack with fault proxies for the whole matrix, and the table at the end.

Everything here carries the mark `faults`; the cases that CI runs carry `e2e` as well.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.world import World
from tests.faults.scene import Scene
from tests.faults.site import FaultSite, fault_site
from tests.faults.table import Table
from tests.faults.verdict import Oracle

HERE = Path(__file__).parent
TABLE = pytest.StashKey[Table]()

STOP_SECONDS = {"quick": 3.0, "full": 20.0}
"""How long a stopped part stays so. Twenty seconds are longer than every time limit of a workflow task."""


def pytest_configure(config: pytest.Config) -> None:
    """Begin an empty table."""
    config.stash[TABLE] = Table()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder belongs to the matrix."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.faults)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table."""
    lines = config.stash[TABLE].lines()
    if lines:
        terminalreporter.section("fault matrix")
        for line in lines:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def table(pytestconfig: pytest.Config) -> Table:
    """Where cases enter how they ended."""
    return pytestconfig.stash[TABLE]


@pytest.fixture(scope="session")
def full(pytestconfig: pytest.Config) -> bool:
    """Whether the whole matrix runs, with its long waits and many sequences."""
    return bool(pytestconfig.getoption("--faults") == "full")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[FaultSite]:
    """The stack that all cases share; every case leaves it whole."""
    seconds = STOP_SECONDS[str(pytestconfig.getoption("--faults"))]
    with fault_site(tmp_path_factory.mktemp("faults"), seconds) as site:
        yield site


@pytest.fixture(scope="session")
def oracle(site: FaultSite) -> Oracle:
    """What undisturbed applies give."""
    return Oracle(site.cluster)


@pytest.fixture
def world(site: FaultSite, request: pytest.FixtureRequest) -> Iterator[World]:
    """A mesh and a namespace that are this case's alone; after it nothing is left of them."""
    world = site.cluster.world(re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower()))
    yield world
    site.cluster.remove_world(world)


@pytest.fixture
def scene(site: FaultSite, oracle: Oracle, table: Table, world: World) -> Scene:
    """Every kind of edit, in a world of this case's own."""
    return Scene(site, oracle, table, world)
