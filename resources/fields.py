"""The kinds of field the models are made of, each with its bounds.

The bounds are App Mesh's (its service model, 2019-01-25). Integers and booleans are strict: a quoted "8080" is refused
here as it is by the API server. `format` tells Kubernetes clients how wide a number is.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field, Strict
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

_INT32 = {"format": "int32"}
_INT64 = {"format": "int64"}

Flag = Annotated[bool, Strict()]
Port = Annotated[int, Strict(), Field(ge=1, le=65535, json_schema_extra=_INT32)]
Weight = Annotated[int, Strict(), Field(ge=0, le=100, json_schema_extra=_INT32)]
Priority = Annotated[int, Strict(), Field(ge=0, le=1000, json_schema_extra=_INT32)]
Count = Annotated[int, Strict(), Field(ge=0, le=2**31 - 1, json_schema_extra=_INT64)]
Millis = Annotated[int, Strict(), Field(ge=0, le=2**31 - 1, json_schema_extra=_INT64)]
# JSON carries whole numbers exactly up to 2^53 in every language; App Mesh itself would allow 64 bits.
WholeNumber = Annotated[int, Strict(), Field(ge=-(2**53), le=2**53, json_schema_extra=_INT64)]
Generation = Annotated[int, Strict(), Field(json_schema_extra=_INT64)]

Versions = Annotated[dict[str, Generation], Field(max_length=2000)]

HealthThreshold = Annotated[int, Strict(), Field(ge=2, le=10, json_schema_extra=_INT32)]
HealthInterval = Annotated[int, Strict(), Field(ge=5000, le=300_000, json_schema_extra=_INT64)]
HealthTimeout = Annotated[int, Strict(), Field(ge=2000, le=60_000, json_schema_extra=_INT64)]

Name = Annotated[str, Field(min_length=1, max_length=255)]
# Names of Kubernetes objects. Targets may also be App Mesh names, which have capitals and underscores but no dots.
MeshName = Annotated[str, Field(min_length=1, max_length=253, pattern="^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")]
TargetName = Annotated[str, Field(min_length=1, max_length=255, pattern="^[A-Za-z0-9_.-]+$")]
HeaderName = Annotated[str, Field(min_length=1, max_length=50)]
HeaderValue = Annotated[str, Field(min_length=1, max_length=255)]
UrlPath = Annotated[str, Field(min_length=1, max_length=1024, pattern="^/")]
FilePath = Annotated[str, Field(min_length=1, max_length=255)]
CloudMapName = Annotated[str, Field(min_length=1, max_length=1024)]
AttributeValue = Annotated[str, Field(min_length=1, max_length=1024, pattern="^[!-~][ !-~]*$")]
Arn = Annotated[str, Field(min_length=1, max_length=2048)]
Timestamp = Annotated[str, Field(max_length=64, json_schema_extra={"format": "date-time"})]


def _keyed_by(key: str) -> FieldInfo:
    """Mark a list as a map by one member: the API server refuses duplicates, and merges server-side applies by it."""
    info: FieldInfo = Field(json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]})
    return info


def _without_duplicates(key: str) -> AfterValidator:
    """Refuse here what the API server refuses in a list that is keyed by a member field."""

    def check(items: Sequence[Any]) -> Sequence[Any]:
        seen: set[str] = set()
        for item in items:
            value = getattr(item, key)
            if value in seen:
                raise PydanticCustomError(
                    "duplicate", "two items have the {key} '{value}'", {"key": key, "value": value}
                )
            seen.add(value)
        return items

    return AfterValidator(check)


BY_TYPE = _keyed_by("type")
BY_NAME = _keyed_by("name")
UNIQUE_NAMES = _without_duplicates("name")
