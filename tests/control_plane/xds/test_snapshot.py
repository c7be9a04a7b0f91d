"""Versions of resources and snapshots come from their content alone."""

from envoy.config.cluster.v3.cluster_pb2 import Cluster

from control_plane.xds.snapshot import Kind, Resource, Snapshot


def _cluster(name, seconds=1):
    message = Cluster(name=name)
    message.connect_timeout.seconds = seconds
    return Resource.of(Kind.CLUSTER, name, message)


def _snapshot(*clusters):
    return Snapshot({Kind.CLUSTER: {each.name: each for each in clusters}})


def test_equal_content_has_one_version():
    """So replicas and restarts agree without telling each other anything."""
    assert _cluster("a") == _cluster("a")
    assert _snapshot(_cluster("a"), _cluster("b")).version(Kind.CLUSTER) == (
        _snapshot(_cluster("b"), _cluster("a")).version(Kind.CLUSTER)
    )


def test_a_change_moves_the_version_of_its_kind_only():
    """Other kinds need not be sent again."""
    before, after = _snapshot(_cluster("a")), _snapshot(_cluster("a", seconds=2))
    assert before.version(Kind.CLUSTER) != after.version(Kind.CLUSTER)
    assert before.version(Kind.LISTENER) == after.version(Kind.LISTENER)
