"""What routes and gateway routes have in common: one type, and how they match a path."""

from collections.abc import Iterator
from typing import Any

from control_plane.api.validation import Violation
from control_plane.store.records import Spec

PROTOCOL_BY_TYPE = {"httpRoute": "http", "http2Route": "http2", "grpcRoute": "grpc", "tcpRoute": "tcp"}


def routes_in(spec: Spec) -> Iterator[tuple[str, dict[str, Any]]]:
    """Type and content of each route in a spec; one, once `has_one_type` holds."""
    return ((name, spec[name]) for name in PROTOCOL_BY_TYPE if name in spec)


def route_of(spec: Spec) -> tuple[str, dict[str, Any]]:
    """The one route in a valid spec: its type (`httpRoute`) and content."""
    return next(routes_in(spec))


def has_one_type(spec: Spec) -> Iterator[Violation]:
    """A spec holds one route, of one type."""
    types = [name for name, _ in routes_in(spec)]
    if len(types) != 1:
        has = ", ".join(types) or "none"
        yield Violation("spec", f"must have exactly one of {', '.join(PROTOCOL_BY_TYPE)}; has {has}")


def paths_are_clear(spec: Spec) -> Iterator[Violation]:
    """Prefix and exact path begin with a slash; a path is exact or a regular expression, not both."""
    for route_type in ("httpRoute", "http2Route"):
        match = spec.get(route_type, {}).get("match", {})
        path = f"spec.{route_type}.match"
        if "prefix" in match and "path" in match:
            yield Violation(path, "must have one of prefix and path, not both")
        if not match.get("prefix", "/").startswith("/"):
            yield Violation(f"{path}.prefix", "must begin with /")
        if "path" in match:
            if len(match["path"]) != 1:
                yield Violation(f"{path}.path", "must have exactly one of exact and regex")
            if not match["path"].get("exact", "/").startswith("/"):
                yield Violation(f"{path}.path.exact", "must begin with /")
