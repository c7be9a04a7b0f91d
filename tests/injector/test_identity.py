"""Which virtual node a pod is."""

import pytest

from control_plane.xds.proxies import ProxyId
from injector.annotations import Asked
from injector.directory import Directory
from injector.identity import identify, owners_of
from tests.injector.cases import MESH, NAMESPACE, node, owned_by, pod


def owned(kind: str, name: str, **labels: str):
    """A pod of a controller."""
    return pod("any", None, labels=labels, metadata={"ownerReferences": [owned_by(kind, name, "apps/v1")]})


@pytest.mark.parametrize(
    ("made", "owners"),
    [
        pytest.param(pod("any", None), (), id="nobody"),
        pytest.param(owned("Node", "machine"), ("machine",), id="static"),
        pytest.param(pod("any", "cart"), ("cart",), id="deployment"),
        pytest.param(owned("ReplicaSet", "cart-x1"), ("cart-x1",), id="replica-set-of-its-own"),
        pytest.param(owned("DaemonSet", "agent"), ("agent",), id="daemon-set"),
        pytest.param(owned("Job", "once"), ("once",), id="job"),
        pytest.param(owned("Job", "nightly-29401230"), ("nightly-29401230", "nightly"), id="cron-job"),
        pytest.param(owned("Job", "report-20260801"), ("report-20260801",), id="job-with-a-date"),
        pytest.param(owned("Job", "report-99999999"), ("report-99999999",), id="job-with-a-number"),
        pytest.param(owned("Job", "-29401230"), ("-29401230",), id="nothing-but-a-stamp"),
    ],
)
def test_a_pod_is_named_after_what_it_was_made_for(made, owners):
    """Not after what stands between."""
    assert owners_of(made) == owners


def test_a_rollouts_replica_set_is_seen_through_too():
    """Argo Rollouts labels its pods in its own way."""
    metadata = {
        "labels": {"rollouts-pod-template-hash": "abc"},
        "ownerReferences": [owned_by("ReplicaSet", "cart-abc", "apps/v1")],
    }
    assert owners_of(pod("any", None, metadata=metadata)) == ("cart",)


def test_an_owner_that_is_no_controller_gives_no_name():
    """Garbage collection has owners of its own."""
    reference = owned_by("ConfigMap", "cart", "v1") | {"controller": False}
    assert owners_of(pod("any", None, metadata={"ownerReferences": [reference]})) == ()


@pytest.mark.parametrize(
    ("job", "node_name"),
    [
        pytest.param("report-20260801", "report-20260801", id="date"),
        pytest.param("report-29401230", "report", id="stamp"),
    ],
)
def test_a_job_that_no_node_is_called_after_takes_a_cron_jobs_name_only_by_a_stamp(job, node_name):
    """A date is no minute since 1970: such a Job must not come to be another node in silence."""
    identity = identify(owned("Job", job), NAMESPACE, Asked(), Directory([node("report")]), MESH)
    assert identity is not None
    assert identity.node == ProxyId(MESH, "virtualNode", f"{node_name}-{NAMESPACE}")
    assert (identity.doubt is None) is (node_name == "report")


def test_a_node_that_is_called_as_the_whole_job_comes_first():
    """What only looks like a stamp is part of the name then."""
    directory = Directory([node("report"), node("report-29401230")])
    identity = identify(owned("Job", "report-29401230"), NAMESPACE, Asked(), directory, None)
    assert identity is not None
    assert identity.node == ProxyId(MESH, "virtualNode", f"report-29401230-{NAMESPACE}")


def test_a_cron_job_that_no_node_is_called_after_is_told_by_its_own_name():
    """Not by that of one of its Jobs."""
    identity = identify(owned("Job", "report-29401230"), NAMESPACE, Asked(), Directory(), MESH)
    assert identity is not None
    assert identity.node == ProxyId(MESH, "virtualNode", f"report-{NAMESPACE}")


def test_names_with_dots_follow_the_naming_rule():
    """The Deployment `cart.v2` is the node that the VirtualNode `cart.v2` is."""
    directory = Directory([node("cart.v2")])
    identity = identify(pod("any", "cart.v2"), NAMESPACE, Asked(), directory, None)
    assert identity is not None
    assert (identity.node, identity.doubt) == (ProxyId(MESH, "virtualNode", "cart-v2"), None)


def test_the_mesh_is_the_nodes_whatever_the_default():
    """The default is for pods whose node has no resource."""
    identity = identify(pod("any", "cart"), NAMESPACE, Asked(), Directory([node("cart")]), "default")
    assert identity is not None
    assert identity.node == ProxyId(MESH, "virtualNode", f"cart-{NAMESPACE}")


def test_the_default_mesh_tells_two_nodes_apart():
    """Where it is the mesh of one of them."""
    directory = Directory([node("cart", "east"), node(f"cart.{NAMESPACE}", "west", "elsewhere")])
    identity = identify(pod("any", "cart"), NAMESPACE, Asked(), directory, "west")
    assert identity is not None
    assert (identity.node, identity.doubt) == (ProxyId("west", "virtualNode", f"cart-{NAMESPACE}"), None)


def test_of_two_in_one_mesh_there_is_nothing_to_doubt():
    """They are one object in App Mesh, and whose it is concerns the pod no more than it does App Mesh."""
    directory = Directory([node("cart"), node(f"cart.{NAMESPACE}", namespace="elsewhere")])
    identity = identify(pod("any", "cart"), NAMESPACE, Asked(), directory, None)
    assert identity is not None
    assert identity.doubt is None


def test_a_node_that_goes_is_forgotten_and_one_that_changes_is_known_anew():
    """What the watch tells."""
    directory = Directory([node("cart")])
    directory.add(node("cart", "other"))
    assert [known.mesh for known in directory.named(f"cart-{NAMESPACE}")] == ["other"]
    directory.remove(node("cart"))
    directory.remove(node("cart"))
    assert directory.named(f"cart-{NAMESPACE}") == ()
    assert not directory.has_mesh("other")
