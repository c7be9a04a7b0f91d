"""Specs made from the service model's shapes come back as they were sent, through boto3 and the database."""

from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.control_plane import specs
from tests.control_plane.mesh import MeshUnderTest
from tests.control_plane.shapes import GATEWAY_PORTS, NODES, SERVICE, spec_shape, valid_specs

PLACES = {
    "VirtualNode": ("virtualNode", {}),
    "VirtualService": ("virtualService", {}),
    "VirtualRouter": ("virtualRouter", {}),
    "Route": ("route", {"router": "router"}),
    "VirtualGateway": ("virtualGateway", {}),
    "GatewayRoute": ("gatewayRoute", {"gateway": "gateway"}),
}
_numbers = count()


@pytest.fixture(scope="module")
def furnished(client):
    """A mesh with all that generated specs refer to."""
    client.create_mesh(meshName="furnished")
    mesh = MeshUnderTest(client, "furnished")
    for name in NODES:
        mesh.create("virtualNode", name, {})
    mesh.create("virtualRouter", "router", {})
    mesh.create("virtualService", SERVICE, {})
    mesh.gateway("gateway", *(specs.listener(port) for port in GATEWAY_PORTS))
    return mesh


@pytest.mark.parametrize("noun", PLACES)
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_sent_is_echoed(furnished, noun, data):
    """Create, describe and update echo the spec; only empty members are left out and health check ports filled in."""
    kind, parent = PLACES[noun]
    name = f"made-{next(_numbers)}"
    first, second = data.draw(valid_specs(noun)), data.draw(valid_specs(noun))
    created = furnished.create(kind, name, first, **parent)
    assert created["spec"] == echoed(spec_shape(noun), first)
    assert furnished.describe(kind, name, **parent) == created
    updated = furnished.update(kind, name, second, **parent)
    assert updated["spec"] == echoed(spec_shape(noun), second)
    assert furnished.update(kind, name, updated["spec"], **parent)["spec"] == updated["spec"]
    furnished.delete(kind, name, **parent)


@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(spec=valid_specs("Mesh"))
def test_what_is_sent_for_a_mesh_is_echoed(client, spec):
    """Meshes are created at another place, by the same rule."""
    name = f"made-{next(_numbers)}"
    assert client.create_mesh(meshName=name, spec=spec)["mesh"]["spec"] == echoed(spec_shape("Mesh"), spec)


def echoed(shape: Any, spec: dict[str, Any]) -> dict[str, Any]:
    """What we promise to echo, said in another way than the server does it: prune until nothing is empty."""
    filled = {**spec}
    if "listeners" in spec:
        filled["listeners"] = [_with_port(listener) for listener in spec["listeners"]]
    while (pruned := _without_empty(shape, filled)) != filled:
        filled = pruned
    return filled


def _with_port(listener: dict[str, Any]) -> dict[str, Any]:
    check = listener.get("healthCheck")
    return (
        listener if check is None else {**listener, "healthCheck": {"port": listener["portMapping"]["port"], **check}}
    )


def _without_empty(shape: Any, value: Any) -> Any:
    if isinstance(value, list):
        return [_without_empty(shape.member, item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _without_empty(shape.members[name], member)
        for name, member in value.items()
        if member or not isinstance(member, dict | list) or name in shape.required_members
    }
