"""Manifests in files: what is written there, and in which line.

YAML's own nodes are kept beside the values, so that whatever is wrong with a field can be told by file and line.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cli.bounds import excess

STDIN = "-"
_SUFFIXES = (".yaml", ".yml", ".json")
_STEP = re.compile(r"\[([^\]]+)\]|\.?([^.\[]+)")


class UnreadableManifest(Exception):
    """A file is not there, is no YAML, or holds too much; the message names it, with its line."""


class _Loader(yaml.SafeLoader):
    """As kubectl reads YAML: what looks like a date is a string, and so are numbers and truths that name a field."""

    yaml_implicit_resolvers = {  # noqa: RUF012 as its base has it
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping, whose keys JSON can have."""
        return {_key(key): value for key, value in super().construct_mapping(node, deep).items()}


def _key(key: Any) -> Any:
    if isinstance(key, bool):
        return str(key).lower()
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
