"""Meshes in a few words, and what a proxy of one is told, as plain JSON."""

from collections.abc import Iterable
from typing import Any

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from google.protobuf import json_format

from control_plane.store.records import ObjectKey, ObjectRecord
from control_plane.xds.compile import Compiler, Options
from control_plane.xds.proxies import ProxyId
from control_plane.xds.snapshot import Kind, Snapshot
from control_plane.xds.state import Instance, MeshState
from tests.control_plane import specs

MESSAGES = {
    Kind.LISTENER: Listener,
    Kind.ROUTE: RouteConfiguration,
    Kind.CLUSTER: Cluster,
    Kind.ENDPOINT: ClusterLoadAssignment,
}
MESH = "shop"
CAPTURED = Options()
EXPLICIT = Options(capture=False, application_address="127.0.0.1", application_ports={8080: 18080})

Spec = dict[str, Any]
Json = dict[str, Any]


def record(kind: str, name: str, spec: Spec, *, parent: str = "", mesh: str = MESH, revision: int = 1) -> ObjectRecord:
    """An object as stored."""
    key = ObjectKey(kind, "" if kind == "mesh" else mesh, parent, name)
    return ObjectRecord(key, f"uid-{name}", spec, 1, 0.0, 0.0, revision)


def mesh(
    *,
    spec: Spec | None = None,
    nodes: dict[str, Spec] | None = None,
    services: dict[str, Spec] | None = None,
    routers: dict[str, Spec] | None = None,
    routes: dict[str, Spec] | None = None,
    gateways: dict[str, Spec] | None = None,
    gateway_routes: dict[str, Spec] | None = None,
    instances: dict[tuple[str, str], Iterable[Instance]] | None = None,
) -> MeshState:
    """A mesh of these; routes and gateway routes by `parent/name`."""
    groups = {"virtualNode": nodes, "virtualService": services, "virtualRouter": routers, "virtualGateway": gateways}
    records = [record("mesh", MESH, spec or {})]
    for kind, group in groups.items():
        records += [record(kind, name, each) for name, each in (group or {}).items()]
    for kind, group in {"route": routes, "gatewayRoute": gateway_routes}.items():
        for path, each in (group or {}).items():
            parent, _, name = path.partition("/")
            records.append(record(kind, name, each, parent=parent))
    known = {service: tuple(found) for service, found in (instances or {}).items()}
    return MeshState({each.key: each for each in records}, known)


def one_route(spec: Spec, *, protocol: str = "http", **targets: Spec) -> MeshState:
    """`front` calls `colors.local`, a router with this route to the nodes `blue` and `green`."""
    listener = specs.listener(8080, protocol)
    nodes = {"blue": specs.node(listener), "green": specs.node(listener), **targets}
    return mesh(
        nodes={"front": caller("colors.local"), **nodes},
        services={"colors.local": specs.service(router="colors")},
        routers={"colors": specs.router(listener)},
        routes={"colors/route": spec},
    )


def one_target(target: Spec, *, spec: Spec | None = None, **more: Any) -> MeshState:
    """`front` calls `target.local`, which is the node `target`."""
    return mesh(
        spec=spec,
        nodes={"front": caller("target.local"), "target": target},
        services={"target.local": specs.service(node="target")},
        **more,
    )


def caller(*services: str, **members: Any) -> Spec:
    """A node that does nothing but call these services."""
    return {"backends": [specs.backend(service) for service in services], **members}


def snapshot_of(
    state: MeshState, node: str = "front", options: Options = CAPTURED, kind: str = "virtualNode"
) -> Snapshot:
    """What the proxy of a node or gateway is to have; it must exist."""
    snapshot = Compiler().compile_proxy(state, ProxyId(MESH, kind, node), options)
    assert snapshot is not None
    return snapshot


def told(snapshot: Snapshot, kind: Kind, name: str) -> Json:
    """A resource as JSON, with the names of its fields as Envoy's documentation has them."""
    message = MESSAGES[kind].FromString(snapshot.named(kind)[name].body)
    decoded: Json = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return decoded


def problems(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Where there are problems: object and field."""
    return [(problem.key.name, problem.field) for problem in snapshot.problems]


def routes(state: MeshState, port: int = 8080, options: Options = CAPTURED) -> list[Json]:
    """The routes of the first virtual host that `front` has for a port."""
    found: list[Json] = told(snapshot_of(state, options=options), Kind.ROUTE, f"rds_egress_http_{port}")[
        "virtual_hosts"
    ][0]["routes"]
    return found


def cluster(state: MeshState, name: str, node: str = "front") -> Json:
    """A cluster of a node's proxy."""
    return told(snapshot_of(state, node), Kind.CLUSTER, name)
