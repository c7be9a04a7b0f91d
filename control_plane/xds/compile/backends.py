"""What a proxy may call, and how its calls are told apart.

Of two backends that cannot be told apart, the one that is named first is served and the other one is a problem. A
backend that cannot be called as its client policy asks for is refused, never called in the clear.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from control_plane.store.records import ObjectRecord
from control_plane.xds.compile.options import Options
from control_plane.xds.compile.place import Place
from control_plane.xds.compile.reading import Reading
from control_plane.xds.compile.services import ServicePort, keeping_host, refused, service_ports
from control_plane.xds.compile.targets import Target
from control_plane.xds.compile.tls import Unavailable, backend_socket


class Backend(NamedTuple):
    """A service that a proxy may call."""

    service: str
    place: Place
    """Where it is named."""
    policy: Place | None
    """The `tls` of the client policy for it."""
    keeps_host: bool = False
    """Whether calls may come under a host name of their own, which is not the service's."""


@dataclass
class Backends:
    """What can be called: what shares a route configuration, by its port; and TCP, by the port it is told apart by."""

    http: dict[int, list[ServicePort]] = field(default_factory=dict)
    tcp: dict[int, ServicePort] = field(default_factory=dict)
    sockets: dict[Target, bytes] = field(default_factory=dict)
    """How each target is called: a serialised transport socket, empty for in the clear."""

    @property
    def ports(self) -> list[int]:
        """The ports that have a way of their own."""
        return sorted({*self.http, *self.tcp})

    def of_service(self, name: str) -> list[ServicePort]:
        """A service at its HTTP ports, its first one first."""
        return [each for group in self.http.values() for each in group if each.service == name]


def backends_of(node: Place) -> Iterator[Backend]:
    """The backends in the spec of a node."""
    default = node.get("backendDefaults", "clientPolicy", "tls")
    for place in node.items("backends"):
        service = place["virtualService"]
        policy = service.get("clientPolicy", "tls") or default
        yield Backend(service.value["virtualServiceName"], service["virtualServiceName"], policy)


def gathered(reading: Reading, mesh: str, wanted: Iterable[Backend], options: Options) -> Backends:
    """The wanted backends as far as they exist and can be told apart."""
    backends = Backends()
    if not options.capture:
        backends.http[options.egress_port] = []  # the proxy answers there even if it knows no one to ask
    domains: set[tuple[int, str]] = set()
    for backend in wanted:
        if reading.get("virtualService", mesh, backend.service) is None:
            backend.place.problem(f"there is no virtual service {backend.service}")
            continue
        for port in service_ports(reading, mesh, backend.service, merged=not options.capture):
            service = port if _can_be_called(backends, port, backend, options) else refused(port)
            at = _by_port(backends, service, backend) if options.capture else _by_name(backends, service, options)
            if isinstance(at, str):
                backend.place.problem(f"{service.service} is left out: {at}")
            elif not service.is_http:
                backends.tcp[at] = service
            elif domains & {(at, domain) for domain in service.domains}:
                backend.place.problem(f"{service.service} is left out: another backend has its name, in other case")
            else:
                domains |= {(at, domain) for domain in service.domains}
                backends.http.setdefault(at, []).append(service)
                if backend.keeps_host:
                    backends.http[at].append(keeping_host(service))
    return backends


def _can_be_called(backends: Backends, service: ServicePort, backend: Backend, options: Options) -> bool:
    """Note how the targets of a service are called; False if they cannot be called as the client policy says."""
    sockets = {}
    for target in service.targets:
        try:
            sockets[target] = _socket(target, backend)
        except Unavailable:
            return False
        if sockets[target] and options.proxyless:
            backend.place.problem(
                f"virtual node {target.node} takes TLS, of which a client without a proxy is not told"
            )
            return False
        if backends.sockets.get(target, sockets[target]) != sockets[target]:
            backend.place.problem(
                f"another backend leads to virtual node {target.node} too, with another client policy"
            )
            return False
    backends.sockets.update(sockets)
    return True


def _socket(target: Target, backend: Backend) -> bytes:
    node = existing(backend.place.reading, target)
    socket = backend_socket(backend.policy, node, target)
    return socket.SerializeToString(deterministic=True) if socket else b""


def existing(reading: Reading, target: Target) -> ObjectRecord:
    """The node of a target; that it exists is what makes it one."""
    node = reading.get("virtualNode", target.mesh, target.node)
    if node is None:
        raise LookupError(f"{target} is no target: there is no such node")
    return node


def _by_port(backends: Backends, service: ServicePort, backend: Backend) -> int | str:
    """A captured call is told by the port it was going to: HTTP by its host then, TCP by nothing more.

    Returns:
        That port, or why it cannot be.
    """
    port = service.port
    if port in backends.tcp:
        return f"{backends.tcp[port].service} takes all connections to port {port}, as TCP"
    if not service.is_http and port in backends.http:
        return f"port {port} speaks HTTP, for {backends.http[port][0].service}; TCP cannot share it"
    return port


def _by_name(backends: Backends, service: ServicePort, options: Options) -> int | str:
    """Without capture, HTTP is told by its host alone, and TCP has a local port of its own.

    Returns:
        The local port, or why there is none.
    """
    if service.is_http:
        return options.egress_port
    if options.proxyless:
        return "a client without a proxy calls no TCP services"
    name = f"{service.service}:{service.port}"
    port = options.tcp_ports.get(name)
    if port is None:
        return f"without capture TCP needs a local port, as {name} in the tcpPorts of the proxy's metadata"
    if port == options.egress_port or port in backends.tcp:
        return f"its local port {port} is taken"
    return port
