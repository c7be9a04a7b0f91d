"""All 35 operations on objects, through boto3: each verb on each kind."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.control_plane import specs
from tests.control_plane.mesh import SNAKE
from tests.control_plane.serving import ACCOUNT, REGION

# Kind, name, path of its ARN in the mesh, parent, spec, another spec.
KINDS = [
    pytest.param("virtualNode", "n", "virtualNode/n", {}, specs.node(), {}, id="virtualNode"),
    pytest.param(
        "virtualService",
        "s.local",
        "virtualService/s.local",
        {},
        specs.service(node="node"),
        specs.service(router="router"),
        id="virtualService",
    ),
    pytest.param("virtualRouter", "r", "virtualRouter/r", {}, specs.router(), {}, id="virtualRouter"),
    pytest.param(
        "route",
        "x",
        "virtualRouter/router/route/x",
        {"virtualRouterName": "router"},
        specs.route(node=1),
        specs.route(node=2),
        id="route",
    ),
    pytest.param(
        "virtualGateway",
        "g",
        "virtualGateway/g",
        {},
        specs.gateway(),
        specs.gateway(specs.listener(443)),
        id="virtualGateway",
    ),
    pytest.param(
        "gatewayRoute",
        "x",
        "virtualGateway/gateway/gatewayRoute/x",
        {"virtualGatewayName": "gateway"},
        specs.gateway_route(),
        specs.gateway_route(match={"prefix": "/other"}),
        id="gatewayRoute",
    ),
]
UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
def full(mesh):
    """A mesh with one of everything that others need."""
    mesh.node()
    mesh.router()
    mesh.service()
    mesh.gateway()
    return mesh


@pytest.mark.parametrize(("kind", "name", "path", "parent", "spec", "other"), KINDS)
def test_an_object_lives_as_documented(full, kind, name, path, parent, spec, other):
    """Create, describe, list, update and delete show the same object, with the metadata that App Mesh documents."""
    created = full.create(kind, name, spec, **parent)
    metadata = created["metadata"]
    assert metadata["arn"] == f"arn:aws:appmesh:{REGION}:{ACCOUNT}:mesh/{full.name}/{path}"
    assert metadata["meshOwner"] == metadata["resourceOwner"] == ACCOUNT
    assert UID.fullmatch(metadata["uid"])
    assert metadata["version"] == 1
    assert metadata["createdAt"] == metadata["lastUpdatedAt"]
    assert abs(metadata["createdAt"] - datetime.now(UTC)) < timedelta(minutes=1)
    assert created == {
        "meshName": full.name,
        f"{kind}Name": name,
        **parent,
        "metadata": metadata,
        "spec": spec,
        "status": {"status": "ACTIVE"},
    }
    assert full.describe(kind, name, **parent) == created
    assert name in full.list(kind, **parent)

    updated = full.update(kind, name, other, **parent)
    assert updated["spec"] == other
    assert updated["metadata"]["version"] == 2
    assert updated["metadata"]["lastUpdatedAt"] >= metadata["lastUpdatedAt"]
    for unchanged in ("arn", "uid", "createdAt"):
        assert updated["metadata"][unchanged] == metadata[unchanged]
    assert full.describe(kind, name, **parent) == updated

    assert full.delete(kind, name, **parent) == updated | {"status": {"status": "DELETED"}}
    assert name not in full.list(kind, **parent)
    with pytest.raises(full.client.exceptions.NotFoundException):
        full.describe(kind, name, **parent)

    again = full.create(kind, name, spec, **parent)
    assert again["metadata"]["uid"] != metadata["uid"]
    assert again["metadata"]["version"] == 1


@pytest.mark.parametrize(("kind", "name", "path", "parent", "spec", "other"), KINDS)
def test_a_list_shows_references_without_the_rest(full, kind, name, path, parent, spec, other):
    """List items carry names, ARN, owners, times and version, but no uid, spec, status or tags."""
    created = full.create(kind, name, spec, **parent)
    method = getattr(full.client, f"list_{SNAKE[kind]}s")
    item = next(item for item in method(meshName=full.name, **parent)[f"{kind}s"] if item[f"{kind}Name"] == name)
    metadata = {key: value for key, value in created["metadata"].items() if key != "uid"}
    assert item == {"meshName": full.name, f"{kind}Name": name, **parent, **metadata}


def test_a_mesh_lives_as_documented(client):
    """The five operations on meshes."""
    allow = {"egressFilter": {"type": "ALLOW_ALL"}}
    created = client.create_mesh(meshName="alone", spec=allow)["mesh"]
    assert created["metadata"]["arn"] == f"arn:aws:appmesh:{REGION}:{ACCOUNT}:mesh/alone"
    assert created["spec"] == allow
    assert client.describe_mesh(meshName="alone")["mesh"] == created
    listed = next(item for page in client.get_paginator("list_meshes").paginate() for item in page["meshes"])
    assert set(listed) == {*created["metadata"], "meshName"} - {"uid"}
    updated = client.update_mesh(meshName="alone", spec={"egressFilter": {"type": "DROP_ALL"}})["mesh"]
    assert updated["metadata"]["version"] == 2
    assert client.delete_mesh(meshName="alone")["mesh"] == updated | {"status": {"status": "DELETED"}}
    with pytest.raises(client.exceptions.NotFoundException):
        client.describe_mesh(meshName="alone")


def test_a_mesh_without_a_spec_has_an_empty_one(client, mesh):
    """The default egress filter is not written back, and an update without a spec replaces what there was."""
    assert client.describe_mesh(meshName=mesh.name)["mesh"]["spec"] == {}
    client.update_mesh(meshName=mesh.name, spec={"egressFilter": {"type": "ALLOW_ALL"}})
    assert client.update_mesh(meshName=mesh.name)["mesh"]["spec"] == {}


def test_an_update_with_the_same_spec_counts(mesh):
    """Every applied update is a new version, also when nothing differs."""
    mesh.node()
    assert mesh.update("virtualNode", "node", specs.node())["metadata"]["version"] == 2


def test_the_port_of_a_health_check_is_filled_in(mesh):
    """A health check without a port is echoed with its listener's; everything else is echoed as it was sent."""
    spec = specs.node(specs.listener(9080, healthCheck=specs.health_check()), specs.listener(9081))
    expected = specs.node(specs.listener(9080, healthCheck=specs.health_check(port=9080)), specs.listener(9081))
    assert mesh.create("virtualNode", "node", spec)["spec"] == expected
    gateway = mesh.create("virtualGateway", "gateway", {"listeners": spec["listeners"]})
    assert gateway["spec"] == {"listeners": expected["listeners"]}


def test_empty_members_are_not_echoed_unless_required(mesh):
    """Empty lists and objects vanish; an empty match stays, as the route would be no valid request without it."""
    spec = specs.node(specs.listener(timeout={"http": {}}), backends=[], backendDefaults={}, logging={})
    assert mesh.create("virtualNode", "node", spec)["spec"] == specs.node()
    mesh.router("grpc", specs.listener(protocol="grpc"))
    spec = {"grpcRoute": {"match": {}, "action": specs.targets(node=1), "timeout": {"idle": {}}}}
    echoed = mesh.create("route", "all", spec, router="grpc")["spec"]
    assert echoed == {"grpcRoute": {"match": {}, "action": specs.targets(node=1)}}
    assert mesh.update("route", "all", echoed, router="grpc")["spec"] == echoed


@pytest.mark.parametrize("name", ["a.b.svc.cluster.local", "a/b c", "*.example.com", "ünï", "x:mesh/y", "%2F", "?#&=+"])
def test_a_virtual_service_may_be_called_anything(mesh, name):
    """The name of a virtual service is free text and survives path, ARN and list."""
    created = mesh.create("virtualService", name, {})
    assert created["virtualServiceName"] == name
    assert mesh.describe("virtualService", name) == created
    assert mesh.list("virtualService") == [name]
    mesh.client.tag_resource(resourceArn=created["metadata"]["arn"], tags=[{"key": "k", "value": "v"}])
    assert mesh.delete("virtualService", name)["status"] == {"status": "DELETED"}


def test_the_own_account_may_be_named_as_mesh_owner(mesh):
    """MeshOwner may be said where it changes nothing."""
    mesh.create("virtualNode", "node", specs.node(), meshOwner=ACCOUNT)
    assert mesh.describe("virtualNode", "node", meshOwner=ACCOUNT)["virtualNodeName"] == "node"
