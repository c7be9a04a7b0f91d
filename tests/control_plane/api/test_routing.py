import pytest
from botocore.serialize import create_serializer
from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.api.errors import BadRequest, MethodNotAllowed, UnknownOperation
from control_plane.api.routing import RoutingTable
from control_plane.api.service_model import operations
from tests.control_plane.shapes import values

TABLE = RoutingTable(operations())
OPERATIONS = {operation.name: operation for operation in operations()}
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30)


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=12)
@given(data=st.data())
def test_what_botocore_sends_arrives_at_its_operation(name, data):
    """Method and path as botocore builds them lead back to the operation and to every name in the path."""
    operation = OPERATIONS[name]
    parameters = data.draw(values(operation.input_shape))
    path = [member for member, shape in operation.input_shape.members.items() if _in_path(shape)]
    parameters |= {member: data.draw(NAMES.filter(lambda text: text not in (".", ".."))) for member in path}
    sent = create_serializer("rest-json", include_validation=False).serialize_to_request(parameters, operation)
    match = TABLE.match(sent["method"], sent["url_path"])
    assert match.operation.name == name
    assert match.uri_parameters == {member: parameters[member] for member in path}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/", id="root"),
        pytest.param("/v20190125", id="prefix alone"),
        pytest.param("/v20190125/", id="prefix and slash"),
        pytest.param("/v20190125/mesh", id="no such word"),
        pytest.param("/v20190125/meshes/", id="trailing slash"),
        pytest.param("/v20190125/meshes//virtualNodes", id="empty name"),
        pytest.param("/v20190125/meshes/m/routes", id="routes without router"),
        pytest.param("/v20190125/meshes/m/virtualRouter/r", id="singular where plural belongs"),
        pytest.param("/v20190125/meshes/m/virtualRouters/r/routes", id="plural where singular belongs"),
        pytest.param("/v20190125/meshes/m/virtualNodes/n/x", id="too deep"),
        pytest.param("/v20181001/meshes", id="another API version"),
    ],
)
def test_a_url_of_no_operation_is_unknown(path):
    """Anything but the model's URLs is an unknown operation."""
    with pytest.raises(UnknownOperation):
        TABLE.match("GET", path)


def test_a_wrong_method_is_told_the_right_ones():
    """A URL that exists says which methods it has."""
    with pytest.raises(MethodNotAllowed) as refused:
        TABLE.match("POST", "/v20190125/meshes/m")
    assert refused.value.allowed == ("DELETE", "GET", "PUT")
    assert refused.value.status == 405


@pytest.mark.parametrize("name", [pytest.param("%ff", id="not UTF-8"), pytest.param("a%00b", id="NUL")])
def test_a_name_that_is_no_text_is_refused(name):
    """What cannot be stored is refused before anybody looks for it."""
    with pytest.raises(BadRequest):
        TABLE.match("GET", f"/v20190125/meshes/{name}")


def _in_path(shape):
    return shape.serialization.get("location") == "uri"
