"""What the controller that these resources were first written for (v0.5.0) leaves in App Mesh, told a second time.

Independent of `resources/`: plain manifests in, plain specs out, as few words as its rules take. Where that controller
has a known defect the rule is what its documentation means:

- targets of http2 and grpc routes it sends as they are written; public manifests therefore write full App Mesh names,
  which stay as they are, and a name that a VirtualNode of the namespace has is that node's;
- a second listener does not get the port of the last one, and a health check outlives an update.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Json = dict[str, Any]
Objects = dict[tuple[str, ...], Json]
"""Specs by kind and name, and by the router's name before a route's own."""

ROUTE_TYPES = {"http": "httpRoute", "http2": "http2Route", "tcp": "tcpRoute", "grpc": "grpcRoute"}


def objects(manifests: Sequence[Json]) -> Objects:
    """All that there is in App Mesh once these nodes and services are reconciled."""
    nodes = {
        (each["metadata"]["namespace"], each["metadata"]["name"]): each for each in by_kind(manifests, "VirtualNode")
    }
    found: Objects = {}
    for (namespace, name), manifest in nodes.items():
        api_name = qualified(name, namespace)
        found["virtualNode", api_name] = solid(node_spec(manifest["spec"], api_name))
    for manifest in by_kind(manifests, "VirtualService"):
        found |= service_objects(manifest, nodes)
    return found


def by_kind(manifests: Sequence[Json], kind: str) -> Iterator[Json]:
    """Those of a kind."""
    return (manifest for manifest in manifests if manifest["kind"] == kind)


def qualified(name: str, namespace: str) -> str:
    """Dots become dashes; a name without a dot gets its namespace."""
    return name.replace(".", "-") if "." in name else f"{name}-{namespace}"


def node_spec(spec: Json, api_name: str) -> Json:
    """A node, as the API takes it."""
    discovery: Json = spec.get("serviceDiscovery", {})
    found: Json = {}
    if "dns" in discovery:
        found = {"dns": {"hostname": discovery["dns"]["hostName"]}}
    elif "cloudMap" in discovery:
        by_map = discovery["cloudMap"]
        own = {"appmesh.k8s.aws/mesh": spec["meshName"], "appmesh.k8s.aws/virtualNode": api_name}
        attributes = {**by_map.get("attributes", {}), **own}
        found = {
            "awsCloudMap": {
                "namespaceName": by_map["namespaceName"],
                "serviceName": by_map["serviceName"],
                "attributes": [{"key": key, "value": attributes[key]} for key in sorted(attributes)],
            }
        }
    return {
        "listeners": [node_listener(listener) for listener in spec.get("listeners", [])],
        "serviceDiscovery": found,
        "backends": [
            {
                "virtualService": {
                    "virtualServiceName": backend["virtualService"]["virtualServiceName"],
                    "clientPolicy": client_policy(backend["virtualService"].get("clientPolicy", {})),
                }
            }
            for backend in spec.get("backends", [])
        ],
        "backendDefaults": {"clientPolicy": client_policy(spec.get("backendDefaults", {}).get("clientPolicy", {}))},
        "logging": spec.get("logging", {}),
    }


def node_listener(listener: Json) -> Json:
    """A listener, the gaps of its health check filled."""
    mapping = listener["portMapping"]
    defaults = {
        "port": mapping["port"],
        "protocol": mapping["protocol"],
        "healthyThreshold": 10,
        "intervalMillis": 30000,
        "timeoutMillis": 5000,
        "unhealthyThreshold": 2,
    }
    check = {"healthCheck": defaults | listener["healthCheck"]} if "healthCheck" in listener else {}
    return {"portMapping": mapping, "tls": listener.get("tls"), **check}


def client_policy(policy: Json) -> Json:
    """TLS is enforced unless it is said that it is not."""
    return {"tls": {"enforce": True} | policy["tls"]} if "tls" in policy else {}


def service_objects(manifest: Json, nodes: Mapping[tuple[str, str], Json]) -> Objects:
    """A service, its router and its routes."""
    name, namespace = manifest["metadata"]["name"], manifest["metadata"]["namespace"]
    spec = manifest["spec"]
    given = spec.get("virtualRouter", {})
    router = qualified(given.get("name", "").strip() or name, namespace)
    listeners = given.get("listeners") or [first_listener(spec["routes"][0], namespace, nodes)]
    found: Objects = {
        ("virtualService", name): {"provider": {"virtualRouter": {"virtualRouterName": router}}},
        ("virtualRouter", router): {"listeners": [{"portMapping": each["portMapping"]} for each in listeners]},
    }
    for route in spec["routes"]:
        found["route", router, route["name"]] = solid(route_spec(route, namespace, nodes))
    return found


def first_listener(route: Json, namespace: str, nodes: Mapping[tuple[str, str], Json]) -> Json:
    """Of the node that is the first target of the first route."""
    (kind,) = route.keys() & ROUTE_TYPES.keys()
    target = route[kind]["action"]["weightedTargets"][0]["virtualNodeName"]
    listener: Json = nodes[namespace, target]["spec"]["listeners"][0]
    return listener


def route_spec(route: Json, namespace: str, nodes: Mapping[tuple[str, str], Json]) -> Json:
    """A route; its name stays as it is."""
    (kind,) = route.keys() & ROUTE_TYPES.keys()
    content = route[kind]

    def target(name: str) -> str:
        is_ours = kind in ("http", "tcp") or (namespace, name) in nodes
        return qualified(name, namespace) if is_ours else name

    targets = [
        {"virtualNode": target(each["virtualNodeName"]), "weight": each["weight"]}
        for each in content["action"]["weightedTargets"]
    ]
    retry = dict(content.get("retryPolicy", {}))
    if retry:
        retry["perRetryTimeout"] = {"unit": "ms", "value": retry.pop("perRetryTimeoutMillis")}
    made = {"match": content.get("match"), "action": {"weightedTargets": targets}, "retryPolicy": retry}
    return {"priority": route.get("priority"), ROUTE_TYPES[kind]: made}


def solid(value: Any) -> Any:
    """Without what says nothing: App Mesh does not tell an empty list or object from none."""
    if isinstance(value, dict):
        members = {name: solid(each) for name, each in value.items()}
        return {name: each for name, each in members.items() if each is not None and each != {} and each != []}
    return [solid(each) for each in value] if isinstance(value, list) else value
