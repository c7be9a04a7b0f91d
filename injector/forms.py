"""The forms of values, in annotations and in settings alike: text in, value out. Pure.

Each raises a `ValueError` whose message goes on after the value itself: "'lots' is not a quantity, such as ...".
"""

import json
import re
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from injector import quantities
from injector.configuration import Tracer, Tracing
from injector.proxy_bootstrap import TOKEN_VARIABLE
from resources.pods import NODE_ANNOTATION, VARIABLE


@dataclass(frozen=True)
class Mount:
    """Something that is mounted into the proxy."""

    source: str
    path: str


def flag(value: str) -> bool:
    """`enabled` or `disabled`; older injectors said `true` of the preview."""
    known = {"enabled": True, "true": True, "disabled": False, "false": False}
    if value.lower() not in known:
        raise ValueError("must be enabled or disabled")
    return known[value.lower()]


def name(value: str) -> str:
    """A name in App Mesh, as it may stand in a proxy's id."""
    if not re.fullmatch(r"[^\s/$]{1,255}", value):
        raise ValueError("is not a name: 1 to 255 characters, none of them a blank, / or $")
    return value


def _items(value: str) -> list[str]:
    return [item.strip() for item in value.split(",")] if value else []


def ports(value: str) -> tuple[int, ...]:
    """Ports, each once; none of an empty text."""
    items = _items(value)
    if not all(item.isascii() and item.isdigit() and 0 < int(item) < 65536 for item in items):
        raise ValueError("is not a list of ports, such as 8080,9090")
    return tuple(dict.fromkeys(map(int, items)))


def addresses(value: str) -> tuple[str, ...]:
    """Addresses and networks, each once; none of an empty text."""
    items = _items(value)
    for item in items:
        try:
            ip_network(item, strict=False)
        except ValueError:
            raise ValueError("is not a list of addresses or networks, such as 169.254.169.254,10.0.0.0/8") from None
    return tuple(dict.fromkeys(items))


def ip_and_port(value: str) -> str:
    """IP:PORT, an IPv6 address in brackets."""
    host, _, port = value.rpartition(":")
    try:
        ip_address(host[1:-1] if host.startswith("[") else host)
        (_number,) = ports(port)
    except ValueError:
        raise ValueError("is not IP:PORT, such as 127.0.0.1:8125") from None
    return value


def tracing(value: str) -> Tracing:
    """`zipkin://HOST:PORT`, or the like."""
    scheme, _, address = value.partition("://")
    host, _, port = address.rpartition(":")
    try:
        tracer = Tracer("zipkin" if scheme == "jaeger" else scheme)
        (number,) = ports(port)
        if not re.fullmatch(r"[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\]", host):
            raise ValueError
        if tracer is Tracer.XRAY:
            ip_address(host.strip("[]"))
    except ValueError:
        known = "zipkin://HOST:PORT, jaeger://HOST:PORT, datadog://HOST:PORT or xray://IP:PORT"
        raise ValueError(f"is none of {known}") from None
    return Tracing(tracer, host.strip("[]"), number)


def quantity(value: str) -> str:
    """A quantity, as it is written."""
    quantities.parse(value)
    return value


def mounts(value: str) -> tuple[Mount, ...]:
    """`NAME:PATH`, comma-separated."""
    found = []
    for item in _items(value):
        source, _, path = (part.strip() for part in item.partition(":"))
        if not source or not path.startswith("/") or ":" in path:
            raise ValueError("is not a list of NAME:PATH, such as cart-certificate:/certificates")
        found.append(Mount(source, path))
    if len({mount.path for mount in found}) < len(found):
        raise ValueError("mounts two things at one path")
    return tuple(found)


def environment(value: str) -> dict[str, str]:
    """`NAME=value`, comma-separated."""
    pairs = [item.partition("=") for item in _items(value)]
    if not all(separator for _, separator, _ in pairs):
        raise ValueError("is not a list of NAME=value, such as LEVEL=3,ZONE=a")
    return _checked({name.strip(): text.strip() for name, _, text in pairs})


def json_environment(value: str) -> dict[str, str]:
    """The same as a JSON object, or a list of such."""
    try:
        content: Any = json.loads(value)
    except (json.JSONDecodeError, RecursionError):
        content = None
    objects = content if isinstance(content, list) else [content]
    if not all(isinstance(each, dict) and all(isinstance(text, str) for text in each.values()) for each in objects):
        raise ValueError('is not a JSON object of texts, such as {"ZONE": "a"}')
    return _checked({name: text for each in objects for name, text in each.items()})


def _checked(variables: dict[str, str]) -> dict[str, str]:
    for name in variables:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise ValueError(f"names a variable {name!r}, which has other characters than letters, digits and _")
        if name == TOKEN_VARIABLE:
            raise ValueError(f"sets {TOKEN_VARIABLE}, which the injector fills from a Secret")
        if name == VARIABLE:
            raise ValueError(f"sets {VARIABLE}; which node the pod is part of, the annotation {NODE_ANNOTATION} says")
    return variables
