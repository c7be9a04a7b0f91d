from urllib.parse import urlencode

import pytest
from botocore.serialize import create_serializer
from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.api.decoding import decode
from control_plane.api.errors import BadRequest
from control_plane.api.routing import Match, RoutingTable
from control_plane.api.service_model import operations
from tests.control_plane.shapes import values

OPERATIONS = {operation.name: operation for operation in operations()}
TABLE = RoutingTable(OPERATIONS.values())


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=12)
@given(data=st.data())
def test_what_botocore_encodes_is_what_we_read(name, data):
    """Every parameter that the model allows survives the way through botocore's encoder and our decoder."""
    operation = OPERATIONS[name]
    parameters = data.draw(values(operation.input_shape).map(_with_plain_names))
    sent = create_serializer("rest-json", include_validation=False).serialize_to_request(parameters, operation)
    match = TABLE.match(sent["method"], sent["url_path"])
    assert decode(match, urlencode(sent["query_string"]).replace("+", "%20"), sent["body"] or b"") == parameters


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param(b"{", "not JSON", id="cut off"),
        pytest.param(b"\xff", "not JSON", id="not UTF-8"),
        pytest.param(b'{"meshName": NaN}', "NaN is not JSON", id="NaN"),
        pytest.param(b"[" * 100_000, "not JSON", id="too deep"),
        pytest.param(b"[]", "must be a JSON object, not list", id="list"),
        pytest.param(b'"m"', "must be a JSON object, not str", id="string"),
        pytest.param(b"", "meshName: is required", id="empty"),
        pytest.param(b"{}", "meshName: is required", id="nothing in it"),
        pytest.param(b'{"meshName": null}', "meshName: is required", id="null is absent"),
    ],
)
def test_a_body_that_is_no_request_is_refused(body, says):
    """The caller learns what is wrong with the body."""
    with pytest.raises(BadRequest, match=says):
        decode(Match(OPERATIONS["CreateMesh"], {}), "", body)


def test_no_input_has_a_payload_member():
    """The decoder relies on it: bodies are objects of members."""
    assert not [name for name, each in OPERATIONS.items() if "payload" in each.input_shape.serialization]


def test_members_that_the_model_does_not_know_are_ignored():
    """A newer client may send members that are not in our model."""
    body = b'{"meshName": "m", "colour": "red", "spec": {"egressFilter": {"type": "DROP_ALL", "since": 1}}}'
    parameters = decode(Match(OPERATIONS["CreateMesh"], {}), "unknown=1&&=", body)
    assert parameters == {"meshName": "m", "spec": {"egressFilter": {"type": "DROP_ALL"}}}


def test_the_body_cannot_speak_for_the_path():
    """A member that belongs into the path or query is not taken from the body."""
    match = Match(OPERATIONS["UpdateMesh"], {"meshName": "in-path"})
    assert decode(match, "", b'{"meshName": "in-body"}') == {"meshName": "in-path"}


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        pytest.param("0", "limit: must be at least 1, is 0", id="too small"),
        pytest.param("101", "limit: must be at most 100, is 101", id="too large"),
        pytest.param("ten", "limit: must be a whole number, not 'ten'", id="word"),
        pytest.param("", "limit: must be a whole number, not ''", id="empty"),
        pytest.param("9" * 5000, "limit: must be a whole number", id="absurd"),
    ],
)
def test_a_limit_out_of_bounds_is_refused(limit, says):
    """Numbers in the query string are checked like those in the body."""
    with pytest.raises(BadRequest, match=says):
        decode(Match(OPERATIONS["ListMeshes"], {}), f"limit={limit}", b"")


def _with_plain_names(parameters):
    """Names in paths are another test's business."""
    return {name: "name" if name.endswith("Name") else value for name, value in parameters.items()}
