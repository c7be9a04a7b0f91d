"""Story: a node's host name is a slip of the pen. The mesh comes up all the same, and the node says what is wrong."""

from collections.abc import Iterator
from functools import partial

import pytest

from deploy.local.stack import LocalStack, StackSettings
from resources.conditions import ConditionType
from tests.builders import Manifest
from tests.e2e.cluster import Cluster, clients_of
from tests.e2e.world import World
from tests.waiting import until


@pytest.fixture
def checking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A stack whose worker looks host names up, which the local one does not do by default."""
    settings = StackSettings(fast=True, environment={"MESHWRIGHT_DNS_CHECK": "true"})
    with LocalStack(tmp_path_factory.mktemp("dns"), settings) as stack, clients_of(stack) as cluster:
        yield cluster


def by_dns(world: World, name: str, host: str) -> Manifest:
    """A node that is found under a host name."""
    return world.node(name, serviceDiscovery={"dns": {"hostName": host}})


def test_a_name_that_does_not_resolve_is_a_warning_and_correcting_it_is_told(checking: Cluster) -> None:
    """Both nodes are Active; each says whether its name resolves here, in the status write that it makes anyway."""
    world = checking.world("dns")
    known, unknown = by_dns(world, "known", "localhost"), by_dns(world, "unknown", "no-such-host.invalid")
    checking.converge(world.mesh(), known, unknown)

    def resolvable(node: Manifest) -> dict[str, str]:
        return checking.kubernetes.condition(node, ConditionType.DNS_RESOLVABLE)

    assert until(partial(resolvable, known), what="an answer")["status"] == "True"
    warning = until(partial(resolvable, unknown), what="an answer")
    assert (warning["status"], warning["reason"]) == ("False", "NotResolved")
    assert warning["message"].startswith("no-such-host.invalid does not resolve where Meshwright runs: ")

    corrected = by_dns(world, "unknown", "localhost")
    checking.converge(corrected)
    until(partial(resolvable, corrected), lambda found: found.get("status") == "True", "the warning to go")
