"""Workflow ids: made and read in one place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.kinds import Kind
from workflows.names import WORKFLOWS, cluster_prefix, parse_workflow_id, summary, workflow_id

labels = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,8}[a-z0-9])?", fullmatch=True)
namespaces = st.none() | labels


@given(cluster=labels, kind=st.sampled_from(Kind), namespace=namespaces, name=labels)
def test_a_workflow_id_reads_back_as_what_it_was_made_from(cluster, kind, namespace, name):
    """And begins with its cluster's prefix."""
    id = workflow_id(cluster, kind, namespace, name)
    assert parse_workflow_id(cluster, id) == (kind, namespace, name)
    assert id.startswith(cluster_prefix(cluster))


@given(
    one=st.tuples(labels, st.sampled_from(Kind), namespaces, labels),
    other=st.tuples(labels, st.sampled_from(Kind), namespaces, labels),
)
def test_two_resources_never_share_a_workflow(one, other):
    """Ids are equal only for equal resources."""
    assert (workflow_id(*one) == workflow_id(*other)) == (one == other)


@pytest.mark.parametrize(
    "id",
    [
        pytest.param("green/mesh/-/shop", id="another-cluster"),
        pytest.param("blue/gatewayroute/prod/x", id="another-kind"),
        pytest.param("blue/mesh/shop", id="too-short"),
        pytest.param("blue/virtualnode/prod/cart/2", id="too-long"),
        pytest.param("", id="empty"),
    ],
)
def test_ids_of_others_are_not_ours(id):
    """Several clusters, and other people's workflows, may share a Temporal namespace."""
    assert parse_workflow_id("blue", id) is None


def test_ids_and_summaries_are_fit_to_be_read():
    """What an operator meets in the Temporal UI."""
    assert workflow_id("blue", Kind.MESH, None, "shop") == "blue/mesh/-/shop"
    assert workflow_id("blue", Kind.VIRTUAL_NODE, "prod", "cart") == "blue/virtualnode/prod/cart"
    assert summary(Kind.MESH, None, "shop") == "Mesh shop"
    assert summary(Kind.VIRTUAL_NODE, "prod", "cart") == "VirtualNode prod/cart"
    assert list(WORKFLOWS.values()) == ["Mesh", "VirtualNode", "VirtualService"]
