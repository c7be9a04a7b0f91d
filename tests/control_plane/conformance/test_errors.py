"""Each error that the API gives: typed exception in boto3, code, HTTP status, and a message that helps."""

from collections.abc import Callable
from typing import Any

import pytest

from control_plane.api.quotas import Quotas
from tests.control_plane import specs
from tests.control_plane.mesh import MeshUnderTest
from tests.control_plane.serving import served

Call = Callable[[MeshUnderTest], Any]


def refused(mesh: MeshUnderTest, code: str, status: int, call: Call) -> str:
    """The message of a call that fails with this typed exception and status."""
    with pytest.raises(getattr(mesh.client.exceptions, code)) as error:
        call(mesh)
    response = error.value.response
    assert response["Error"]["Code"] == code
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert response["ResponseMetadata"]["RequestId"]
    message: str = response["Error"]["Message"]
    return message


@pytest.mark.parametrize(
    ("call", "says"),
    [
        pytest.param(lambda m: m.describe("virtualNode", "x"), "VirtualNode with name x of mesh", id="node"),
        pytest.param(lambda m: m.describe("virtualService", "x"), "VirtualService with name x", id="service"),
        pytest.param(lambda m: m.describe("virtualRouter", "x"), "VirtualRouter with name x", id="router"),
        pytest.param(lambda m: m.describe("virtualGateway", "x"), "VirtualGateway with name x", id="gateway"),
        pytest.param(lambda m: m.describe("route", "x", router="router"), "Route with name x in router", id="route"),
        pytest.param(lambda m: m.describe("route", "x", router="y"), "VirtualRouter with name y", id="route's router"),
        pytest.param(
            lambda m: m.describe("gatewayRoute", "x", gateway="y"), "VirtualGateway with name y", id="route's gateway"
        ),
        pytest.param(lambda m: m.client.describe_mesh(meshName="x"), "Mesh with name x does not exist", id="mesh"),
        pytest.param(
            lambda m: m.client.describe_virtual_node(meshName="x", virtualNodeName="y"),
            "Mesh with name x",
            id="its mesh",
        ),
        pytest.param(lambda m: m.client.list_virtual_nodes(meshName="x"), "Mesh with name x", id="list's mesh"),
        pytest.param(lambda m: m.list("route", router="y"), "VirtualRouter with name y", id="list's router"),
        pytest.param(lambda m: m.update("virtualNode", "x", specs.node()), "VirtualNode with name x", id="update"),
        pytest.param(lambda m: m.delete("virtualNode", "x"), "VirtualNode with name x", id="delete"),
        pytest.param(lambda m: m.client.update_mesh(meshName="x"), "Mesh with name x", id="update mesh"),
        pytest.param(lambda m: m.client.delete_mesh(meshName="x"), "Mesh with name x", id="delete mesh"),
        pytest.param(
            lambda m: m.client.create_virtual_node(meshName="x", virtualNodeName="y", spec={}),
            "Mesh with name x",
            id="create in no mesh",
        ),
        pytest.param(lambda m: m.route(router="y"), "VirtualRouter with name y", id="create in no router"),
        pytest.param(lambda m: m.gateway_route(gateway="y"), "VirtualGateway with name y", id="create in no gateway"),
        pytest.param(lambda m: m.route(nope=1), "VirtualNode with name nope is missing", id="route's target"),
        pytest.param(
            lambda m: m.service(node="nope"), "VirtualNode with name nope is missing", id="service's provider node"
        ),
        pytest.param(
            lambda m: m.service(router="nope"), "VirtualRouter with name nope is missing", id="provider router"
        ),
        pytest.param(
            lambda m: m.gateway_route(service="nope"), "VirtualService with name nope is missing", id="gateway's target"
        ),
    ],
)
def test_what_does_not_exist_is_not_found(mesh, call, says):
    """404 NotFoundException names what is missing: the object, what contains it, or what it refers to."""
    mesh.router()
    mesh.gateway()
    assert says in refused(mesh, "NotFoundException", 404, call)


def test_an_update_that_refers_to_nothing_changes_nothing(mesh):
    """A refused update leaves spec and version as they were."""
    mesh.node()
    mesh.router()
    before = mesh.route()
    refused(mesh, "NotFoundException", 404, lambda m: m.update("route", "route", specs.route(nope=1), router="router"))
    assert mesh.describe("route", "route", router="router") == before


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda m: m.client.create_mesh(meshName=m.name), id="mesh"),
        pytest.param(lambda m: m.node(), id="node"),
        pytest.param(lambda m: m.router(), id="router"),
        pytest.param(lambda m: m.route(), id="route"),
        pytest.param(lambda m: m.service(), id="service"),
        pytest.param(lambda m: m.gateway(), id="gateway"),
        pytest.param(lambda m: m.gateway_route(), id="gateway route"),
    ],
)
def test_a_name_can_be_taken_once(mesh, call):
    """409 ConflictException for a name that exists, and what exists is not touched."""
    mesh.node(), mesh.router(), mesh.route(), mesh.service(), mesh.gateway(), mesh.gateway_route()
    assert "already exists" in refused(mesh, "ConflictException", 409, call)
    assert mesh.describe("virtualNode", "node")["metadata"]["version"] == 1


def test_routers_have_names_of_their_own(mesh):
    """One route name can be used in two routers, one gateway route name in two gateways."""
    mesh.node(), mesh.service()
    for each in ("a", "b"):
        mesh.router(each), mesh.gateway(each)
        mesh.route("same", router=each), mesh.gateway_route("same", gateway=each)
    assert mesh.list("route", router="a") == ["same"]
    assert mesh.list("gatewayRoute", gateway="b") == ["same"]


@pytest.mark.parametrize(
    ("prepare", "delete", "says"),
    [
        pytest.param(
            lambda m: m.node(),
            lambda m: m.client.delete_mesh(meshName=m.name),
            "1 VirtualNodes (like node)",
            id="mesh: node",
        ),
        pytest.param(
            lambda m: m.service(),
            lambda m: m.client.delete_mesh(meshName=m.name),
            "VirtualServices",
            id="mesh: service",
        ),
        pytest.param(
            lambda m: m.router(), lambda m: m.client.delete_mesh(meshName=m.name), "VirtualRouters", id="mesh: router"
        ),
        pytest.param(
            lambda m: m.gateway(),
            lambda m: m.client.delete_mesh(meshName=m.name),
            "VirtualGateways",
            id="mesh: gateway",
        ),
        pytest.param(
            lambda m: (m.node(), m.router(), m.route()),
            lambda m: m.delete("virtualRouter", "router"),
            "it has Routes: [route]",
            id="router: routes",
        ),
        pytest.param(
            lambda m: (m.router(), m.service(router="router")),
            lambda m: m.delete("virtualRouter", "router"),
            "it is a VirtualService provider",
            id="router: provider",
        ),
        pytest.param(
            lambda m: (m.node(), m.service(node="node")),
            lambda m: m.delete("virtualNode", "node"),
            "it is a VirtualService provider",
            id="node: provider",
        ),
        pytest.param(
            lambda m: (m.node(), m.router(), m.route()),
            lambda m: m.delete("virtualNode", "node"),
            "it is the target of one or more routes: Route with name route in router",
            id="node: target",
        ),
        pytest.param(
            lambda m: (m.service(), m.gateway(), m.gateway_route()),
            lambda m: m.delete("virtualService", "service.local"),
            "it is the target of gateway routes",
            id="service: target",
        ),
        pytest.param(
            lambda m: (m.service(), m.gateway(), m.gateway_route()),
            lambda m: m.delete("virtualGateway", "gateway"),
            "it has GatewayRoutes: [route]",
            id="gateway: routes",
        ),
    ],
)
def test_what_is_in_use_cannot_be_deleted(mesh, prepare, delete, says):
    """409 ResourceInUseException names who still needs it."""
    prepare(mesh)
    assert says in refused(mesh, "ResourceInUseException", 409, delete)


def test_what_is_no_longer_used_can_be_deleted(mesh):
    """An update that stops referring to an object sets it free, and so does the delete of who referred to it."""
    mesh.node("old"), mesh.node("new"), mesh.router()
    mesh.route(old=1)
    mesh.update("route", "route", specs.route(new=1), router="router")
    mesh.delete("virtualNode", "old")
    mesh.delete("route", "route", router="router")
    mesh.delete("virtualNode", "new")


def test_a_backend_is_only_a_name(mesh):
    """A backend need not exist, and does not keep its service from being deleted."""
    mesh.node("caller", backends=[specs.backend("service.local"), specs.backend("never.local")])
    mesh.service()
    mesh.delete("virtualService", "service.local")


def test_a_mesh_goes_when_its_members_are_gone(mesh):
    """The documented order of a teardown works."""
    mesh.node(), mesh.router(), mesh.route(), mesh.service(router="router"), mesh.gateway(), mesh.gateway_route()
    mesh.delete("gatewayRoute", "route", gateway="gateway")
    mesh.delete("virtualGateway", "gateway")
    mesh.delete("virtualService", "service.local")
    mesh.delete("route", "route", router="router")
    mesh.delete("virtualRouter", "router")
    mesh.delete("virtualNode", "node")
    assert mesh.client.delete_mesh(meshName=mesh.name)["mesh"]["status"] == {"status": "DELETED"}


def test_another_accounts_mesh_is_forbidden(mesh):
    """403 ForbiddenException: no mesh of another account is shared with us."""
    message = refused(mesh, "ForbiddenException", 403, lambda m: m.list("virtualNode", meshOwner="999999999999"))
    assert "No mesh of account 999999999999 is shared" in message


def test_a_wrong_secret_is_forbidden(api, mesh):
    """403 ForbiddenException, as boto3's typed exception."""
    with api.client(aws_secret_access_key="wrong") as stranger:
        message = refused(
            MeshUnderTest(stranger, mesh.name), "ForbiddenException", 403, lambda m: m.list("virtualNode")
        )
    assert "signature does not match" in message


QUOTAS = [
    pytest.param("virtual_nodes_per_mesh", lambda m, n: m.node(f"more-{n}"), id="nodes"),
    pytest.param("virtual_services_per_mesh", lambda m, n: m.service(f"more-{n}.local"), id="services"),
    pytest.param("virtual_routers_per_mesh", lambda m, n: m.router(f"more-{n}"), id="routers"),
    pytest.param("virtual_gateways_per_mesh", lambda m, n: m.gateway(f"more-{n}"), id="gateways"),
    pytest.param("routes_per_virtual_router", lambda m, n: m.route(f"more-{n}"), id="routes"),
    pytest.param("gateway_routes_per_virtual_gateway", lambda m, n: m.gateway_route(f"more-{n}"), id="gateway routes"),
    pytest.param("meshes", lambda m, n: m.client.create_mesh(meshName=f"more-{n}"), id="meshes"),
]


@pytest.mark.parametrize(("quota", "create"), QUOTAS)
def test_quotas_hold(tmp_path, quota, create):
    """400 LimitExceededException for one object more than the quota; an update is not one more."""
    with served(tmp_path, quotas=Quotas(**{quota: 2})) as api, api.client() as client:
        client.create_mesh(meshName="m")
        mesh = MeshUnderTest(client, "m")
        mesh.node(), mesh.service(), mesh.router(), mesh.gateway()
        for number in range(2 - (quota.endswith("_mesh") or quota == "meshes")):
            create(mesh, number)
        assert "the limit" in refused(mesh, "LimitExceededException", 400, lambda m: create(m, "last"))
        mesh.update("virtualNode", "node", specs.node())


def test_backends_of_a_node_have_a_quota(tmp_path):
    """The quota on what one spec holds is for create and update."""
    backends = [specs.backend(f"{number}.local") for number in range(3)]
    with served(tmp_path, quotas=Quotas(backends_per_virtual_node=2)) as api, api.client() as client:
        client.create_mesh(meshName="m")
        mesh = MeshUnderTest(client, "m")
        mesh.node("node", backends=backends[:2])
        for call in (
            lambda m: m.node("more", backends=backends),
            lambda m: m.update("virtualNode", "node", specs.node(backends=backends)),
        ):
            message = refused(mesh, "LimitExceededException", 400, call)
            assert message == "spec.backends has 3 items; the limit is 2"
