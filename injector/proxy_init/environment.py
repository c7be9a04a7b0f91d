"""What is captured, from the App Mesh environment variables. Pure.

The variables are those of App Mesh's own image for this, with its meanings; what each does is in the table below, from
which the reference is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

Network = IPv4Network | IPv6Network

_HIGHEST_PORT = 65535
_HIGHEST_ID = 2**32 - 2  # the one above stands for none

ALWAYS_IGNORED_PORTS = (22,)
"""Who repairs a pod's network by SSH should not need that network's proxy for it; App Mesh never captured it either."""

ALWAYS_IGNORED_NETWORKS: tuple[Network, ...] = (
    IPv4Network("169.254.169.254/32"),  # instance metadata
    IPv4Network("169.254.170.2/32"),  # credentials of an ECS task
    IPv4Network("169.254.170.23/32"),  # credentials of an EKS pod
    IPv6Network("fd00:ec2::23/128"),  # credentials of an EKS pod
    IPv6Network("fd00:ec2::254/128"),  # instance metadata
)
"""Answers from these are for the one who asks: a proxy in between would be taken for the application, or be refused."""


class BadVariable(ValueError):
    """An environment variable cannot be used; the message begins with its name."""


@dataclass(frozen=True)
class Variable:
    """One environment variable, for the reader of code and of the reference."""

    name: str
    default: str
    meaning: str
    alias: str | None = None
    """Another name for the same; both may be set, to the same value."""


START = Variable("APPMESH_START_ENABLED", "0", "`1`: capture; `0`: capture nothing, and undo what an earlier run set.")
USER = Variable(
    "APPMESH_IGNORE_UID", "", "User id of the proxy, whose own traffic is not captured. This or the next is needed."
)
GROUP = Variable("APPMESH_IGNORE_GID", "", "Group id of the proxy, likewise.")
INGRESS = Variable(
    "APPMESH_PROXY_INGRESS_PORT", "15000", "Where the proxy takes what comes in.", "APPMESH_ENVOY_INGRESS_PORT"
)
EGRESS = Variable(
    "APPMESH_PROXY_EGRESS_PORT", "15001", "Where the proxy takes what goes out.", "APPMESH_ENVOY_EGRESS_PORT"
)
APPLICATION_PORTS = Variable(
    "APPMESH_APP_PORTS",
    "",
    "Ports of the application, comma-separated: what comes in to them goes to the proxy. "
    "Without any, or with `0`, nothing that comes in is captured.",
)
IGNORED_IPS = Variable(
    "APPMESH_EGRESS_IGNORED_IP",
    "",
    "Addresses and networks (`10.1.0.0/16`), comma-separated: what goes out to them is not captured. "
    "Always among them: " + ", ".join(f"`{network.network_address}`" for network in ALWAYS_IGNORED_NETWORKS) + ".",
)
IGNORED_PORTS = Variable(
    "APPMESH_EGRESS_IGNORED_PORTS",
    "",
    "Ports, comma-separated: what goes out to them, wherever, is not captured. Always among them: "
    + ", ".join(f"`{port}`" for port in ALWAYS_IGNORED_PORTS)
    + ".",
)
IPV6 = Variable(
    "APPMESH_ENABLE_IPV6",
    "0",
    "`1`: capture IPv6 as well as IPv4, where the kernel has it. The proxy must listen on it.",
)
VARIABLES = (START, USER, GROUP, INGRESS, EGRESS, APPLICATION_PORTS, IGNORED_IPS, IGNORED_PORTS, IPV6)


@dataclass(frozen=True)
class Capture:
    """What is captured. Ports and networks are sorted, and none is there twice."""

    ingress_port: int
    egress_port: int
    user: int | None = None
    """Whose traffic goes out as it is; so does the group's. At least one of them is the proxy's."""
    group: int | None = None
    application_ports: tuple[int, ...] = ()
    ignored_ports: tuple[int, ...] = ALWAYS_IGNORED_PORTS
    ignored_networks: tuple[Network, ...] = ALWAYS_IGNORED_NETWORKS
    ipv6: bool = False

    def __str__(self) -> str:
        ports = ", ".join(map(str, self.application_ports))
        comes_in = f"what comes in to {ports} goes to {self.ingress_port}" if ports else "nothing that comes in"
        ids = {"user": self.user, "group": self.group}
        proxy = " and ".join(f"{kind} {number}" for kind, number in ids.items() if number is not None)
        ignored = ", ".join([*(f"port {port}" for port in self.ignored_ports), *map(str, self.ignored_networks)])
        return f"{comes_in}; what goes out goes to {self.egress_port}, but of {proxy}, and to {ignored}"


def capture_of(environment: Mapping[str, str]) -> Capture | None:
    """What is to be captured; None for nothing.

    Raises:
        BadVariable: a value cannot be, or one that is needed is not there.
    """
    if not _flag(environment, START):
        return None
    user, group = _id(environment, USER), _id(environment, GROUP)
    if user is None and group is None:
        raise BadVariable(f"{USER.name}: needed (or {GROUP.name}), as the proxy's own traffic must not come back to it")
    ingress, egress = _one_port(environment, INGRESS), _one_port(environment, EGRESS)
    if ingress == egress:
        raise BadVariable(f"{EGRESS.name}: {egress} is {INGRESS.name} already")
    return Capture(
        ingress,
        egress,
        user,
        group,
        _ports(environment, APPLICATION_PORTS, none="0"),
        tuple(sorted({*ALWAYS_IGNORED_PORTS, *_ports(environment, IGNORED_PORTS)})),
        _networks(environment),
        _flag(environment, IPV6),
    )


def _value(environment: Mapping[str, str], variable: Variable) -> tuple[str, str]:
    """The name under which it is set, and the value; set to nothing is not set."""
    names = [name for name in (variable.name, variable.alias) if name and environment.get(name, "").strip()]
    values = {environment[name].strip() for name in names}
    if len(values) > 1:
        raise BadVariable(f"{names[0]}: is not what {names[1]} says")
    return (names[0], values.pop()) if names else (variable.name, variable.default)


def _flag(environment: Mapping[str, str], variable: Variable) -> bool:
    name, value = _value(environment, variable)
    if value not in ("0", "1"):
        raise BadVariable(f"{name}: must be 0 or 1, is {value!r}")
    return value == "1"


def _id(environment: Mapping[str, str], variable: Variable) -> int | None:
    name, value = _value(environment, variable)
    if not value:
        return None
    number = _number(value)
    if number is None or number > _HIGHEST_ID:
        raise BadVariable(f"{name}: must be a number up to {_HIGHEST_ID}, is {value!r}")
    return number


def _one_port(environment: Mapping[str, str], variable: Variable) -> int:
    return _port(*_value(environment, variable))


def _ports(environment: Mapping[str, str], variable: Variable, none: str = "") -> tuple[int, ...]:
    name, value = _value(environment, variable)
    return tuple(sorted({_port(name, each) for each in _items(value) if each != none}))


def _port(name: str, value: str) -> int:
    number = _number(value)
    if number is None or not 1 <= number <= _HIGHEST_PORT:
        raise BadVariable(f"{name}: must be a port from 1 to {_HIGHEST_PORT}, is {value!r}")
    return number


def _networks(environment: Mapping[str, str]) -> tuple[Network, ...]:
    name, value = _value(environment, IGNORED_IPS)
    found = set(ALWAYS_IGNORED_NETWORKS)
    for each in _items(value):
        try:
            found.add(ip_network(each, strict=False))
        except ValueError as error:
            raise BadVariable(f"{name}: must be addresses or networks, has {each!r}") from error
    return tuple(sorted(found, key=lambda network: (network.version, network)))


def _items(value: str) -> list[str]:
    return [each for each in (part.strip() for part in value.split(",")) if each]


def _number(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdigit() else None
