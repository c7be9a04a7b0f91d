"""Whether a spec has the shape of its CRD's schema: its fields, and objects, lists and strings where it has them. Pure.

The API server drops what is unknown and refuses what has another shape, so nothing behind it reckons with either.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from resources.crd import custom_resource_definition
from resources.kinds import Kind

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}
_CALLED = {"array": "a list", "integer": "a whole number", "object": "an object"}


def unknown(kind: Kind, spec: Any) -> Iterator[str]:
    """Fields of a spec that the schema does not have."""
    return _unknown(spec, _schema(kind), "spec")


def misshapen(kind: Kind, spec: Any) -> Iterator[tuple[str, str]]:
    """Fields of a spec that are of another type than the schema's, and what they must be."""
    return _misshapen(spec, _schema(kind), "spec")


@cache
def _schema(kind: Kind) -> dict[str, Any]:
    [version] = custom_resource_definition(kind)["spec"]["versions"]
    spec: dict[str, Any] = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return spec


def _unknown(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if isinstance(value, dict):
        known, extra = schema.get("properties"), schema.get("additionalProperties")
        for name, member in value.items():
            if known is not None and name in known:
                yield from _unknown(member, known[name], f"{path}.{name}")
            elif isinstance(extra, dict):
                yield from _unknown(member, extra, f"{path}.{name}")
            elif known is not None and not schema.get("x-kubernetes-preserve-unknown-fields"):
                yield f"{path}.{name}"
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _unknown(item, schema.get("items", {}), f"{path}[{number}]")


def _misshapen(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    wanted = schema.get("type")
    if wanted is not None and not isinstance(value, _TYPES[wanted]):
        yield path, f"must be {_CALLED.get(wanted, f'a {wanted}')}"
    elif isinstance(value, dict):
        known, extra = schema.get("properties", {}), schema.get("additionalProperties")
        for name, member in value.items():
            of = known.get(name, extra)
            if member is not None and isinstance(of, dict):
                yield from _misshapen(member, of, f"{path}.{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _misshapen(item, schema.get("items", {}), f"{path}[{number}]")
