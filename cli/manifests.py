"""Manifests in files: what is written there, and in which line.

YAML's own nodes are kept beside the values, so that whatever is wrong with a field can be told by file and line.
"""

import base64
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cli.bounds import excess
from cli.scalars import PREFIX, TAGS, Scalar, scalar, tag_of

STDIN = "-"
_SUFFIXES = (".yaml", ".yml", ".json")
_STEP = re.compile(r"\[([^\]]+)\]|\.?([^.\[]+)")


class UnreadableManifest(Exception):
    """A file is not there, is no YAML, or holds too much; the message names it, with its line."""


_MERGE = f"{PREFIX}merge"


class _Loader(yaml.SafeLoader):
    """As kubectl reads YAML: scalars by `cli.scalars`, names of fields as strings, tags of nobody's without effect."""

    yaml_constructors = {}  # noqa: RUF012 as its base has it; none is inherited, as YAML has types that JSON has not

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """The tag of a node that has none: of an unquoted word, what it is; of a quoted one, a string."""
        if kind is yaml.ScalarNode and implicit[0]:
            return _MERGE if value == "<<" else tag_of(value)
        tag: str = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]
        return tag

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping, whose keys JSON can have."""
        return {_key(key): value for key, value in super().construct_mapping(node, deep).items()}

    def plain(self, node: yaml.ScalarNode) -> Scalar:
        """A null, a truth or a number."""
        value = self.construct_scalar(node)
        found = scalar(value)
        if node.tag not in (TAGS[type(found)], TAGS[float] if isinstance(found, int | float) else None):
            said = f"{value!r} is no {node.tag.removeprefix(PREFIX)}"
            raise yaml.constructor.ConstructorError(None, None, said, node.start_mark)
        return found

    def binary(self, node: yaml.ScalarNode) -> str:
        """What is written in base64; JSON has text alone."""
        try:
            encoded = "".join(self.construct_scalar(node).splitlines())
            return base64.b64decode(encoded, validate=True).decode(errors="replace")
        except ValueError as error:
            raise yaml.constructor.ConstructorError(None, None, f"no base64: {error}", node.start_mark) from error

    def untyped(self, node: yaml.Node) -> Any:
        """Whatever its tag says: text, a list or a mapping."""
        if isinstance(node, yaml.MappingNode):
            return self.construct_mapping(node, deep=True)
        return self.construct_sequence(node, deep=True) if isinstance(node, yaml.SequenceNode) else node.value


for _type in (type(None), bool, int, float):
    _Loader.add_constructor(TAGS[_type], _Loader.plain)
_Loader.add_constructor(f"{PREFIX}binary", _Loader.binary)
_Loader.add_constructor(f"{PREFIX}map", _Loader.construct_yaml_map)  # type: ignore[type-var]
_Loader.add_constructor(f"{PREFIX}seq", _Loader.construct_yaml_seq)  # type: ignore[type-var]
_Loader.add_constructor(None, _Loader.untyped)


def _key(key: Any) -> Any:
    """The name of a field; what cannot be one stays as it is, and is found fault with."""
    if isinstance(key, bool):
        return str(key).lower()
    if isinstance(key, float) and float(f"{key:g}") == key:
        return f"{key:g}"
    return str(key) if isinstance(key, int) else key


@dataclass(frozen=True)
class Manifest:
    """One object of a file."""

    file: str
    object: dict[str, Any]
    root: yaml.Node

    @property
    def kind(self) -> str:
        """Its kind, or nothing."""
        return _text(self.object.get("kind"))

    @property
    def namespace(self) -> str:
        """The namespace that it names; without one kubectl would take `default`, or what its context says."""
        return _text(self._metadata.get("namespace")) or "default"

    @property
    def name(self) -> str:
        """Its name, or nothing."""
        return _text(self._metadata.get("name"))

    @property
    def _metadata(self) -> dict[Any, Any]:
        found = self.object.get("metadata")
        return found if isinstance(found, dict) else {}

    def line(self, field: str = "") -> int:
        """The line of a field (`spec.routes[0].name`, `metadata.annotations[a.b/c]`), or of what is nearest."""
        node, line = self.root, self.root.start_mark.line
        for index, key in _STEP.findall(field):
            found = _item(node, int(index)) if index.isdigit() else _member(node, index or key)
            if found is None:
                break
            line, node = found
        return int(line) + 1


def read(paths: Sequence[str]) -> Iterator[Manifest]:
    """Every object in the files, in the files of directories, and in standard input (`-`). Lists are taken apart.

    Raises:
        UnreadableManifest: a file is missing, or is no YAML, or holds something that is no object.
    """
    for path in paths:
        if path == STDIN:
            yield from parse("<stdin>", sys.stdin.read())
            continue
        place = Path(path)
        files = sorted(each for each in place.rglob("*") if each.suffix in _SUFFIXES) if place.is_dir() else [place]
        if not files:
            raise UnreadableManifest(f"{path}: no {', '.join(_SUFFIXES)} file in there")
        for file in files:
            try:
                text = file.read_text()
            except (OSError, UnicodeDecodeError) as error:
                raise UnreadableManifest(f"{file}: {getattr(error, 'strerror', None) or error}") from error
            yield from parse(str(file), text)


def parse(file: str, text: str) -> Iterator[Manifest]:
    """Every object of a text.

    Raises:
        UnreadableManifest: it is no YAML, holds something that is no object, or is nested or aliased beyond measure.
    """
    try:
        loader = _Loader(text)
        while loader.check_node():
            root = loader.get_node()
            if root is not None and not (isinstance(root, yaml.ScalarNode) and root.value == ""):
                yield from _objects(file, loader, root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"{mark.line + 1}: " if mark is not None else " "
        raise UnreadableManifest(f"{file}:{line}{error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise UnreadableManifest(f"{file}: {str(error).partition(chr(10))[0]}") from error
    except RecursionError:
        raise UnreadableManifest(f"{file}: nested too deep") from None


def _objects(file: str, loader: _Loader, root: yaml.Node) -> Iterator[Manifest]:
    value = loader.construct_document(root)
    if too_much := excess(value):
        raise UnreadableManifest(f"{file}:{root.start_mark.line + 1}: {too_much}")
    if not isinstance(value, dict):
        raise UnreadableManifest(f"{file}:{root.start_mark.line + 1}: an object is expected here")
    items = value.get("items")
    found = _member(root, "items")
    if not _text(value.get("kind")).endswith("List") or not isinstance(items, list) or found is None:
        yield Manifest(file, value, root)
        return
    for item, node in zip(items, found[1].value, strict=True):
        if not isinstance(item, dict):
            raise UnreadableManifest(f"{file}:{node.start_mark.line + 1}: an object is expected here")
        yield Manifest(file, item, node)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _member(node: yaml.Node, key: str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in reversed(node.value):  # of two that are the same, the last holds
            if name.value == key:
                return name.start_mark.line, value
    return None


def _item(node: yaml.Node, index: int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and index < len(node.value):
        item = node.value[index]
        return item.start_mark.line, item
    return None
