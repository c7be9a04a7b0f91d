"""Laws of translation: every valid resource gives requests that App Mesh accepts, and no user's field is lost.

Two judges: botocore's own validator, which every request meets before it is sent, and our App Mesh API's, which checks
what botocore does not (maxima, enums, patterns). Both are derived from App Mesh's service model.
"""

from typing import Any

import pytest
from botocore.validate import ParamValidator
from hypothesis import given

from control_plane.api.service_model import service_model
from control_plane.api.validation import Violation, check
from resources.names import provider_node_name, router_name, target_api_name, virtual_node_api_name
from resources.parsing import parse_mesh, parse_virtual_node, parse_virtual_service
from resources.translate.mesh import mesh_spec
from resources.translate.virtual_node import virtual_node_spec
from resources.translate.virtual_service import route_spec, router_spec, virtual_service_spec
from tests.builders import virtual_service as manifest_of
from tests.resources import strategies

# Every operation that carries a spec, with the members that name things.
WRITES = {
    "Mesh": ("CreateMesh", "UpdateMesh"),
    "VirtualNode": ("CreateVirtualNode", "UpdateVirtualNode"),
    "VirtualRouter": ("CreateVirtualRouter", "UpdateVirtualRouter"),
    "Route": ("CreateRoute", "UpdateRoute"),
    "VirtualService": ("CreateVirtualService", "UpdateVirtualService"),
}


def accepted(noun: str, **request: Any) -> None:
    """Fail unless both judges accept the request, to create and to update, and keep all of it."""
    for operation in WRITES[noun]:
        shape = service_model().operation_model(operation).input_shape
        report = ParamValidator().validate(request, shape)
        assert not report.has_errors(), report.generate_report()
        violations: list[Violation] = []
        kept = check(shape, request, "", violations)
        assert not violations
        assert kept == request  # a member that the service model does not know would have been left out


@given(manifest=strategies.meshes())
def test_every_mesh_is_accepted(manifest):
    """Whatever egress filter a mesh has, App Mesh takes it."""
    mesh = parse_mesh(manifest)
    accepted("Mesh", meshName=mesh.metadata.name, spec=mesh_spec(mesh))


@given(manifest=strategies.virtual_nodes())
def test_every_virtual_node_is_accepted(manifest):
    """Whatever a valid VirtualNode says, App Mesh takes it."""
    node = parse_virtual_node(manifest)
    name = virtual_node_api_name(node)
    accepted("VirtualNode", meshName=node.spec.mesh_name, virtualNodeName=name, spec=virtual_node_spec(node))


@given(manifest=strategies.virtual_services())
def test_every_router_route_and_service_is_accepted(manifest):
    """Whatever a valid VirtualService says, App Mesh takes its router, each of its routes, and the service."""
    service = parse_virtual_service(manifest)
    mesh, namespace, router = service.spec.mesh_name, service.metadata.namespace or "", router_name(service)
    listeners = service.spec.virtual_router.listeners if service.spec.virtual_router else ()
    mappings = [listener.port_mapping for listener in listeners]
    accepted("VirtualRouter", meshName=mesh, virtualRouterName=router, spec=router_spec(mappings))
    for route in service.spec.routes:
        spec = route_spec(route, namespace, {"cart"})
        accepted("Route", meshName=mesh, virtualRouterName=router, routeName=route.name, spec=spec)
    name = service.metadata.name
    accepted("VirtualService", meshName=mesh, virtualServiceName=name, spec=virtual_service_spec(router))


@given(manifest=strategies.virtual_services())
def test_every_target_keeps_its_weight_and_place(manifest):
    """Shares of traffic arrive as written, under App Mesh's names."""
    namespace = manifest["metadata"]["namespace"]
    for route in parse_virtual_service(manifest).spec.routes:
        spec = route_spec(route, namespace, ())
        (typed,) = (value for key, value in spec.items() if key.endswith("Route"))
        assert [(target["virtualNode"], target["weight"]) for target in typed["action"]["weightedTargets"]] == [
            (target_api_name(route, target.virtual_node_name, namespace, ()), target.weight) for target in route.targets
        ]
        assert spec.get("priority") == route.priority


@given(manifest=strategies.virtual_nodes())
def test_translation_repeats_itself(manifest):
    """Same resource in, same request out: workflows replay, and idempotency tokens are made of it."""
    assert virtual_node_spec(parse_virtual_node(manifest)) == virtual_node_spec(parse_virtual_node(manifest))


@pytest.mark.parametrize("router", [pytest.param(None, id="none"), pytest.param("", id="empty")])
def test_a_service_without_a_router_has_no_provider(router):
    """App Mesh allows a service that nothing answers for."""
    assert virtual_service_spec(router) == {}


def test_a_service_may_point_straight_at_a_node():
    """The name is the node's in App Mesh, of the service's own namespace."""
    provider = {"virtualNode": {"virtualNodeName": "cart"}}
    service = parse_virtual_service(manifest_of(provider=provider, virtualRouter=None, routes=None))
    spec = virtual_service_spec(node=provider_node_name(service))
    assert spec == {"provider": {"virtualNode": {"virtualNodeName": "cart-prod"}}}
    accepted("VirtualService", meshName="shop", virtualServiceName="cart", spec=spec)
