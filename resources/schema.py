"""From a pydantic model to the structural OpenAPI schema that Kubernetes accepts in a CustomResourceDefinition.

Pydantic writes JSON Schema with references, titles, defaults and `anyOf` for what may be null. A structural schema
knows none of these: references are written out, an optional field is simply not required, and nothing is defaulted, so
that the API server stores what the user wrote and nothing else.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]

# In this order, because people read it: what it is, then what is allowed, then what is inside.
KEYWORDS = (
    "description",
    "type",
    "format",
    "enum",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "maxProperties",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-validations",
    "required",
    "properties",
    "items",
    "additionalProperties",
)

# Said by pydantic, not wanted by Kubernetes.
DROPPED = frozenset({"title", "default", "$defs"})


def structural_schema(model: type[BaseModel]) -> Schema:
    """The structural schema of a model, under its JSON names.

    Raises:
        ValueError: The model uses a part of JSON Schema that a structural schema does not have.
    """
    schema = model.model_json_schema(by_alias=True, mode="validation")
    return _structural(schema, schema.get("$defs", {}))


def _structural(schema: Mapping[str, Any], definitions: Mapping[str, Schema]) -> Schema:
    flat = without_indirection(schema, definitions)
    if unknown := flat.keys() - set(KEYWORDS) - DROPPED:
        raise ValueError(f"not part of a structural schema: {', '.join(sorted(unknown))}")
    result: Schema = {}
    for keyword in KEYWORDS:
        if keyword not in flat:
            continue
        value = flat[keyword]
        if keyword == "description":
            result[keyword] = " ".join(value.split())
        elif keyword == "properties":
            result[keyword] = {name: _structural(field, definitions) for name, field in value.items()}
        elif keyword in ("items", "additionalProperties"):
            result[keyword] = _structural(value, definitions)
        else:
            result[keyword] = value
    return result


def without_indirection(schema: Mapping[str, Any], definitions: Mapping[str, Schema]) -> Schema:
    """The schema with a reference, or the "or null" of an optional field, replaced by what is behind it.

    What stands beside the indirection (a field's own description) wins over what stands behind it (its type's).
    """
    beside = {key: value for key, value in schema.items() if key not in ("$ref", "anyOf")}
    if "$ref" in schema:
        behind = definitions[schema["$ref"].removeprefix("#/$defs/")]
    elif "anyOf" in schema:
        choices = [choice for choice in schema["anyOf"] if choice.get("type") != "null"]
        if len(choices) != 1:
            raise ValueError("a field of several types has no structural schema")
        behind = choices[0]
    else:
        return beside
    return without_indirection(behind, definitions) | beside
