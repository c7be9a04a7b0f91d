"""From App Mesh specs back to manifests: the mirror of `resources/translate`. Pure.

Only what the three kinds have fields for is carried over. What is lost is not judged here: `cli/exported.py` translates
the result and compares, so nothing can be lost unseen.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from resources.names import namespaced_name
from resources.translate.virtual_node import MESH_ATTRIBUTE, VIRTUAL_NODE_ATTRIBUTE

Json = dict[str, Any]
Spec = Mapping[str, Any]

_OBJECT_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_MILLIS = {"ms": 1, "s": 1000}
ROUTE_TYPES = {"httpRoute": "http", "http2Route": "http2", "tcpRoute": "tcp", "grpcRoute": "grpc"}
TAKES_FULL_NAMES = ("http2", "grpc")


def is_object_name(name: str) -> bool:
    """Whether Kubernetes takes this as the name of a resource."""
    return len(name) <= 253 and _OBJECT_NAME.fullmatch(name) is not None


def resource_name(api_name: str, namespace: str) -> str | None:
    """The name that comes to this App Mesh name in this namespace; None when none does.

    The namespace's suffix is taken off where there is one. A dash can also be had from a dot, which stops the suffix:
    `cart-v1` is the name of `cart.v1` in any namespace. Of several dashes the last one is taken.
    """
    plain = api_name.removesuffix(f"-{namespace}")
    if plain != api_name and "." not in plain and is_object_name(plain):
        return plain
    for place in reversed([number for number, letter in enumerate(api_name) if letter == "-"]):
        dotted = f"{api_name[:place]}.{api_name[place + 1 :]}"
        if is_object_name(dotted) and namespaced_name(dotted, namespace) == api_name:
            return dotted
    return None


def mesh_spec(spec: Spec) -> Json:
    """MeshSpec of a Mesh."""
    return {"egressFilter": dict(spec["egressFilter"])} if spec.get("egressFilter") else {}


def virtual_node_spec(mesh: str, spec: Spec) -> Json:
    """VirtualNodeSpec of a VirtualNode."""
    return _given(
        meshName=mesh,
        listeners=[_picked(each, "portMapping", "healthCheck", "tls") for each in spec.get("listeners", ())],
        serviceDiscovery=_discovery(spec.get("serviceDiscovery", {})),
        backends=[_backend(each) for each in spec.get("backends", ())],
        backendDefaults=_policy(spec["backendDefaults"]) if spec.get("backendDefaults") else None,
        logging=_logging(spec.get("logging", {})),
    )


def router_listeners(spec: Spec) -> list[Json]:
    """Listeners of a router."""
    return [_picked(each, "portMapping") for each in spec.get("listeners", ())]


def route(name: str, spec: Spec, target: Callable[[str, bool], str]) -> Json:
    """One entry of `spec.routes`; `target` writes a node's App Mesh name, given whether full names may be written."""
    written: Json = {"name": name}
    for member, type in ROUTE_TYPES.items():
        if member in spec:
            written[type] = _typed_route(spec[member], type, target)
    if "priority" in spec:
        written["priority"] = spec["priority"]
    return written


def _typed_route(found: Spec, type: str, target: Callable[[str, bool], str]) -> Json:
    targets = [
        _given(virtualNodeName=target(each["virtualNode"], type in TAKES_FULL_NAMES), weight=each["weight"])
        for each in found.get("action", {}).get("weightedTargets", ())
    ]
    match = found.get("match", {})
    members = ("serviceName", "methodName", "metadata") if type == "grpc" else ("prefix", "method", "scheme", "headers")
    written: Json = {} if type == "tcp" else {"match": _picked(match, *members)}
    written["action"] = {"weightedTargets": targets}
    if found.get("retryPolicy") and type != "tcp":
        written["retryPolicy"] = _retries(found["retryPolicy"])
    return written


def _retries(policy: Spec) -> Json:
    timeout = policy["perRetryTimeout"]
    millis = timeout.get("value", 0) * _MILLIS[timeout.get("unit", "ms")]
    events = _picked(policy, "httpRetryEvents", "tcpRetryEvents", "grpcRetryEvents")
    return {"perRetryTimeoutMillis": millis, "maxRetries": policy["maxRetries"], **events}


def _discovery(found: Spec) -> Json | None:
    if "dns" in found:
        return {"dns": {"hostName": found["dns"]["hostname"]}}
    if "awsCloudMap" not in found:
        return None
    cloud_map = found["awsCloudMap"]
    own = (MESH_ATTRIBUTE, VIRTUAL_NODE_ATTRIBUTE)
    attributes = {each["key"]: each["value"] for each in cloud_map.get("attributes", ()) if each["key"] not in own}
    names = _picked(cloud_map, "serviceName", "namespaceName")
    return {"cloudMap": names | ({"attributes": attributes} if attributes else {})}


def _backend(found: Spec) -> Json:
    service = found["virtualService"]
    return {"virtualService": {"virtualServiceName": service["virtualServiceName"], **_policy(service)}}


def _policy(holder: Spec) -> Json:
    tls = holder.get("clientPolicy", {}).get("tls")
    return {"clientPolicy": {"tls": _picked(tls, "enforce", "ports", "validation")}} if tls else {}


def _logging(found: Spec) -> Json | None:
    path = found.get("accessLog", {}).get("file", {}).get("path")
    return {"accessLog": {"file": {"path": path}}} if path else None


def _picked(found: Spec, *members: str) -> Json:
    return {member: found[member] for member in members if member in found}


def _given(**members: Any) -> Json:
    return {name: value for name, value in members.items() if value not in (None, [], {})}


def owner_namespaces(services: Collection[str]) -> Sequence[str]:
    """Namespaces that the names of services speak of, as in `cart.shop.svc.cluster.local`; longest first."""
    found = {parts[1] for name in services if len(parts := name.split(".")) > 2 and parts[2] == "svc"}
    return sorted(found, key=lambda namespace: (-len(namespace), namespace))
