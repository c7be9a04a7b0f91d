"""The annotations on deletion are read as they are written, and a value that nobody can mean is told."""

import pytest

from resources import cloud_map, drift
from resources.annotations import (
    ANNOTATIONS,
    DELETION_POLICY,
    MESH_DELETION,
    DeletionPolicy,
    MeshDeletion,
    cascades,
    check,
    deletion_policy,
    mesh_deletion,
)
from resources.errors import InvalidResource
from workflows.planning.routing import ANNOTATION, RoutingUpdate


def test_without_annotations_a_mesh_cascades_and_the_policy_is_left_to_who_made_what() -> None:
    """The defaults, which are the reference controller's for what it made itself."""
    assert deletion_policy({}) is None
    assert mesh_deletion({}) is MeshDeletion.CASCADE
    assert cascades({})


@pytest.mark.parametrize("policy", DeletionPolicy)
def test_a_deletion_policy_is_read(policy: DeletionPolicy) -> None:
    """As written, in the spelling of Kubernetes' own reclaim policies."""
    assert deletion_policy({DELETION_POLICY: str(policy)}) is policy


@pytest.mark.parametrize(
    ("annotations", "cascade"),
    [
        pytest.param({MESH_DELETION: "Cascade"}, True, id="cascade"),
        pytest.param({MESH_DELETION: "Block"}, False, id="block"),
        pytest.param({DELETION_POLICY: "Delete"}, True, id="delete"),
        pytest.param({DELETION_POLICY: "Retain"}, False, id="retained"),
        pytest.param({MESH_DELETION: "Cascade", DELETION_POLICY: "Retain"}, False, id="retained-in-any-case"),
        pytest.param({MESH_DELETION: "block"}, False, id="misspelt"),
        pytest.param({DELETION_POLICY: "Keep"}, False, id="unknown-policy"),
    ],
)
def test_members_go_with_their_mesh_only_where_that_is_surely_meant(annotations: dict[str, str], cascade: bool) -> None:
    """Of two readings, the one that destroys nothing."""
    assert cascades(annotations) is cascade


@pytest.mark.parametrize(
    ("name", "value", "choices"),
    [
        pytest.param(DELETION_POLICY, "retain", "Delete, Retain", id="lower-case"),
        pytest.param(DELETION_POLICY, "", "Delete, Retain", id="empty"),
        pytest.param(MESH_DELETION, "Orphan", "Cascade, Block", id="mesh-deletion"),
    ],
)
def test_an_unknown_value_is_named_with_what_may_stand_there(name: str, value: str, choices: str) -> None:
    """In a condition of the resource, long before it is deleted."""
    with pytest.raises(InvalidResource) as refused:
        check({name: value})
    assert str(refused.value) == f"metadata.annotations[{name}]: must be one of {choices}"


@pytest.mark.parametrize("value", ["", ",", "shop,", "*,shop", "shop *", "Shop", "-shop", "shop.local", "s" * 64])
def test_namespaces_that_cannot_be_names_are_told(value: str) -> None:
    """Whom a node lets in is not guessed."""
    with pytest.raises(InvalidResource) as refused:
        check({cloud_map.POD_NAMESPACES: value})
    field = f"metadata.annotations[{cloud_map.POD_NAMESPACES}]"
    assert str(refused.value) == f"{field}: must be names of namespaces, comma-separated, or *"


def test_the_reference_lists_the_values_that_the_code_takes() -> None:
    """Those of the routing too, which are read elsewhere."""
    values = {annotation.name: annotation.values for annotation in ANNOTATIONS}
    assert values[ANNOTATION] == tuple(RoutingUpdate)
    assert values[drift.ANNOTATION] == tuple(drift.DriftPolicy)
    assert values[DELETION_POLICY] == tuple(DeletionPolicy)
    assert values[MESH_DELETION] == tuple(MeshDeletion)
