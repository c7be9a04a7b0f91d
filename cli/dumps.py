"""Dumps of an App Mesh account: what `aws appmesh describe-*`, `list-*` and `list-tags-for-resource` printed. Pure.

A file holds one answer or many, one after the other, as `>>` leaves them. An answer is known by its members, so names
of files mean nothing. Tags come without saying whose they are: their answer has a `resourceArn` beside them, which
`--query "{resourceArn: '$arn', tags: tags}"` puts there.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.account import SORTS, Held, Sort, identity
from cli.bounds import excess
from control_plane.api.service_model import service_model
from control_plane.api.validation import Violation, check

RESERVED = "aws:"
"""Keys of tags that AWS keeps for itself, and nobody else may write."""
_BY_NOUN = {sort.noun: sort for sort in SORTS}
_BY_PLURAL = {sort.plural: sort for sort in SORTS}


class UnusableDump(Exception):
    """A dump cannot be read; the message names file and field."""


@dataclass(frozen=True)
class Answer:
    """One answer of the API, and the file it is in."""

    file: str
    content: Mapping[str, Any]


def answers(file: str, text: str) -> Iterator[Answer]:
    """All answers in a file.

    Raises:
        UnusableDump: it is no JSON, holds something that is no object, or is nested beyond measure.
    """
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    place = 0
    while (place := _next(text, place)) < len(text):
        line = text.count("\n", 0, place) + 1
        try:
            content, place = decoder.raw_decode(text, place)
        except json.JSONDecodeError as error:
            raise UnusableDump(f"{file}:{error.lineno}: no JSON: {error.msg}") from error
        except ValueError as error:  # a number that JSON does not have, or that is too long
            raise UnusableDump(f"{file}:{line}: no JSON: {error}") from error
        except RecursionError:
            raise UnusableDump(f"{file}:{line}: nested too deep") from None
        if too_much := excess(content):
            raise UnusableDump(f"{file}:{line}: {too_much}")
        if not isinstance(content, dict):
            raise UnusableDump(f"{file}:{line}: an answer of the App Mesh API is an object")
        yield Answer(file, content)


def _no_constant(name: str) -> None:
    raise ValueError(f"there is no {name}")


def _next(text: str, place: int) -> int:
    while place < len(text) and text[place].isspace():
        place += 1
    return place


def held(found: Iterable[Answer]) -> tuple[Held, ...]:
    """The objects that the answers describe, in an order in which they can be created.

    Raises:
        UnusableDump: an answer is not one of App Mesh's, an object is not as App Mesh takes it, is described twice in
            different words, is listed and not described, or is in something that is not described.
    """
    objects: dict[tuple[Sort, tuple[str, ...]], tuple[Held, str]] = {}
    tags: dict[str, Mapping[str, str]] = {}
    listed: list[tuple[Sort, tuple[str, ...], str]] = []
    arns: dict[tuple[Sort, tuple[str, ...]], str] = {}
    for answer in found:
        (kind, content), file = _known(answer), answer.file
        if kind == "tags":
            tags[str(answer.content["resourceArn"])] = _tags(answer)
        elif kind in _BY_PLURAL:
            sort = _BY_PLURAL[kind]
            for number, item in enumerate(content if isinstance(content, list) else ()):
                listed.append((sort, _path(file, f"{kind}[{number}]", sort, item), file))
        elif _member(file, kind, content, "status").get("status") != "DELETED":
            sort = _BY_NOUN[kind]
            one = _described(file, sort, content)
            before = objects.setdefault((sort, one.path), (one, file))
            if before[0].spec != one.spec:
                raise UnusableDump(f"{file}: {one} has another spec than in {before[1]}")
            arns[sort, one.path] = str(_member(file, kind, content, "metadata").get("arn", ""))
    _complete({key: file for key, (_, file) in objects.items()}, listed)
    ordered = sorted(objects, key=lambda key: (SORTS.index(key[0]), key[1]))
    return tuple(
        Held(sort, path, objects[sort, path][0].spec, tags.get(arns[sort, path], {})) for sort, path in ordered
    )


def _known(answer: Answer) -> tuple[str, Any]:
    """What an answer is of, and its content."""
    content = answer.content
    if "tags" in content:
        if not isinstance(content.get("resourceArn"), str):
            raise UnusableDump(f"{answer.file}: tags: there is no resourceArn beside them that says whose they are")
        return "tags", content["tags"]
    for name in (*_BY_NOUN, *_BY_PLURAL):
        if name in content:
            return name, content[name]
    members = ", ".join(map(str, content)) or "none"
    raise UnusableDump(f"{answer.file}: no answer of a describe or list operation of App Mesh (members: {members})")


def _member(file: str, field: str, content: Any, name: str) -> Mapping[str, Any]:
    """A member that is an object; an empty one where it is not there."""
    if not isinstance(content, Mapping):
        raise UnusableDump(f"{file}: {field}: must be an object")
    found = content.get(name) or {}
    if not isinstance(found, Mapping):
        raise UnusableDump(f"{file}: {field}.{name}: must be an object")
    return found


def _described(file: str, sort: Sort, content: Any) -> Held:
    path = _path(file, sort.noun, sort, content)
    spec = content.get("spec")
    if not isinstance(spec, dict):
        raise UnusableDump(f"{file}: {sort.noun}.spec: is required")
    shape = service_model().operation_model(f"Create{sort.operation}").input_shape
    wrong: list[Violation] = []
    request = identity(sort, path) | {"spec": spec}
    clean = check(shape, request, "", wrong)
    if wrong:
        raise UnusableDump(f"{file}: {sort.noun}.{wrong[0]}")
    if (unknown := next(_left_out(spec, clean["spec"], f"{sort.noun}.spec"), None)) is not None:
        raise UnusableDump(f"{file}: {unknown}: App Mesh has no such member")
    return Held(sort, path, clean["spec"])


def _path(file: str, field: str, sort: Sort, content: Any) -> tuple[str, ...]:
    if not isinstance(content, Mapping):
        raise UnusableDump(f"{file}: {field}: must be an object")
    between = () if sort.parent in (None, "mesh") else (f"{sort.parent}Name",)
    members = ("meshName",) if sort.parent is None else ("meshName", *between, sort.name_member)
    for member in members:
        if not isinstance(content.get(member), str) or not content[member]:
            raise UnusableDump(f"{file}: {field}.{member}: is required")
    return tuple(content[member] for member in members)


def _tags(answer: Answer) -> Mapping[str, str]:
    content = answer.content["tags"]
    for number, tag in enumerate(content if isinstance(content, list) else ({},)):
        if not isinstance(tag, Mapping) or not isinstance(tag.get("key"), str) or not isinstance(tag.get("value"), str):
            raise UnusableDump(f"{answer.file}: tags[{number}]: a key and a value are required")
    return {tag["key"]: tag["value"] for tag in content if not tag["key"].startswith(RESERVED)}


def _left_out(given: Any, clean: Any, path: str) -> Iterator[str]:
    if isinstance(given, dict) and isinstance(clean, dict):
        for name, value in given.items():
            if value is not None and name not in clean:
                yield f"{path}.{name}"
            else:
                yield from _left_out(value, clean.get(name), f"{path}.{name}")
    elif isinstance(given, list) and isinstance(clean, list):
        for number, (one, other) in enumerate(zip(given, clean, strict=True)):
            yield from _left_out(one, other, f"{path}[{number}]")


def _complete(
    objects: Mapping[tuple[Sort, tuple[str, ...]], str], listed: Iterable[tuple[Sort, tuple[str, ...], str]]
) -> None:
    for sort, path, file in listed:
        if (sort, path) not in objects:
            raise UnusableDump(f"{file}: {Held(sort, path, {})} is listed, and no file describes it")
    for (sort, path), file in objects.items():
        parent = next((each for each in SORTS if each.noun == sort.parent), None)
        if parent is not None and (parent, path[:-1]) not in objects:
            raise UnusableDump(f"{file}: no file describes {Held(parent, path[:-1], {})}, which {path[-1]} is in")
