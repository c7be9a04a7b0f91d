import pytest

from tests.control_plane import specs
from tests.control_plane.serving import served


@pytest.fixture
def nodes(mesh):
    """A mesh with seven nodes, created out of order."""
    for number in (3, 0, 6, 1, 5, 2, 4):
        mesh.create("virtualNode", f"node-{number}", {})
    return mesh


@pytest.mark.parametrize(("limit", "sizes"), [(1, [1] * 7), (3, [3, 3, 1]), (7, [7]), (100, [7])])
def test_pages_together_show_everything_once_in_order(nodes, limit, sizes):
    """Pages are as long as asked for, ordered by name, and the last has no token."""
    paginator = nodes.client.get_paginator("list_virtual_nodes")
    pages = list(paginator.paginate(meshName=nodes.name, PaginationConfig={"PageSize": limit}))
    assert [len(page["virtualNodes"]) for page in pages] == sizes
    names = [node["virtualNodeName"] for page in pages for node in page["virtualNodes"]]
    assert names == [f"node-{number}" for number in range(7)]
    assert "nextToken" not in pages[-1]


def test_a_page_has_at_most_a_hundred_items_by_default(mesh):
    """Without a limit the page has 100 items."""
    for number in range(101):
        mesh.create("virtualService", f"service-{number:03}", {})
    first = mesh.client.list_virtual_services(meshName=mesh.name)
    assert len(first["virtualServices"]) == 100
    second = mesh.client.list_virtual_services(meshName=mesh.name, nextToken=first["nextToken"])
    assert [item["virtualServiceName"] for item in second["virtualServices"]] == ["service-100"]


def test_writes_between_pages_neither_repeat_nor_hide_others(nodes):
    """What is created or deleted between two pages does not shift the rest."""
    first = nodes.client.list_virtual_nodes(meshName=nodes.name, limit=3)
    nodes.delete("virtualNode", "node-0")
    nodes.delete("virtualNode", "node-2")  # the very place where the next page starts
    nodes.create("virtualNode", "node-00", {})
    nodes.create("virtualNode", "node-31", {})
    second = nodes.client.list_virtual_nodes(meshName=nodes.name, nextToken=first["nextToken"])
    names = [node["virtualNodeName"] for node in second["virtualNodes"]]
    assert names == ["node-3", "node-31", "node-4", "node-5", "node-6"]


def test_a_list_shows_its_own_collection_only(mesh):
    """Nodes of another mesh and routes of another router do not show up."""
    mesh.node(), mesh.router("a"), mesh.router("b"), mesh.route("in-a", router="a"), mesh.route("in-b", router="b")
    mesh.client.create_mesh(meshName=f"{mesh.name}-other")
    assert mesh.client.list_virtual_nodes(meshName=f"{mesh.name}-other")["virtualNodes"] == []
    assert mesh.list("route", router="a") == ["in-a"]


@pytest.mark.parametrize("token", ["nonsense", "", "WzEsIngiXQ"])
def test_a_malformed_token_is_a_bad_request(mesh, token):
    """Only a token that this list gave out continues it."""
    with pytest.raises(mesh.client.exceptions.BadRequestException, match="nextToken"):
        mesh.client.list_virtual_nodes(meshName=mesh.name, nextToken=token)


def test_a_token_of_another_mesh_is_a_bad_request(nodes):
    """A token is bound to its list."""
    token = nodes.client.list_virtual_nodes(meshName=nodes.name, limit=1)["nextToken"]
    nodes.client.create_mesh(meshName=f"{nodes.name}-other")
    with pytest.raises(nodes.client.exceptions.BadRequestException, match="nextToken"):
        nodes.client.list_virtual_nodes(meshName=f"{nodes.name}-other", nextToken=token)


def test_every_list_can_be_paged(tmp_path):
    """All eight list operations page by limit and token."""
    with served(tmp_path) as api, api.client() as client:
        for name in ("m", "n"):
            client.create_mesh(meshName=name)
        at = {"meshName": "m"}
        client.create_virtual_node(**at, virtualNodeName="node", spec={})
        for name in ("a", "b"):
            client.create_virtual_node(**at, virtualNodeName=name, spec={})
            client.create_virtual_service(**at, virtualServiceName=name, spec={})
            client.create_virtual_router(**at, virtualRouterName=name, spec=specs.router())
            client.create_virtual_gateway(**at, virtualGatewayName=name, spec=specs.gateway())
        for name in ("x", "y"):
            client.create_route(**at, virtualRouterName="a", routeName=name, spec=specs.route())
            client.create_gateway_route(
                **at, virtualGatewayName="a", gatewayRouteName=name, spec=specs.gateway_route("a")
            )
        arn = client.describe_mesh(meshName="m")["mesh"]["metadata"]["arn"]
        client.tag_resource(resourceArn=arn, tags=[{"key": key, "value": ""} for key in "pq"])
        lists = {
            "list_meshes": ({}, "meshes"),
            "list_virtual_nodes": (at, "virtualNodes"),
            "list_virtual_services": (at, "virtualServices"),
            "list_virtual_routers": (at, "virtualRouters"),
            "list_virtual_gateways": (at, "virtualGateways"),
            "list_routes": ({**at, "virtualRouterName": "a"}, "routes"),
            "list_gateway_routes": ({**at, "virtualGatewayName": "a"}, "gatewayRoutes"),
            "list_tags_for_resource": ({"resourceArn": arn}, "tags"),
        }
        for operation, (arguments, member) in lists.items():
            pages = list(client.get_paginator(operation).paginate(**arguments, PaginationConfig={"PageSize": 1}))
            assert [len(page[member]) for page in pages] in ([1, 1], [1, 1, 1]), operation
