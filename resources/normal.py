"""Normal form of App Mesh specs: are two of them the same, and if not, where do they differ?

App Mesh echoes a spec without its empty parts and may write in what it fills by itself. A comparison that took this for
a difference would send the same update for ever, so both sides are brought to one form first:

- empty lists and structures are as good as absent, and so is a value that App Mesh takes anyway when nothing is said;
- lists that are sets in meaning (targets, backends, attributes, retry events, ports) have no order;
- a duration in seconds is one in milliseconds;
- the port of a health check is the server's to fill in, so it counts only where the desired side sets it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

# Member name → what App Mesh takes when the member is absent.
IMPLIED: dict[str, Any] = {"egressFilter": {"type": "DROP_ALL"}, "enforce": True, "invert": False}

# Lists without an order, whose items have a name.
KEYED: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "weightedTargets": lambda target: target.get("virtualNode"),
    "backends": lambda backend: backend.get("virtualService", {}).get("virtualServiceName"),
    "attributes": lambda attribute: attribute.get("key"),
}

# Lists without an order, of plain values.
SETS = frozenset({"httpRetryEvents", "tcpRetryEvents", "grpcRetryEvents", "certificateAuthorityArns", "ports"})

MILLIS_PER_SECOND = 1000


def pruned(value: Mapping[str, Any]) -> dict[str, Any]:
    """The same without members that are None, an empty list or an empty structure, at any depth."""
    result: dict[str, Any] = _prune(value)
    return result


def same_spec(desired: Mapping[str, Any], described: Mapping[str, Any]) -> bool:
    """Whether an update from `described` to `desired` would change nothing."""
    return desired == described or not differences(desired, described)


def differences(desired: Mapping[str, Any], described: Mapping[str, Any]) -> tuple[str, ...]:
    """Where the two differ, for people: `listeners[0].portMapping.port: 8080 -> 9090`. Empty when they are the same."""
    return tuple(_compare("", _normal(desired), _normal(described)))


def _prune(value: Any) -> Any:
    if isinstance(value, Mapping):
        members = {key: _prune(member) for key, member in value.items()}
        return {key: member for key, member in members.items() if not _is_empty(member)}
    if isinstance(value, list | tuple):
        return [_prune(item) for item in value]
    return value


def _is_empty(value: Any) -> bool:
    return value is None or value == {} or value == []


def _normal(spec: Mapping[str, Any]) -> Any:
    return _prune(_normalise("", _prune(spec)))


def _normalise(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"unit", "value"} and value["unit"] == "s":
            return {"unit": "ms", "value": value["value"] * MILLIS_PER_SECOND}
        members = {key: _normalise(key, member) for key, member in value.items()}
        return {key: member for key, member in members.items() if key not in IMPLIED or member != IMPLIED[key]}
    if isinstance(value, list):
        items = [_normalise("", item) for item in value]
        if name in KEYED:
            return _by_name(items, KEYED[name])
        return sorted(items, key=_as_text) if name in SETS else items
    return value


def _by_name(items: list[Any], name_of: Callable[[Mapping[str, Any]], Any]) -> Any:
    """The items under their names; where a name comes twice, sorted instead, so that nothing is lost."""
    named = {f"[{name_of(item)}]": item for item in items}
    return named if len(named) == len(items) else sorted(items, key=_as_text)


def _compare(path: str, desired: Any, described: Any) -> Iterator[str]:
    if isinstance(desired, dict) and isinstance(described, dict):
        for key in sorted(desired.keys() | described.keys()):
            where = f"{path}{key}" if key.startswith("[") or not path else f"{path}.{key}"
            if where.endswith("healthCheck.port") and key not in desired:
                continue
            yield from _compare(where, desired.get(key), described.get(key))
    elif isinstance(desired, list) and isinstance(described, list) and len(desired) == len(described):
        for index, (wanted, found) in enumerate(zip(desired, described, strict=True)):
            yield from _compare(f"{path}[{index}]", wanted, found)
    elif desired != described:
        yield f"{path}: {_as_text(described)} -> {_as_text(desired)}"


def _as_text(value: Any) -> str:
    return "none" if value is None else json.dumps(value, sort_keys=True)
