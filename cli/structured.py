"""An answer for programs, as JSON or YAML; one way for every command that has `-o json|yaml`, or manifests. Pure."""

import json
from enum import Enum
from typing import Any

import yaml

from cli.scalars import TAGS, tag_of


class _Dumper(yaml.SafeDumper):
    """Quotes a string that kubectl would take for something else, such as the name `n` or `1e3`."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """What an unquoted word would be read as."""
        found: str = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]
        plain = kind is yaml.ScalarNode and implicit[0]
        return tag_of(value) if plain and found == TAGS[str] else found


def as_yaml(document: object, *, unicode: bool = False) -> str:
    """A document in YAML that means the same to kubectl and to readers of YAML 1.1; `unicode`: nothing is escaped."""
    written: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=unicode)
    return written


def structured(answer: object, output: str) -> str:
    """The answer in that language, without a line's end; members of enumerations are their values."""
    plain = _plain(answer)
    if output == "json":
        return json.dumps(plain, indent=2)
    return as_yaml(plain, unicode=True).removesuffix("\n")


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case dict():
            return {_plain(key): _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return value
