"""A request's parameters, by the input shape: from the path, the query string and the JSON body.

What comes out is one dict by member name, checked against the model. Values in path and query string are text and
become what their shape says; a query parameter given twice counts once, the first time. No input of App Mesh names a
payload member (a test makes sure), so a body is always the object of all members that are not elsewhere.
"""

import json
from typing import Any
from urllib.parse import unquote

from botocore.model import OperationModel, Shape

from control_plane.api.errors import BadRequest
from control_plane.api.routing import Match
from control_plane.api.validation import Violation, check, refuse

Parameters = dict[str, Any]


def decode(match: Match, raw_query: str, body: bytes) -> Parameters:
    """The operation's parameters.

    Raises:
        BadRequest: the body is not a JSON object, or the parameters break the service model; names all violations.
    """
    shape = match.operation.input_shape
    given = _body(match.operation, body)
    query = _query(raw_query)
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        if location is not None:
            source = match.uri_parameters if location == "uri" else query
            text = source.get(member.serialization.get("name", name))
            given.pop(name, None)  # the body cannot speak for the path
            if text is not None:
                given[name] = _typed(member, text)
    violations: list[Violation] = []
    parameters: Parameters = check(shape, given, "", violations)
    refuse(violations)
    return parameters


def _body(operation: OperationModel, body: bytes) -> dict[str, Any]:
    if not body or operation.http["method"] in ("GET", "DELETE"):
        return {}
    try:
        content = json.loads(body, parse_constant=_not_json)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The body is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise BadRequest(f"The body must be a JSON object, not {type(content).__name__}")
    return content


def _query(raw_query: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for pair in raw_query.split("&"):
        name, _, value = pair.partition("=")
        if name:
            parameters.setdefault(unquote(name), unquote(value))
    return parameters


def _typed(shape: Shape, text: str) -> object:
    if shape.type_name in ("integer", "long"):
        try:
            return int(text)
        except ValueError:
            return text  # for `check` to refuse
    return text


def _not_json(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
