"""How a proxy stands in its surroundings: what is not mesh state, and comes from the proxy's own node metadata.

With `capture`, iptables leads an application's traffic to the proxy, and the listeners are App Mesh's. Without, the
proxy is a plain process with ports of its own:

- egress is one listener on 127.0.0.1, which tells HTTP services apart by their `Host`; a TCP service needs a port of
  its own, from `tcp_ports`;
- ingress is one listener for each port of the node, in front of the application's port.

And with `proxyless` there is no proxy: the application is a gRPC client that reads xDS itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from control_plane.xds.compile.discovery import is_address

METADATA_KEY = "meshwright"
CAPTURED_INGRESS_PORT = 15000
_NOTHING: Mapping[Any, int] = MappingProxyType({})
_HIGHEST_PORT = 65535


@dataclass(frozen=True)
class Options:
    """What a proxy says of its surroundings; the defaults are App Mesh's."""

    capture: bool = True
    egress_port: int = 15001
    ingress_address: str = "0.0.0.0"
    """Where the listeners of the node's ports are, without capture."""
    ingress_ports: Mapping[int, int] = field(default_factory=lambda: _NOTHING)
    """Where a port of the node is listened on, without capture, if not on that port itself."""
    application_address: str = "127.0.0.1"
    application_ports: Mapping[int, int] = field(default_factory=lambda: _NOTHING)
    """Where the application listens for a port of the node, if not on that port itself."""
    tcp_ports: Mapping[str, int] = field(default_factory=lambda: _NOTHING)
    """The local port of a TCP service (`name:port`), without capture."""
    ipv6: bool = False
    """Whether IPv6 is captured too, so that the captured listeners have to take it. The proxy's host must know IPv6."""
    proxyless: bool = False
    """Whether it is a gRPC client of its own: it is told of services by their names, and of nothing that comes in."""
    tracing: bool = False
    """Whether requests are traced, by the tracer that the proxy was started with."""

    def ingress_port(self, port: int) -> int:
        """Where a port of the node is listened on, without capture."""
        return self.ingress_ports.get(port, port)

    def application_port(self, port: int) -> int:
        """Where the application listens for a port of the node."""
        return self.application_ports.get(port, port)

    def __hash__(self) -> int:
        plain = (self.capture, self.egress_port, self.ingress_address, self.application_address)
        flags = (self.ipv6, self.proxyless, self.tracing)
        mappings = (self.ingress_ports, self.application_ports, self.tcp_ports)
        return hash((plain, flags, tuple(frozenset(mapping.items()) for mapping in mappings)))


def options_of(metadata: Mapping[str, Any]) -> Options:
    """The options in a proxy's node metadata: `{"meshwright": {"capture": false, "egressPort": 15101, ...}}`.

    Raises:
        ValueError: a field is unknown or its value cannot be; the message names it.
    """
    given = metadata.get(METADATA_KEY, {})
    if not isinstance(given, Mapping):
        raise ValueError(f"{METADATA_KEY}: must be an object, is {given!r}")
    unknown = given.keys() - _FIELDS.keys()
    if unknown:
        raise ValueError(f"{METADATA_KEY}.{min(unknown)}: unknown; there are {', '.join(_FIELDS)}")
    values: dict[str, Any] = {}
    for name, value in given.items():
        attribute, read = _FIELDS[name]
        values[attribute] = read(value, f"{METADATA_KEY}.{name}")
    if values.get("proxyless") and values.setdefault("capture", False):
        raise ValueError(f"{METADATA_KEY}.capture: nothing is captured where there is no proxy")
    return Options(**values)


def _flag(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{path}: must be true or false, is {value!r}")
    return value


def _address(value: Any, path: str) -> str:
    if not isinstance(value, str) or not is_address(value):
        raise ValueError(f"{path}: must be an IP address, is {value!r}")
    return value


def _port(value: Any, path: str) -> int:
    # A Struct, which node metadata is, knows numbers of one sort only: 15001.0 is a port.
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 9 else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not float(number).is_integer():
        raise ValueError(f"{path}: must be a port, is {value!r}")
    if not 1 <= number <= _HIGHEST_PORT:
        raise ValueError(f"{path}: must be a port from 1 to {_HIGHEST_PORT}, is {value!r}")
    return int(number)


def _ports(value: Any, path: str) -> Mapping[int, int]:
    return {_port(key, f"{path} (a key)"): port for key, port in _named_ports(value, path).items()}


def _named_ports(value: Any, path: str) -> Mapping[str, int]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{path}: must be an object of ports, is {value!r}")
    return {str(key): _port(port, f"{path}.{key}") for key, port in value.items()}


_FIELDS = {
    "capture": ("capture", _flag),
    "egressPort": ("egress_port", _port),
    "ingressAddress": ("ingress_address", _address),
    "ingressPorts": ("ingress_ports", _ports),
    "applicationAddress": ("application_address", _address),
    "applicationPorts": ("application_ports", _ports),
    "tcpPorts": ("tcp_ports", _named_ports),
    "ipv6": ("ipv6", _flag),
    "proxyless": ("proxyless", _flag),
    "tracing": ("tracing", _flag),
}
