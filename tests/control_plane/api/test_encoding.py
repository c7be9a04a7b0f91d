import json

import pytest
from botocore.parsers import create_parser
from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.api.encoding import encode
from control_plane.api.service_model import operations
from tests.control_plane.shapes import values

OPERATIONS = {operation.name: operation for operation in operations()}
CREATE_MESH = OPERATIONS["CreateMesh"]


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=12)
@given(data=st.data())
def test_what_we_encode_is_what_botocore_reads(name, data):
    """Every answer that the model allows survives our encoder and botocore's parser."""
    operation = OPERATIONS[name]
    answer = data.draw(values(operation.output_shape))
    response = {"body": encode(operation, answer), "headers": {}, "status_code": 200}
    parsed = create_parser("rest-json").parse(response, operation.output_shape)
    parsed.pop("ResponseMetadata")
    assert _seconds(parsed) == answer


def test_the_payload_member_is_the_whole_body():
    """A mesh is answered bare, not wrapped in a member `mesh`."""
    assert json.loads(encode(CREATE_MESH, {"mesh": {"meshName": "m"}})) == {"meshName": "m"}


def test_a_list_is_wrapped_and_lacks_what_is_none():
    """The last page has no nextToken at all."""
    assert encode(OPERATIONS["ListMeshes"], {"meshes": [], "nextToken": None}) == b'{"meshes":[]}'


def test_timestamps_are_epoch_seconds_with_milliseconds():
    """rest-json wants seconds since the epoch; more than milliseconds nobody needs."""
    body = encode(CREATE_MESH, {"mesh": {"metadata": {"createdAt": 1573689870.5134567}}})
    assert json.loads(body) == {"metadata": {"createdAt": 1573689870.513}}


def test_what_the_shape_does_not_know_is_not_shown():
    """A member that the model lacks stays inside."""
    assert json.loads(encode(CREATE_MESH, {"mesh": {"meshName": "m", "revision": 7}})) == {"meshName": "m"}


def _seconds(value):
    if isinstance(value, dict):
        return {name: _seconds(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_seconds(item) for item in value]
    return round(value.timestamp(), 3) if hasattr(value, "timestamp") else value
