"""An answer for programs, as JSON or YAML; one way for every command that has `-o json|yaml`. Pure."""

import json
from enum import Enum
from typing import Any

import yaml


def structured(answer: object, output: str) -> str:
    """The answer in that language, without a line's end; members of enumerations are their values."""
    plain = _plain(answer)
    if output == "json":
        return json.dumps(plain, indent=2)
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True).removesuffix("\n")


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
