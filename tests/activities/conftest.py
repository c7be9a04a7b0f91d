"""A Kubernetes API for these tests: the one in memory, and the real one, on which every case has to pass too."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from activities.resource_api import ClusterApi, ResourceApi
from deploy.local.stack import LocalStack, StackSettings
from tests.activities.fake_cluster import FakeCluster


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where a real API server is, for the whole run."""
    settings = StackSettings(parts=("etcd", "kube-apiserver"), fast=True)
    with LocalStack(tmp_path_factory.mktemp("kubernetes"), settings) as stack:
        yield Path(stack.environment["KUBECONFIG"])


@pytest.fixture(params=["in-memory", pytest.param("real", marks=pytest.mark.e2e)])
async def api(request: pytest.FixtureRequest) -> AsyncIterator[ResourceApi]:
    """The API, first in memory and then for real. Tests use names of their own, as the real one is shared."""
    if request.param == "in-memory":
        yield FakeCluster()
        return
    configuration = Configuration()
    file = request.getfixturevalue("kubeconfig")
    await config.load_kube_config(config_file=str(file), client_configuration=configuration)
    async with ApiClient(configuration) as client:
        yield ClusterApi(client)
