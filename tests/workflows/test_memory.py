"""What may exist in App Mesh for a resource that we have no memory of, and where to look."""

from typing import Any

import pytest

from activities.objects import ApiKind, ApiObject
from resources.kinds import Kind
from tests.builders import Manifest, mesh, virtual_node, virtual_service
from tests.workflows.snapshots import desired, node, router, service, snapshot
from workflows.planning.memory import may_exist, places_to_look, routers_among

ARN = "arn:aws:appmesh:us-west-2:000000000000:mesh/shop"
TRUE = {"type": "X", "status": "True"}
FALSE = {"type": "X", "status": "False"}


@pytest.mark.parametrize(
    ("manifest", "status", "expected"),
    [
        pytest.param(virtual_service(), {}, False, id="new"),
        pytest.param(virtual_service(), {"conditions": [FALSE]}, False, id="waited-so-far"),
        pytest.param(virtual_service(), {"conditions": [FALSE, TRUE]}, True, id="condition-of-another-controller"),
        pytest.param(mesh(), {"meshCondition": [TRUE]}, True, id="mesh-condition"),
        pytest.param(mesh(), {"meshArn": ARN}, True, id="mesh-arn"),
        pytest.param(virtual_node(), {"meshArn": ARN}, False, id="arn-of-the-mesh-is-not-the-nodes"),
        pytest.param(virtual_node(), {"virtualNodeArn": f"{ARN}/virtualNode/cart-prod"}, True, id="node-arn"),
        pytest.param(virtual_service(), {"virtualRouterArn": f"{ARN}/virtualRouter/r"}, True, id="router-arn"),
    ],
)
def test_status_tells_whether_somebody_made_anything(
    manifest: Manifest, status: dict[str, Any], expected: bool
) -> None:
    """A new resource is created without a look first, so that creating costs no read."""
    assert may_exist(snapshot(manifest, status=status)) is expected


@pytest.mark.parametrize(
    ("finalizers", "expected"),
    [
        pytest.param([], False, id="nothing-was-begun"),
        pytest.param([Kind.VIRTUAL_NODE.finalizer], True, id="ours-is-put-on-before-the-first-create"),
        pytest.param(["example.com/keep"], False, id="somebody-elses"),
    ],
)
def test_finalizer_tells_whether_a_deleted_resource_left_anything(finalizers: list[str], expected: bool) -> None:
    """Also when a crash came between the first create and the first status."""
    leaving = snapshot(virtual_node(), finalizers=finalizers, deletionTimestamp="2026-01-02T00:00:00Z")
    assert may_exist(leaving) is expected


def test_both_what_was_recorded_and_what_is_named_are_looked_at() -> None:
    """The router was renamed while nobody had a memory: the old one has to be found to be removed."""
    status = {
        "virtualServiceArn": f"{ARN}/virtualService/{service().name}",
        "virtualRouterArn": f"{ARN}/virtualRouter/old",
    }
    sighted = snapshot(virtual_service(), status=status)
    places = places_to_look(sighted, desired(virtual_service()))
    assert places == (service(), router("old"), router("cart-router-prod"))
    assert routers_among(places) == (router("old"), router("cart-router-prod"))


def test_unreadable_spec_leaves_what_was_recorded() -> None:
    """So even such a resource can be deleted."""
    sighted = snapshot(virtual_node(), status={"virtualNodeArn": f"{ARN}/virtualNode/cart-prod"})
    assert places_to_look(sighted, None) == (node(),)


def test_nonsense_in_a_status_is_no_place() -> None:
    """Somebody wrote into it."""
    assert places_to_look(snapshot(mesh(), status={"meshArn": "nonsense"}), desired(mesh())) == (
        ApiObject(kind=ApiKind.MESH, mesh="shop", name="shop"),
    )
