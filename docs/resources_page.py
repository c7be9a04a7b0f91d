"""The reference page of the custom resources, made from the models in `resources/`.

Goes through the schema that the CRDs are made from, field by field. What applies when a field is left out is said in
the field's own description. Data in, text out; `docs/generate.py` writes it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from resources.crd import MODELS, SHORT_NAMES
from resources.kinds import GROUP, VERSION, Kind
from resources.schema import Schema, without_indirection


@dataclass(frozen=True)
class Field:
    """A field of a resource, under the path that `kubectl explain` and error messages use."""

    path: str
    schema: Schema
    required: bool


def resources_page(note: str) -> str:
    """Every field of every kind: type, bounds, whether it must be there, and meaning."""
    return "\n".join(
        [
            "# Resources\n",
            note,
            f"The kinds of `{GROUP}/{VERSION}`. `[]` after a name is each item of a list, `{{}}` each value of a map.",
            "Nothing is filled in: a field that you leave out stays out. *Required* is meant within the object that",
            "the field is in. Kubernetes drops fields that do not stand here. `meshwright validate -f FILE` checks a",
            "manifest without a cluster.",
            "Annotations have [their own page](annotations.md), conditions and reasons [theirs](conditions.md).\n",
            *(line for kind in Kind for line in _section(kind)),
        ]
    )


def fields_of(model: type[BaseModel], part: str) -> Iterator[Field]:
    """`part` (`spec` or `status`) of a kind and all fields in it, each before those inside it."""
    schema = model.model_json_schema(by_alias=True, mode="validation")
    yield from _walk(part, schema["properties"][part], schema.get("$defs", {}), part in schema.get("required", ()))


def _walk(
    path: str, schema: Mapping[str, object], definitions: Mapping[str, Schema], required: bool
) -> Iterator[Field]:
    flat = without_indirection(schema, definitions)
    yield Field(path, flat, required)
    while flat.get("items") or isinstance(flat.get("additionalProperties"), dict):
        path += "[]" if "items" in flat else "{}"
        flat = without_indirection(flat.get("items") or flat["additionalProperties"], definitions)
        if _bounds(flat) or "x-kubernetes-validations" in flat:
            yield Field(path, flat, False)
    for name, inner in flat.get("properties", {}).items():
        yield from _walk(f"{path}.{name}", inner, definitions, name in flat.get("required", ()))


def _section(kind: Kind) -> list[str]:
    model = MODELS[kind]
    names = ", ".join(f"`{name}`" for name in (kind.plural, kind.slug, *SHORT_NAMES.get(kind, ())))
    scope = "in a namespace" if kind.namespaced else "in no namespace"
    spec, status = list(fields_of(model, "spec")), list(fields_of(model, "status"))
    rules = [
        f"- `{field.path}`: {rule['message']}."
        for field in spec
        for rule in field.schema.get("x-kubernetes-validations", ())
    ]
    return [
        f"## {kind.value}\n",
        f"{_words(model.__doc__ or '')} It lives {scope}; `kubectl` also knows it as {names}.\n",
        f"### The spec of a {kind.value}\n",
        *_table(spec),
        *(["Beyond the bounds of single fields, these rules hold:\n", *rules, ""] if rules else []),
        f"### The status of a {kind.value}\n",
        "Written by Meshwright, not by you.\n",
        *_table(status, written=True),
    ]


def _table(fields: list[Field], written: bool = False) -> list[str]:
    """One row a field; what Meshwright writes itself needs no bounds."""
    shown = fields if len(fields) == 1 else fields[1:]
    if written:
        rows = [f"| `{f.path}` | {_type(f.schema)} | {_description(f.schema)} |" for f in shown]
        return ["| field | type | what it is |", "|---|---|---|", *rows, ""]
    rows = [
        f"| `{f.path}` | {_type(f.schema)} | {_bounds(f.schema)} | {_required(f)} | {_description(f.schema)} |"
        for f in shown
    ]
    return ["| field | type | bounds | required | what it is |", "|---|---|---|---|---|", *rows, ""]


def _type(schema: Schema) -> str:
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return "list"
    if schema.get("type") == "object":
        return "map" if "additionalProperties" in schema and "properties" not in schema else "object"
    return str(schema.get("type", ""))


def _bounds(schema: Schema) -> str:
    """What a value must keep to, in words."""
    pairs = (
        ("", "minimum", "maximum"),
        (" characters", "minLength", "maxLength"),
        (" items", "minItems", "maxItems"),
        (" entries", "minProperties", "maxProperties"),
    )
    found = [
        _range(schema.get(low), schema.get(high)) + unit for unit, low, high in pairs if low in schema or high in schema
    ]
    if keys := schema.get("x-kubernetes-list-map-keys"):
        found.append(f"each `{keys[0]}` once")
    elif schema.get("x-kubernetes-list-type") == "set":
        found.append("each once")
    if pattern := schema.get("pattern"):
        found.append(f"`{_cell(pattern)}`")
    return ", ".join(found)


def _range(low: object, high: object) -> str:
    if low is None:
        return f"at most {high}"
    return f"at least {low}" if high is None else f"{low} to {high}" if low != high else f"{low}"


def _required(field: Field) -> str:
    return "yes" if field.required else ""


def _description(schema: Schema) -> str:
    return _cell(_words(schema.get("description", "")))


def _words(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    """Text as a table's cell can hold it."""
    return text.replace("|", "\\|")
