"""Listeners of nodes, routers and gateways."""

from collections.abc import Iterator
from typing import Any

from control_plane.api.validation import Violation
from control_plane.store.records import Spec


def ports(spec: Spec) -> dict[int, str]:
    """Protocol by port of the listeners in a node's, router's or gateway's spec."""
    mappings = [listener["portMapping"] for listener in spec.get("listeners", ())]
    return {mapping["port"]: mapping["protocol"] for mapping in mappings}


def ports_differ(spec: Spec) -> Iterator[Violation]:
    """A port can be listened on once."""
    seen: set[int] = set()
    for path, listener in _listeners(spec):
        port = listener["portMapping"]["port"]
        if port in seen:
            yield Violation(f"{path}.portMapping.port", f"another listener has port {port} already")
        seen.add(port)


def health_checks_use_the_listener(spec: Spec) -> Iterator[Violation]:
    """A health check's port is its listener's."""
    for path, listener in _listeners(spec):
        port = listener["portMapping"]["port"]
        checked = listener.get("healthCheck", {}).get("port", port)
        if checked != port:
            yield Violation(f"{path}.healthCheck.port", f"must be the listener's port {port}; is {checked}")


def pools_suit_the_protocol(spec: Spec) -> Iterator[Violation]:
    """A connection pool is of the listener's protocol."""
    for path, listener in _listeners(spec):
        protocol = listener["portMapping"]["protocol"]
        for kind in listener.get("connectionPool", ()):
            if kind != protocol:
                yield Violation(f"{path}.connectionPool.{kind}", f"must be {protocol}, as the listener's protocol")


def listeners_need_discovery(spec: Spec) -> Iterator[Violation]:
    """A node that listens must be found."""
    if spec.get("listeners") and "serviceDiscovery" not in spec:
        yield Violation("spec.serviceDiscovery", "is required when there are listeners")


def there_is_a_listener(spec: Spec) -> Iterator[Violation]:
    """A gateway without a listener lets nothing in."""
    if not spec.get("listeners"):
        yield Violation("spec.listeners", "must have at least 1 items, has 0")


def with_health_check_ports(spec: Spec) -> Spec:
    """The spec with the listener's port in each health check that says none: App Mesh echoes it so."""
    listeners = [
        {**listener, "healthCheck": {"port": listener["portMapping"]["port"], **listener["healthCheck"]}}
        if "healthCheck" in listener
        else listener
        for listener in spec.get("listeners", ())
    ]
    return {**spec, "listeners": listeners} if listeners else spec


def _listeners(spec: Spec) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((f"spec.listeners[{index}]", listener) for index, listener in enumerate(spec.get("listeners", ())))
