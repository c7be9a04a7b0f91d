"""Gateway routes: what they match, how they rewrite, and that their port makes sense at both ends."""

from collections.abc import Iterator
from typing import Any

from control_plane.api.rules import Surroundings
from control_plane.api.rules.listeners import ports
from control_plane.api.rules.matches import route_of
from control_plane.api.rules.routes import target_port_violations
from control_plane.api.validation import Violation
from control_plane.store.records import ObjectRecord, Spec


def target(spec: Spec) -> Iterator[str]:
    """The virtual service that a gateway route sends traffic to."""
    yield _target(spec)["virtualService"]["virtualServiceName"]


def http_matches_something(spec: Spec) -> Iterator[Violation]:
    """An HTTP gateway route matches a prefix, a path or a host name, or a host name with one of the two."""
    for route_type in ("httpRoute", "http2Route"):
        if route_type in spec and not spec[route_type]["match"].keys() & {"prefix", "path", "hostname"}:
            yield Violation(f"spec.{route_type}.match", "must have a prefix, a path or a hostname")


def hostnames_are_clear(spec: Spec) -> Iterator[Violation]:
    """A host name is matched as a whole or by its end."""
    for route_type in ("httpRoute", "http2Route", "grpcRoute"):
        hostname = spec.get(route_type, {}).get("match", {}).get("hostname")
        if hostname is not None and len(hostname) != 1:
            yield Violation(f"spec.{route_type}.match.hostname", "must have exactly one of exact and suffix")


def rewrites_are_clear(spec: Spec) -> Iterator[Violation]:
    """A rewrite replaces what was matched: a prefix by a prefix or by the default one, a path by a path."""
    for route_type in ("httpRoute", "http2Route"):
        route = spec.get(route_type, {})
        rewrite = route.get("action", {}).get("rewrite", {})
        path = f"spec.{route_type}.action.rewrite"
        if "prefix" in rewrite and "path" in rewrite:
            yield Violation(path, "must have one of prefix and path, not both")
        for kind in ("prefix", "path"):
            if kind in rewrite and kind not in route["match"]:
                yield Violation(f"{path}.{kind}", f"needs a {kind} in the match")
        if "prefix" in rewrite:
            yield from _prefix_rewrite(rewrite["prefix"], route["match"].get("prefix", "/"), path)
        if not rewrite.get("path", {}).get("exact", "/").startswith("/"):
            yield Violation(f"{path}.path.exact", "must begin with /")


def fits_its_gateway(spec: Spec, around: Surroundings) -> Iterator[Violation]:
    """A matched port is one that the gateway listens on."""
    route_type, route = route_of(spec)
    port, listening = route["match"].get("port"), ports(around.parent.spec)
    if port is not None and port not in listening:
        listed = ", ".join(map(str, listening))
        yield Violation(f"spec.{route_type}.match.port", f"must be a port of the Virtual Gateway ({listed}); is {port}")


def target_has_the_port(spec: Spec, around: Surroundings) -> Iterator[Violation]:
    """A target port is one of the service's provider, and said when the provider listens on several."""
    provider = _provider(around.find("virtualService", next(target(spec))), around)
    path = f"spec.{route_of(spec)[0]}.action.target.port"
    yield from target_port_violations(_target(spec).get("port"), provider, path)


def _prefix_rewrite(rewrite: dict[str, Any], matched: str, path: str) -> Iterator[Violation]:
    if len(rewrite) != 1:
        yield Violation(f"{path}.prefix", "must have exactly one of defaultPrefix and value")
    value = rewrite.get("value")
    if value is None:
        return
    if not (value.startswith("/") and value.endswith("/")):
        yield Violation(f"{path}.prefix.value", "must begin and end with /")
    if not matched.endswith("/"):
        yield Violation(f"{path}.prefix.value", "needs a match whose prefix ends with /")


def _provider(service: ObjectRecord | None, around: Surroundings) -> ObjectRecord | None:
    provider = service.spec.get("provider", {}) if service else {}
    for kind in ("virtualNode", "virtualRouter"):
        if kind in provider:
            return around.find(kind, provider[kind][f"{kind}Name"])
    return None


def _target(spec: Spec) -> dict[str, Any]:
    found: dict[str, Any] = route_of(spec)[1]["action"]["target"]
    return found
