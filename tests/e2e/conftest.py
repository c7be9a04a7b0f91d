"""The stacks. All stories share one; those that kill parts share another."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.stack import LocalStack, StackSettings
from tests.e2e.cluster import Cluster, clients_of
from tests.e2e.world import World

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is end-to-end."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The stack that stories share; nobody may stop its parts for long."""
    with LocalStack(tmp_path_factory.mktemp("shared"), StackSettings(fast=True)) as stack, clients_of(stack) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def fragile_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A second stack, whose parts may be killed."""
    with (
        LocalStack(tmp_path_factory.mktemp("fragile"), StackSettings(fast=True)) as stack,
        clients_of(stack) as cluster,
    ):
        yield cluster


@pytest.fixture
def world(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[World]:
    """A mesh and a namespace on the shared stack that are this test's alone; after it nothing is left of them."""
    world = cluster.world(_slug(request.node.name))
    yield world
    cluster.remove_world(world)


@pytest.fixture
def fragile_world(fragile_cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[World]:
    """The same on the stack whose parts may be killed."""
    world = fragile_cluster.world(_slug(request.node.name))
    yield world
    fragile_cluster.remove_world(world)


def _slug(test: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", test.removeprefix("test_").lower())
