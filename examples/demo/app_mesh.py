"""Reading App Mesh back with boto3, as any other client of it would."""

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

from examples.demo.tree import MeshView, NodeView, ServiceView, discovery_text, listener_text, route_view


def connect(environment: Mapping[str, str]) -> Any:
    """A boto3 client from what DIR/env exports."""
    return boto3.client(
        "appmesh",
        endpoint_url=environment["AWS_ENDPOINT_URL_APP_MESH"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        config=Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3}),
    )


def mesh_names(appmesh: Any) -> list[str]:
    """Every mesh that App Mesh holds. No mesh, no object: App Mesh deletes none that holds anything."""
    return _names(appmesh, "list_meshes", "meshes", "meshName")


def read_mesh(appmesh: Any, mesh: str) -> MeshView:
    """A mesh and all in it."""
    services = _names(appmesh, "list_virtual_services", "virtualServices", "virtualServiceName", meshName=mesh)
    nodes = _names(appmesh, "list_virtual_nodes", "virtualNodes", "virtualNodeName", meshName=mesh)
    return MeshView(
        mesh,
        tuple(_service(appmesh, mesh, name) for name in services),
        tuple(_node(appmesh, mesh, name) for name in nodes),
    )


def _service(appmesh: Any, mesh: str, name: str) -> ServiceView:
    answer = appmesh.describe_virtual_service(meshName=mesh, virtualServiceName=name)
    router = answer["virtualService"]["spec"]["provider"]["virtualRouter"]["virtualRouterName"]
    place = {"meshName": mesh, "virtualRouterName": router}
    spec = appmesh.describe_virtual_router(**place)["virtualRouter"]["spec"]
    names = _names(appmesh, "list_routes", "routes", "routeName", **place)
    routes = [route_view(route, appmesh.describe_route(**place, routeName=route)["route"]["spec"]) for route in names]
    # In the order in which a proxy tries them; those without a priority come last.
    routes.sort(key=lambda route: (route.priority is None, route.priority, route.name))
    return ServiceView(name, router, listener_text(spec), tuple(routes))


def _node(appmesh: Any, mesh: str, name: str) -> NodeView:
    spec = appmesh.describe_virtual_node(meshName=mesh, virtualNodeName=name)["virtualNode"]["spec"]
    backends = tuple(backend["virtualService"]["virtualServiceName"] for backend in spec.get("backends", ()))
    return NodeView(name, listener_text(spec), discovery_text(spec), backends)


def _names(appmesh: Any, operation: str, items: str, member: str, **request: str) -> list[str]:
    pages = appmesh.get_paginator(operation).paginate(**request)
    return sorted(item[member] for page in pages for item in page[items])
