"""What all models of this room share: frozen, camelCase in JSON, tolerant of unknown fields, and rules over two fields.

A model's field constraints and its `rules` are the single source for two judges: pydantic, which parses here, and
the schema of the CustomResourceDefinition, by which the API server refuses a manifest at `kubectl apply`. So a bound
is never written twice. Field descriptions are the docstrings under the fields; `kubectl explain` shows them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError


@dataclass(frozen=True)
class Rule:
    """A rule that needs more than one field of a model, said twice: for the API server in CEL, and for Python."""

    cel: str
    message: str
    holds: Callable[[Any], bool]


def exactly_one_of(*fields: str) -> Rule:
    """The rule that one, and only one, of these fields is given. Single words: their JSON and Python names agree."""
    given = ", ".join(f"has(self.{field})" for field in fields)
    return Rule(
        cel=f"[{given}].filter(given, given).size() == 1",
        message=f"exactly one of {', '.join(fields[:-1])} or {fields[-1]} must be given",
        holds=lambda model: sum(getattr(model, field) is not None for field in fields) == 1,
    )


class Model(BaseModel):
    """Base of every model: a value, equal by content, printed and read under its JSON names."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )

    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: object) -> object:
        """Drop nulls, as the API server does when it prunes: `headers:` with nothing after it means no headers."""
        if isinstance(data, Mapping):
            return {key: value for key, value in data.items() if value is not None}
        return data

    @model_validator(mode="after")
    def _rules_hold(self) -> Self:
        for rule in self.rules:
            if not rule.holds(self):
                raise PydanticCustomError("rule", "{message}", {"message": rule.message})
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Carry the rules into the schema as `x-kubernetes-validations`."""
        json_schema = handler.resolve_ref_schema(handler(schema))
        if cls.rules:
            json_schema["x-kubernetes-validations"] = [
                {"rule": rule.cel, "message": rule.message} for rule in cls.rules
            ]
        return json_schema

    def to_json(self) -> dict[str, Any]:
        """The model as plain JSON data under its JSON names, without what was never given."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
