"""Traffic through real Envoys: one stack for all, and for each test a mesh with sidecars of its own.

Everything here is end-to-end. With `--traffic=full` the long runs are as long as the claims that they stand for.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.stack import LocalStack, StackSettings
from deploy.local.toolchain import Toolchain
from examples.traffic.site import Site
from tests.e2e.cluster import Cluster, clients_of
from tests.e2e.world import World
from tests.traffic.town import Town

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is end-to-end."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def full(pytestconfig: pytest.Config) -> bool:
    """Whether the long runs are long."""
    return bool(pytestconfig.getoption("--traffic") == "full")


@pytest.fixture(scope="session")
def envoy() -> Path:
    """The program."""
    return Toolchain.from_environment().resolve(["envoy"])["envoy"]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The stack that all tests of traffic share."""
    with (
        LocalStack(tmp_path_factory.mktemp("traffic"), StackSettings(fast=True)) as stack,
        clients_of(stack) as cluster,
    ):
        yield cluster


@pytest.fixture
def world(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[World]:
    """A mesh and a namespace that are this test's alone; after it nothing is left of them."""
    world = cluster.world(re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower()))
    yield world
    cluster.remove_world(world)


@pytest.fixture(params=["sotw"])
def town(cluster: Cluster, world: World, envoy: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Town]:
    """A front and two colours behind sidecars, not started yet. With the parameter `delta`, over that protocol."""
    address = cluster.stack.environment["MESHWRIGHT_XDS_ADDRESS"]
    with Site(envoy, tmp_path, address, world.name, delta=request.param == "delta") as site:
        yield Town(cluster, world, site)
