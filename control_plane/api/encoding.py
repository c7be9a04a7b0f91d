"""An operation's answer as a JSON body, by the output shape.

rest-json's only wishes beyond plain JSON: timestamps are epoch seconds, which is also how the store keeps them, and
where the model names a payload member, that one is the whole body. Members that are None or not in the shape are left
out. What a shape needs is worked out once; below a shape without timestamps (a spec, say) nothing needs to be done.
"""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.model import ListShape, OperationModel, Shape, StructureShape

_encoded = json.JSONEncoder(separators=(",", ":")).encode


def encode(operation: OperationModel, answer: dict[str, Any]) -> bytes:
    """The response body for an answer given by member name."""
    shape = operation.output_shape
    plain = _encoder(shape)
    content = plain(answer) if plain else answer
    payload = shape.serialization.get("payload")
    return dump(content if payload is None else content[payload])


def dump(content: object) -> bytes:
    """Compact JSON."""
    return _encoded(content).encode()


@cache
def _encoder(shape: Shape) -> Callable[[Any], Any] | None:
    """What makes a value of this shape plain JSON; None if it is that already."""
    if shape.type_name == "timestamp":
        return lambda seconds: round(float(seconds), 3)
    if isinstance(shape, ListShape):
        item_encoder = _encoder(shape.member)
        return (lambda items: [item_encoder(item) for item in items]) if item_encoder else None
    if not isinstance(shape, StructureShape):
        return None
    members = {name: _encoder(member) for name, member in shape.members.items()}
    if not any(members.values()) and not shape.name.endswith("Output"):
        return None

    def structure(value: dict[str, Any]) -> dict[str, Any]:
        return {
            name: encoder(given) if (encoder := members[name]) else given
            for name, given in value.items()
            if name in members and given is not None
        }

    return structure
