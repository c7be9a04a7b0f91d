"""Routes of a virtual router: what they say, how they fit their router's listeners and their targets."""

from collections.abc import Iterator, Sequence
from typing import Any

from control_plane.api.rules import Surroundings
from control_plane.api.rules.listeners import ports
from control_plane.api.rules.matches import PROTOCOL_BY_TYPE, route_of, routes_in
from control_plane.api.validation import Violation, shown
from control_plane.store.records import ObjectRecord, Spec

HTTP_RETRY_EVENTS = ("server-error", "gateway-error", "client-error", "stream-error")
_RETRY_EVENT_LISTS = ("httpRetryEvents", "tcpRetryEvents", "grpcRetryEvents")
_LISTED_ROUTES = 5


def targets(spec: Spec) -> Iterator[str]:
    """The virtual nodes that a route sends traffic to."""
    return (target["virtualNode"] for target in _weighted_targets(spec))


def http_matches_a_path(spec: Spec) -> Iterator[Violation]:
    """An HTTP route matches a prefix or a path; that it is not both is a rule of `matches`."""
    for route_type in ("httpRoute", "http2Route"):
        if route_type in spec and not spec[route_type]["match"].keys() & {"prefix", "path"}:
            yield Violation(f"spec.{route_type}.match", "must have one of prefix and path")


def grpc_method_has_a_service(spec: Spec) -> Iterator[Violation]:
    """A gRPC method is one of a service."""
    match = spec.get("grpcRoute", {}).get("match", {})
    if "methodName" in match and "serviceName" not in match:
        yield Violation("spec.grpcRoute.match.serviceName", "is required when there is a methodName")


def retries_have_a_cause(spec: Spec) -> Iterator[Violation]:
    """A retry policy says on what to retry, in App Mesh's words."""
    for route_type, route in routes_in(spec):
        policy = route.get("retryPolicy")
        if policy is None:
            continue
        path = f"spec.{route_type}.retryPolicy"
        if not any(policy.get(name) for name in _RETRY_EVENT_LISTS):
            yield Violation(path, f"must have at least one event in {', '.join(_RETRY_EVENT_LISTS)}")
        for index, event in enumerate(policy.get("httpRetryEvents", ())):
            if event not in HTTP_RETRY_EVENTS:
                where = f"{path}.httpRetryEvents[{index}]"
                yield Violation(where, f"must be one of {', '.join(HTTP_RETRY_EVENTS)}; is {shown(event)}")


def weights_add_up(spec: Spec) -> Iterator[Violation]:
    """Weights are relative and their sum is 100 at most. A single target may have 0; of several, one must have more."""
    for route_type, route in routes_in(spec):
        path = f"spec.{route_type}.action.weightedTargets"
        weights = [target["weight"] for target in route["action"]["weightedTargets"]]
        if sum(weights) > 100:
            yield Violation(path, f"must have a total weight of at most 100, has {sum(weights)}")
        if len(weights) > 1 and not any(weights):
            yield Violation(path, "must have a weight above 0 for at least one of several targets")


def fits_its_router(spec: Spec, around: Surroundings) -> Iterator[Violation]:
    """A route is for one of its router's listeners, and of that listener's protocol."""
    return _fits(spec, ports(around.parent.spec))


def targets_have_the_port(spec: Spec, around: Surroundings) -> Iterator[Violation]:
    """A target port is one that the node listens on, and said when the node listens on several."""
    path = f"spec.{route_of(spec)[0]}.action.weightedTargets"
    for index, target in enumerate(_weighted_targets(spec)):
        node = around.find("virtualNode", target["virtualNode"])
        yield from target_port_violations(target.get("port"), node, f"{path}[{index}].port")


def target_port_violations(port: int | None, target: ObjectRecord | None, path: str) -> Iterator[Violation]:
    """Whether `port` names a listener of the target; it need not while there is only one to mean."""
    listening = ports(target.spec) if target else {}
    if port is None and len(listening) > 1:
        yield Violation(path, f"is required: the target has listeners on ports {_numbers(listening)}")
    if port is not None and listening and port not in listening:
        yield Violation(path, f"must be a port that the target listens on ({_numbers(listening)}); is {port}")


def routes_still_fit(spec: Spec, around: Surroundings) -> Iterator[Violation]:
    """A router's new listeners must suit the routes it has: change or delete those first."""
    routes = around.children("route")
    listening = ports(spec)
    if len(listening) > 1:
        portless = [route.key.name for route in routes if _port(route.spec) is None]
        if portless:
            yield Violation(
                "spec.listeners",
                "All Routes for this Virtual Router must define a port match before adding multiple listeners. "
                f"Listing up to {_LISTED_ROUTES} route names: {_listing(portless)}",
            )
            return
    unfit = [route.key.name for route in routes if any(_fits(route.spec, listening))]
    if unfit:
        yield Violation(
            "spec.listeners",
            "All Routes for this Virtual Router must have the port and protocol of one of its listeners. "
            f"Listing up to {_LISTED_ROUTES} route names: {_listing(unfit)}",
        )


def _fits(spec: Spec, listening: dict[int, str]) -> Iterator[Violation]:
    route_type, _ = route_of(spec)
    port = _port(spec)
    path = f"spec.{route_type}.match.port"
    if not listening:  # a router without listeners takes any route
        return
    if port is None and len(listening) > 1:
        yield Violation(path, "Route must define a port match criteria if the Virtual Router has multiple listeners")
        return
    if port is not None and port not in listening:
        yield Violation(path, f"must be a port of the Virtual Router ({_numbers(listening)}); is {port}")
        return
    protocol = listening[port] if port is not None else next(iter(listening.values()))
    if PROTOCOL_BY_TYPE[route_type] != protocol:
        yield Violation(f"spec.{route_type}", f"must be the route of a listener with protocol {protocol}")


def _port(spec: Spec) -> int | None:
    port: int | None = route_of(spec)[1].get("match", {}).get("port")
    return port


def _weighted_targets(spec: Spec) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = route_of(spec)[1]["action"]["weightedTargets"]
    return found


def _numbers(listening: dict[int, str]) -> str:
    return ", ".join(map(str, listening))


def _listing(names: Sequence[str]) -> str:
    return f"[{', '.join(names[:_LISTED_ROUTES])}]"
