"""Node ids: both forms of App Mesh, and nothing else."""

import pytest

from control_plane.xds.proxies import MalformedNodeId, ProxyId, parse

ACCOUNT = "000000000000"


@pytest.mark.parametrize("prefix", ["", f"arn:aws:appmesh:us-west-2:{ACCOUNT}:"])
@pytest.mark.parametrize("kind", ["virtualNode", "virtualGateway"])
def test_both_forms_name_the_proxy(prefix, kind):
    """What App Mesh's agent sends, in its long and its short form."""
    assert parse(f"{prefix}mesh/shop/{kind}/color_web", ACCOUNT) == ProxyId("shop", kind, "color_web")


@pytest.mark.parametrize(
    "node_id",
    [
        "",
        "envoy-1",
        "mesh/shop",
        "mesh/shop/virtualRouter/r",
        "mesh//virtualNode/n",
        "mesh/shop/virtualNode/n/extra",
        "mesh/shop/virtualNode/n\n",
        "arn:aws:s3:us-west-2:000000000000:mesh/shop/virtualNode/n",
        "x" * 10_000,
    ],
)
def test_anything_else_is_refused_by_name(node_id):
    """The message shows what was sent, cut to a readable length."""
    with pytest.raises(MalformedNodeId, match="expected mesh/MESH/virtualNode/NODE") as caught:
        parse(node_id, ACCOUNT)
    assert len(str(caught.value)) < 400


def test_an_arn_of_another_account_is_refused():
    """The mesh of that name here is not the one that is meant."""
    with pytest.raises(MalformedNodeId, match="of account 111111111111, not of 000000000000"):
        parse("arn:aws:appmesh:us-west-2:111111111111:mesh/shop/virtualNode/n", ACCOUNT)
