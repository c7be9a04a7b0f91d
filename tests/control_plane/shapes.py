"""Hypothesis strategies made from the service model's shapes: everything that the model allows, and little else.

`values(shape)` respects types, required members, unions, lengths, ranges, enums and patterns. `refined` lays what App
Mesh's further rules ask for over it (see `rules/` of the API), so that `valid_specs(kind)` are accepted by a server.
"""

import functools
from collections.abc import Callable
from typing import Any

from botocore.model import ListShape, Shape, StructureShape
from hypothesis import strategies as st

from control_plane.api.rules.routes import HTTP_RETRY_EVENTS
from control_plane.api.service_model import service_model

NODES = ("node-a", "node-b", "node-c")
SERVICE = "service.local"
GATEWAY_PORTS = (8080, 8443)

Strategy = st.SearchStrategy[Any]

_BITS = {"integer": 32, "long": 64}
_MOST_ITEMS = 3
_TEXT = st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"])


def values(shape: Shape, *, refined: dict[str, Callable[[Strategy], Strategy]] | None = None) -> Strategy:
    """Values of a shape; `refined` changes the strategy of shapes by name."""
    strategy = _plain(shape, refined or {})
    change = (refined or {}).get(shape.name)
    return change(strategy) if change else strategy


def spec_shape(noun: str) -> StructureShape:
    """The shape of a kind's spec."""
    shape: StructureShape = service_model().shape_for(f"{noun}Spec")
    return shape


@functools.cache
def valid_specs(noun: str) -> Strategy:
    """Specs that a server accepts in a mesh with the nodes, the service and the gateway ports above."""
    return values(spec_shape(noun), refined=_REFINED)


def _plain(shape: Shape, refined: dict[str, Callable[[Strategy], Strategy]]) -> Strategy:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if isinstance(shape, StructureShape):
        return _structure(shape, refined)
    if isinstance(shape, ListShape):
        most = max(low or 0, min(high or _MOST_ITEMS, _MOST_ITEMS))
        return st.lists(values(shape.member, refined=refined), min_size=low or 0, max_size=most)
    if shape.type_name == "string":
        if shape.enum:
            return st.sampled_from(shape.enum)
        if "pattern" in shape.metadata:
            # Half of the longest is long enough, and Hypothesis does not know our bound.
            return st.from_regex(shape.metadata["pattern"], fullmatch=True).filter(
                lambda text: low <= len(text) <= high
            )
        return st.text(_TEXT, min_size=low or 0, max_size=min(high or 20, 20))
    if shape.type_name in _BITS:
        bound = 1 << (_BITS[shape.type_name] - 1)
        return st.integers(-bound if low is None else low, bound - 1 if high is None else high)
    if shape.type_name == "boolean":
        return st.booleans()
    if shape.type_name == "timestamp":
        return st.integers(0, 4_000_000_000_000).map(lambda milliseconds: milliseconds / 1000)
    raise NotImplementedError(shape.type_name)


def _structure(shape: StructureShape, refined: dict[str, Callable[[Strategy], Strategy]]) -> Strategy:
    members = {name: values(member, refined=refined) for name, member in shape.members.items()}
    if shape.is_tagged_union:
        return st.one_of(*(st.fixed_dictionaries({name: member}) for name, member in members.items()))
    required = {name: members.pop(name) for name in shape.required_members}
    return st.fixed_dictionaries(required, optional=members)


def _only_one_of(*names: str, at_least_one: bool = True) -> Callable[[Strategy], Strategy]:
    """Drop all but one of these members; leave out values that have none, unless none is fine."""

    def pruned(value: dict[str, Any], keep: int) -> dict[str, Any]:
        present = [name for name in names if name in value]
        dropped = set(present) - {present[keep % len(present)]} if present else set()
        return {name: member for name, member in value.items() if name not in dropped}

    def change(strategy: Strategy) -> Strategy:
        chosen = st.builds(pruned, strategy, st.integers(0, len(names) - 1))
        return chosen.filter(lambda value: any(name in value for name in names)) if at_least_one else chosen

    return change


def _with_slashes(value: dict[str, Any]) -> dict[str, Any]:
    """Prefixes and exact paths that begin (and prefixes that end) with a slash."""
    changed = dict(value)
    if "prefix" in changed:
        changed["prefix"] = f"/{changed['prefix'].strip('/')}/".replace("//", "/")
    if "exact" in changed.get("path", {}):
        changed["path"] = {"exact": f"/{changed['path']['exact']}"[:255]}
    return changed


def _http_match(*extra: str) -> Callable[[Strategy], Strategy]:
    def change(strategy: Strategy) -> Strategy:
        one_path = _only_one_of("prefix", "path", at_least_one=False)(strategy)
        return one_path.filter(lambda match: match.keys() & {"prefix", "path", *extra}).map(_with_slashes)

    return change


def _grpc_match(match: dict[str, Any]) -> dict[str, Any]:
    return {"serviceName": "shop.Cart", **match} if "methodName" in match else match


def _retry(policy: dict[str, Any]) -> dict[str, Any]:
    return policy if any("Events" in name for name in policy) else {**policy, "tcpRetryEvents": ["connection-error"]}


def _weighted(targets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    share = 100 // len(targets)
    return [{**target, "weight": max(1, min(target["weight"], share))} for target in targets]


def _listeners(listeners: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Different ports; health check and pool as the port mapping says."""
    fitting = []
    for number, listener in enumerate(listeners):
        mapping = {**listener["portMapping"], "port": 8000 + number}
        changed = {**listener, "portMapping": mapping}
        if "healthCheck" in listener:
            check = listener["healthCheck"]
            changed["healthCheck"] = {**check, "port": mapping["port"]} if "port" in check else check
        if mapping["protocol"] not in listener.get("connectionPool", {mapping["protocol"]: None}):
            del changed["connectionPool"]
        fitting.append(changed)
    return fitting


def _node(spec: dict[str, Any]) -> dict[str, Any]:
    return {"serviceDiscovery": {"dns": {"hostname": "node.local"}}, **spec} if spec.get("listeners") else spec


def _distinct_backends(backends: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({backend["virtualService"]["virtualServiceName"]: backend for backend in backends}.values())


def _gateway_route(route: dict[str, Any]) -> dict[str, Any]:
    """A rewrite of what is matched; a port that the gateway has."""
    match, action = dict(route["match"]), dict(route["action"])
    if "port" in match:
        match["port"] = GATEWAY_PORTS[match["port"] % len(GATEWAY_PORTS)]
    rewrite = {name: part for name, part in action.get("rewrite", {}).items() if name == "hostname" or name in match}
    if "exact" in rewrite.get("path", {}):
        rewrite["path"] = {"exact": f"/{rewrite['path']['exact']}"[:255]}
    if "value" in rewrite.get("prefix", {}):
        rewrite["prefix"] = {"value": "/rewritten/"}
    elif "prefix" in rewrite:
        rewrite["prefix"] = {"defaultPrefix": "DISABLED"}
    if "rewrite" in action:
        action["rewrite"] = rewrite
    return {**route, "match": match, "action": action}


_REFINED: dict[str, Callable[[Strategy], Strategy]] = {
    "RouteSpec": _only_one_of("httpRoute", "http2Route", "grpcRoute", "tcpRoute"),
    "GatewayRouteSpec": _only_one_of("httpRoute", "http2Route", "grpcRoute"),
    "HttpPathMatch": _only_one_of("exact", "regex"),
    "HttpRouteMatch": _http_match(),
    "HttpGatewayRouteMatch": _http_match("hostname"),
    "GatewayRouteHostnameMatch": _only_one_of("exact", "suffix"),
    "GrpcRouteMatch": lambda strategy: strategy.map(_grpc_match),
    "HttpGatewayRoute": lambda strategy: strategy.map(_gateway_route),
    "GrpcGatewayRoute": lambda strategy: strategy.map(_gateway_route),
    "HttpRetryPolicyEvent": lambda _: st.sampled_from(HTTP_RETRY_EVENTS),
    "HttpRetryPolicy": lambda strategy: strategy.map(_retry),
    "GrpcRetryPolicy": lambda strategy: strategy.map(_retry),
    "WeightedTarget": lambda strategy: st.builds(
        lambda target, node: {**target, "virtualNode": node}, strategy, st.sampled_from(NODES)
    ),
    "WeightedTargets": lambda strategy: strategy.map(_weighted),
    "GatewayRouteVirtualService": lambda _: st.just({"virtualServiceName": SERVICE}),
    "Listeners": lambda strategy: strategy.map(_listeners),
    "VirtualRouterListeners": lambda strategy: strategy.map(_listeners),
    "VirtualGatewayListeners": lambda strategy: strategy.filter(bool).map(_listeners),
    "VirtualNodeSpec": lambda strategy: strategy.map(_node),
    "Backends": lambda strategy: strategy.map(_distinct_backends),
    "VirtualServiceProvider": lambda _: st.sampled_from(NODES).map(
        lambda node: {"virtualNode": {"virtualNodeName": node}}
    ),
}
