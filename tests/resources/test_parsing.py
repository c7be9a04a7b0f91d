"""Kubernetes objects in, models out, or one error that names the field."""

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from resources.errors import InvalidResource
from resources.kinds import Kind
from resources.parsing import parse_mesh, parse_virtual_node, parse_virtual_service
from tests.bad_inputs import APP_MESH, BAD_INPUTS, MESHWRIGHT, SCHEMA
from tests.builders import http_route, mesh, stored, virtual_node, virtual_service
from tests.resources import strategies

PARSERS: dict[str, Callable[[Any], Any]] = {
    Kind.MESH: parse_mesh,
    Kind.VIRTUAL_NODE: parse_virtual_node,
    Kind.VIRTUAL_SERVICE: parse_virtual_service,
}


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in (*SCHEMA, *MESHWRIGHT)])
def test_a_mistake_is_reported_with_its_field(case):
    """What the schema refuses is refused here too, at the same field; so is what only the namespaced name shows."""
    with pytest.raises(InvalidResource) as refused:
        PARSERS[case.manifest["kind"]](case.manifest)
    assert refused.value.field == case.field
    assert refused.value.message
    assert str(refused.value) == f"{case.field}: {refused.value.message}"


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in APP_MESH])
def test_what_only_app_mesh_judges_is_let_through(case):
    """We do not second-guess App Mesh: its own message is the better one."""
    assert PARSERS[case.manifest["kind"]](case.manifest)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in BAD_INPUTS])
def test_a_mended_mistake_is_accepted(case):
    """The table's mended objects are valid, so that a test can show recovery."""
    assert PARSERS[case.fixed["kind"]](case.fixed)


def test_identities_of_bad_inputs_are_their_own():
    """The whole table can be applied at once."""
    identities = [(case.manifest["kind"], case.manifest["metadata"]["name"]) for case in BAD_INPUTS]
    assert len(set(identities)) == len(identities) >= 30
    assert len({case.id for case in BAD_INPUTS}) == len(BAD_INPUTS)


def test_unknown_fields_are_ignored():
    """Manifests in the wild carry fields of other controllers; they mean nothing here and do no harm."""
    manifest = virtual_node(podSelector={"matchLabels": {"app": "cart"}})
    assert parse_virtual_node(manifest) == parse_virtual_node(virtual_node())


@pytest.mark.parametrize(
    "manifest", [pytest.param({"metadata": {"name": "shop"}} | more, id=str(more)) for more in ({}, {"spec": None})]
)
def test_a_mesh_needs_no_spec(manifest):
    """A mesh without a spec is a mesh with an empty one."""
    assert parse_mesh(manifest).spec == parse_mesh(mesh()).spec


def test_a_namespace_on_a_mesh_does_no_harm():
    """Public manifests write one, although a Mesh lives in none."""
    manifest = mesh()
    manifest["metadata"]["namespace"] = "prod"
    assert parse_mesh(manifest).metadata.name == "shop"


def test_a_field_without_a_value_is_absent():
    """`match:` with nothing after it means "the header is there", as the API server prunes nulls."""
    written = virtual_service(routes=[http_route(headers=[{"name": "color", "match": None}], method=None)])
    meant = virtual_service(routes=[http_route(headers=[{"name": "color"}])])
    assert parse_virtual_service(written) == parse_virtual_service(meant)


def test_metadata_of_a_stored_object_is_kept():
    """Identity, version and deletion are what workflows go by."""
    manifest = stored(
        virtual_node(), uid="u-7", generation=3, deletionTimestamp="2026-01-02T00:00:00Z", finalizers=["f"]
    )
    metadata = parse_virtual_node(manifest).metadata
    assert (metadata.uid, metadata.generation, metadata.finalizers) == ("u-7", 3, ("f",))
    assert metadata.being_deleted


def test_the_status_of_an_older_controller_is_understood():
    """Its conditions carry neither reason nor message, and its ARNs may be missing."""
    manifest = mesh() | {"status": {"meshCondition": [{"type": "MeshActive", "status": "True"}]}}
    assert parse_mesh(manifest).status.mesh_condition[0].status == "True"


@pytest.mark.parametrize("spec", [pytest.param("text", id="text"), pytest.param(["list"], id="list")])
def test_a_spec_that_is_no_object_is_refused(spec):
    """An object where text or a list stands is one mistake, not many."""
    with pytest.raises(InvalidResource) as refused:
        parse_virtual_node(virtual_node() | {"spec": spec})
    assert refused.value.field == "spec"


def test_long_values_are_not_repeated_in_the_message():
    """A message names the field and the rule; a long value would drown both."""
    with pytest.raises(InvalidResource) as refused:
        parse_virtual_node(virtual_node(meshName="m" * 1000))
    assert "mmm" not in refused.value.message


def test_an_invalid_resource_survives_pickling():
    """It may cross a process border on its way to a condition."""
    error = pickle.loads(pickle.dumps(InvalidResource("spec.meshName", "is missing")))
    assert (error.field, error.message, str(error)) == ("spec.meshName", "is missing", "spec.meshName: is missing")


@given(manifest=strategies.meshes() | strategies.virtual_nodes() | strategies.virtual_services())
def test_writing_a_model_and_reading_it_again_changes_nothing(manifest):
    """A model's JSON is a manifest of the same meaning."""
    parse = PARSERS[manifest["kind"]]
    model = parse(manifest)
    assert parse(model.to_json()) == model
