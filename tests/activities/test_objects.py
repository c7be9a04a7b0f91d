"""App Mesh objects by identity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.names import DESCRIBES, WRITES, Verb, operation
from activities.objects import ApiKind, ApiObject

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,30}", fullmatch=True)
ARN = "arn:aws:appmesh:us-west-2:000000000000:mesh"


@st.composite
def api_objects(draw: st.DrawFn) -> ApiObject:
    """Any object that we write."""
    kind = draw(st.sampled_from(ApiKind))
    mesh = draw(names)
    if kind is ApiKind.MESH:
        return ApiObject.mesh_object(mesh)
    return ApiObject(kind=kind, mesh=mesh, name=draw(names), router=draw(names) if kind is ApiKind.ROUTE else None)


def arn_of(object: ApiObject) -> str:
    """The ARN that App Mesh gives an object (service authorization reference, resource types)."""
    below = {
        ApiKind.MESH: "",
        ApiKind.VIRTUAL_NODE: f"/virtualNode/{object.name}",
        ApiKind.VIRTUAL_SERVICE: f"/virtualService/{object.name}",
        ApiKind.VIRTUAL_ROUTER: f"/virtualRouter/{object.name}",
        ApiKind.ROUTE: f"/virtualRouter/{object.router}/route/{object.name}",
    }[object.kind]
    return f"{ARN}/{object.mesh}{below}"


@given(api_objects())
def test_object_is_read_back_from_its_arn(object: ApiObject) -> None:
    """An ARN in a status is enough to find the object again."""
    assert ApiObject.from_arn(arn_of(object)) == object


@pytest.mark.parametrize(
    "arn",
    [
        pytest.param("", id="empty"),
        pytest.param("arn:aws:iam::000000000000:role/x", id="another-service"),
        pytest.param(f"{ARN}/shop/virtualGateway/in", id="kind-that-we-do-not-write"),
        pytest.param(f"{ARN}/shop/virtualGateway/in/gatewayRoute/all", id="gateway-route"),
        pytest.param(f"{ARN}/shop/virtualRouter/r/route/a/b", id="too-deep"),
        pytest.param(f"{ARN}/", id="no-mesh"),
        pytest.param("mesh/shop", id="no-arn"),
    ],
)
def test_arn_of_something_else_is_not_an_object(arn: str) -> None:
    """What somebody wrote into a status is not trusted to be ours."""
    found = ApiObject.from_arn(arn)
    assert found is None


@pytest.mark.parametrize(
    ("object", "identity", "text"),
    [
        (ApiObject.mesh_object("shop"), {"meshName": "shop"}, "mesh shop"),
        (
            ApiObject(kind=ApiKind.VIRTUAL_NODE, mesh="shop", name="cart-prod"),
            {"meshName": "shop", "virtualNodeName": "cart-prod"},
            "virtual node cart-prod",
        ),
        (
            ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh="shop", name="cart-router-prod"),
            {"meshName": "shop", "virtualRouterName": "cart-router-prod"},
            "router cart-router-prod",
        ),
        (
            ApiObject(kind=ApiKind.ROUTE, mesh="shop", name="blue", router="cart-router-prod"),
            {"meshName": "shop", "virtualRouterName": "cart-router-prod", "routeName": "blue"},
            "route blue of router cart-router-prod",
        ),
        (
            ApiObject(kind=ApiKind.VIRTUAL_SERVICE, mesh="shop", name="cart.prod.svc"),
            {"meshName": "shop", "virtualServiceName": "cart.prod.svc"},
            "virtual service cart.prod.svc",
        ),
    ],
    ids=lambda value: str(value).replace(" ", "-") if isinstance(value, ApiObject) else "",
)
def test_object_is_named_for_the_api_and_for_people(object: ApiObject, identity: dict[str, str], text: str) -> None:
    """Request members have App Mesh's names; people read a phrase."""
    assert (object.identity, str(object)) == (identity, text)


def test_activities_are_named_after_operations() -> None:
    """The name of the activity is the API operation that it calls."""
    assert operation(Verb.CREATE, ApiKind.VIRTUAL_ROUTER) == "CreateVirtualRouter"
    assert len(WRITES) == len(set(WRITES)) == 3 * len(ApiKind)
    assert "DescribeRoute" in DESCRIBES
