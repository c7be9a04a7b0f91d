import pytest

from control_plane.api.arns import ArnFormat
from control_plane.api.errors import BadRequest, NotFound
from control_plane.store.records import ObjectKey

ARNS = ArnFormat("us-west-2", "123456789012")
PREFIX = "arn:aws:appmesh:us-west-2:123456789012:"
KNOWN = [
    pytest.param(ObjectKey("mesh", "", "", "m"), "mesh/m", id="mesh"),
    pytest.param(ObjectKey("virtualNode", "m", "", "n"), "mesh/m/virtualNode/n", id="node"),
    pytest.param(ObjectKey("virtualService", "m", "", "s.local"), "mesh/m/virtualService/s.local", id="service"),
    pytest.param(ObjectKey("virtualService", "m", "", "a/b:c d"), "mesh/m/virtualService/a/b:c d", id="odd service"),
    pytest.param(
        ObjectKey("virtualService", "m", "", "x:mesh/y"), "mesh/m/virtualService/x:mesh/y", id="misleading service"
    ),
    pytest.param(ObjectKey("virtualRouter", "m", "", "r"), "mesh/m/virtualRouter/r", id="router"),
    pytest.param(ObjectKey("route", "m", "r", "x"), "mesh/m/virtualRouter/r/route/x", id="route"),
    pytest.param(ObjectKey("virtualGateway", "m", "", "g"), "mesh/m/virtualGateway/g", id="gateway"),
    pytest.param(
        ObjectKey("gatewayRoute", "m", "g", "x"), "mesh/m/virtualGateway/g/gatewayRoute/x", id="gateway route"
    ),
]


@pytest.mark.parametrize(("key", "path"), KNOWN)
def test_each_kind_has_its_documented_arn(key, path):
    """ARNs are built as documented, and read back to the same object."""
    assert ARNS.of(key) == PREFIX + path
    assert ARNS.parse(PREFIX + path) == key


@pytest.mark.parametrize(
    "arn",
    [
        pytest.param("mesh/m", id="path only"),
        pytest.param("arn:aws:appmesh:us-west-2:123456789012:m", id="without mesh/"),
        pytest.param(f"{PREFIX}mesh/", id="no name"),
        pytest.param(f"{PREFIX}mesh/m/route/x", id="route without router"),
        pytest.param(f"{PREFIX}mesh/m/virtualNode/n/route/x", id="route of a node"),
        pytest.param(f"{PREFIX}mesh/m/virtualRouter/r/gatewayRoute/x", id="gateway route of a router"),
        pytest.param(f"{PREFIX}mesh/m/mesh/n", id="mesh in a mesh"),
        pytest.param("a:mesh/m", id="no ARN"),
    ],
)
def test_what_is_no_arn_of_app_mesh_is_refused(arn):
    """A malformed ARN is the caller's mistake."""
    with pytest.raises(BadRequest, match="is not the ARN of an App Mesh object"):
        ARNS.parse(arn)


@pytest.mark.parametrize(
    "account",
    [
        pytest.param("arn:aws:appmesh:us-west-2:999999999999:", id="other account"),
        pytest.param("arn:aws:appmesh:eu-west-1:123456789012:", id="other region"),
        pytest.param("arn:aws-cn:appmesh:us-west-2:123456789012:", id="other partition"),
    ],
)
def test_an_object_elsewhere_is_not_found(account):
    """Objects of other accounts and regions are not here."""
    with pytest.raises(NotFound, match="is not here"):
        ARNS.parse(f"{account}mesh/m")
