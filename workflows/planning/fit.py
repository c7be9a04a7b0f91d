"""Whether a route fits its router: App Mesh refuses a write that would leave one that does not. Pure.

A route is for one of its router's listeners, by port, and of that listener's protocol; with several listeners it has to
say the port. A router without listeners takes any. The API checks it in both directions: a route against the router
that is there, and a router's new listeners against all routes that are there. So neither of the two can change first.
"""

from collections.abc import Mapping
from typing import Any

PROTOCOLS = {"httpRoute": "http", "http2Route": "http2", "grpcRoute": "grpc", "tcpRoute": "tcp"}
"""What a listener speaks that a route of each type is for."""


def fits(route: Mapping[str, Any], router: Mapping[str, Any]) -> bool:
    """Whether App Mesh would have a route on a router.

    Args:
        route: the route's spec, as the API takes it.
        router: the router's spec, as the API takes it.
    """
    mappings = [listener["portMapping"] for listener in router.get("listeners") or ()]
    listening = {mapping["port"]: mapping["protocol"] for mapping in mappings}
    if not listening:
        return True
    for kind, protocol in PROTOCOLS.items():
        if kind in route:
            port = (route[kind].get("match") or {}).get("port")
            if port is None:
                return len(listening) == 1 and protocol in listening.values()
            return bool(listening.get(port) == protocol)
    return True
