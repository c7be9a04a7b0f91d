"""A value against its shape: every violation of the service model, with the path of the member.

`check` walks shape and value together once, and returns a clean copy: members that the shape does not know are left
out (as AWS does, so a newer client can talk to us), members that are null count as absent. It goes on after a
violation, so the caller learns all of them at once.

botocore's own client-side checks stop at types, `min` and unions; here are also `max`, enums, patterns and number
ranges, which nobody else would check.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple

from botocore.model import ListShape, Shape, StringShape, StructureShape

from control_plane.api.errors import BadRequest

_SHOWN_CHARACTERS = 60
_SHOWN_VIOLATIONS = 20
_INTEGER_BITS = {"integer": 32, "long": 64}


class Violation(NamedTuple):
    """What is wrong, where."""

    path: str  # spec.httpRoute.action.weightedTargets[0].weight
    message: str  # a sentence without its subject: "must be ..."

    def __str__(self) -> str:
        """`path: message`."""
        return f"{self.path}: {self.message}"


def refuse(violations: Iterable[Violation]) -> None:
    """Raise BadRequest that names all of the violations, if there are any."""
    found = list(violations)
    if not found:
        return
    shown = "; ".join(map(str, found[:_SHOWN_VIOLATIONS]))
    more = f"; and {len(found) - _SHOWN_VIOLATIONS} more" if len(found) > _SHOWN_VIOLATIONS else ""
    count = "1 validation error" if len(found) == 1 else f"{len(found)} validation errors"
    raise BadRequest(f"{count} detected: {shown}{more}")


def check(shape: Shape, value: object, path: str, violations: list[Violation]) -> Any:
    """The value without what the shape does not know; adds to `violations` what is wrong with it."""
    return _CHECKS[shape.type_name](shape, value, path, violations)


def shown(value: object) -> str:
    """A caller's value, short enough for a message."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def is_text(value: str) -> bool:
    """Whether both databases can store this: JSON can also spell NUL and half surrogate pairs."""
    if value.isascii():
        return "\0" not in value
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value


def _structure(shape: StructureShape, value: object, path: str, violations: list[Violation]) -> dict[str, Any]:
    if not isinstance(value, dict):
        violations.append(Violation(path or "body", f"must be an object, not {shown(value)}"))
        return {}
    clean: dict[str, Any] = {}
    for name, member in shape.members.items():
        given = value.get(name)
        if given is not None:
            clean[name] = check(member, given, f"{path}.{name}" if path else name, violations)
    violations.extend(
        Violation(f"{path}.{name}" if path else name, "is required")
        for name in shape.required_members
        if name not in clean
    )
    if shape.is_tagged_union and len(clean) != 1:
        has = ", ".join(clean) or "none"
        violations.append(Violation(path, f"must have exactly one of {', '.join(shape.members)}; has {has}"))
    return clean


def _list(shape: ListShape, value: object, path: str, violations: list[Violation]) -> list[Any]:
    if not isinstance(value, list):
        violations.append(Violation(path, f"must be a list, not {shown(value)}"))
        return []
    _within(shape, len(value), path, "must have {} {} items, has {}", violations)
    return [check(shape.member, item, f"{path}[{index}]", violations) for index, item in enumerate(value)]


def _string(shape: StringShape, value: object, path: str, violations: list[Violation]) -> str:
    if not isinstance(value, str):
        violations.append(Violation(path, f"must be a string, not {shown(value)}"))
        return ""
    if not is_text(value):
        violations.append(Violation(path, "must be valid Unicode without NUL"))
        return ""
    _within(shape, len(value), path, "must have {} {} characters, has {}", violations)
    if shape.enum and value not in shape.enum:
        violations.append(Violation(path, f"must be one of {', '.join(shape.enum)}; is {shown(value)}"))
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(value):
        violations.append(Violation(path, f"must match {pattern}; is {shown(value)}"))
    return value


def _number(shape: Shape, value: object, path: str, violations: list[Violation]) -> int:
    # In Python True is an int and in JSON 1.0 is a float; App Mesh takes neither for a whole number.
    if not isinstance(value, int) or isinstance(value, bool):
        violations.append(Violation(path, f"must be a whole number, not {shown(value)}"))
        return 0
    bits = _INTEGER_BITS[shape.type_name]
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        violations.append(Violation(path, f"must fit into {bits} bits"))
    else:
        _within(shape, value, path, "must be {} {}, is {}", violations)
    return value


def _boolean(_shape: Shape, value: object, path: str, violations: list[Violation]) -> bool:
    if not isinstance(value, bool):
        violations.append(Violation(path, f"must be true or false, not {shown(value)}"))
    return bool(value)


def _within(shape: Shape, size: int, path: str, sentence: str, violations: list[Violation]) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        violations.append(Violation(path, sentence.format("at least", low, size)))
    if high is not None and size > high:
        violations.append(Violation(path, sentence.format("at most", high, size)))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


_CHECKS: dict[str, Callable[[Any, object, str, list[Violation]], Any]] = {
    "structure": _structure,
    "list": _list,
    "string": _string,
    "integer": _number,
    "long": _number,
    "boolean": _boolean,
}
