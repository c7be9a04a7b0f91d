"""What every object of Kubernetes must be before anyone looks at what it says: names, annotations, and JSON. Pure.

What comes after it may believe that metadata has strings where the API server would have put strings.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

Mistake = tuple[str, str]
"""A field, and what is wrong with it."""
_CALLED = {"dict": "an object", "list": "a list"}
_SHOWN_CHARACTERS = 80
_SMALLEST, _LARGEST = -(2**63), 2**64


def mistakes(object: Mapping[str, Any]) -> Iterator[Mistake]:
    """All mistakes of an object's envelope."""
    yield from _no_json(object, "")
    metadata, spec = object.get("metadata"), object.get("spec")
    if isinstance(metadata, dict):
        yield from _of_metadata(metadata)
    else:
        yield "metadata", _expected("an object", metadata)
    if not isinstance(spec, dict | None):
        yield "spec", _expected("an object", spec)


def _of_metadata(metadata: Mapping[Any, Any]) -> Iterator[Mistake]:
    name = metadata.get("name")
    if not isinstance(name, str) or not name:
        yield "metadata.name", _expected("a string", name or None)
    if not isinstance(metadata.get("namespace"), str | None):
        yield "metadata.namespace", _expected("a string", metadata["namespace"])
    for field in ("annotations", "labels"):
        found = metadata.get(field)
        if not isinstance(found, dict | None):
            yield f"metadata.{field}", _expected("an object", found)
            continue
        for key, value in (found or {}).items():
            if isinstance(key, str) and not isinstance(value, str):
                yield f"metadata.{field}[{key}]", f"must be a string, got {_shown(value)}"
    finalizers = metadata.get("finalizers")
    if not isinstance(finalizers, list | None) or not all(isinstance(each, str) for each in finalizers or ()):
        yield "metadata.finalizers", "must be a list of strings"


def _expected(what: str, found: Any) -> str:
    return "is required" if found is None else f"must be {what}, got {_shown(found)}"


def _shown(value: Any) -> str:
    if isinstance(value, bool | None):
        return "null" if value is None else str(value).lower()
    if isinstance(value, str | int | float) and not _no_number(value):
        return repr(value)[:_SHOWN_CHARACTERS]
    return _CALLED.get(type(value).__name__, f"a {type(value).__name__}")


def _no_number(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    return isinstance(value, int) and not _SMALLEST <= value < _LARGEST


def _no_json(value: Any, path: str) -> Iterator[Mistake]:
    """What YAML can say and JSON cannot."""
    if isinstance(value, dict):
        for key, member in value.items():
            if not isinstance(key, str):
                yield f"{path}.{_shown(key)}".lstrip("."), "the name of a field must be a string; quote it"
            else:
                yield from _no_json(member, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _no_json(item, f"{path}[{number}]")
    elif _no_number(value):
        yield path, "is no number that JSON has"
    elif not isinstance(value, str | int | float | None):
        yield path, f"JSON has nothing like a {type(value).__name__}"
