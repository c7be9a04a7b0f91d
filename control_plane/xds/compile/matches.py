"""What a request must look like for a route: App Mesh's matches of paths, headers, methods, queries and gRPC calls.

What Envoy would refuse is found here: one route that it refuses would take all the others of its port along.
"""

import re
from collections.abc import Iterator
from typing import NoReturn

import re2
from envoy.config.route.v3.route_components_pb2 import HeaderMatcher, QueryParameterMatcher, RouteMatch
from envoy.type.matcher.v3.regex_pb2 import RegexMatcher
from envoy.type.matcher.v3.string_pb2 import StringMatcher
from envoy.type.v3.range_pb2 import Int64Range

from control_plane.xds.compile.place import Place

HEADER_NAME = re.compile(r":?[0-9A-Za-z!#$%&'*+.^_|~`-]+")
_LONGEST_QUERY_NAME = 1024
# What App Mesh's bootstrap allows, in RE2's own measure; ours does too.
_LARGEST_PROGRAM = 1000
_BY_CHARACTERS, _BY_BYTES = re2.Options(), re2.Options()
_BY_CHARACTERS.log_errors = _BY_BYTES.log_errors = False
_BY_BYTES.encoding = re2.Options.Encoding.LATIN1


class Unmatchable(ValueError):
    """The match is not one that Envoy can make; the place has been told."""


def http_match(match: Place) -> RouteMatch:
    """The match of an HTTP route or gateway route.

    Raises:
        Unmatchable: and the reason is a problem of the place.
    """
    message = RouteMatch()
    _set_path(message, match)
    message.headers.extend(_pseudo_headers(match))
    message.headers.extend(map(_header, match.items("headers")))
    _set_hostname(message, match)
    message.query_parameters.extend(map(_query_parameter, match.items("queryParameters")))
    return message


def grpc_match(match: Place) -> RouteMatch:
    """The match of a gRPC route or gateway route: `/service/method` and metadata.

    Raises:
        Unmatchable: and the reason is a problem of the place.
    """
    message = RouteMatch(grpc=RouteMatch.GrpcRouteMatchOptions())
    service, method = match.value.get("serviceName"), match.value.get("methodName")
    if method:
        message.path = f"/{service}/{method}"
    else:
        message.prefix = f"/{service}/" if service else "/"
    message.headers.extend(map(_header, match.items("metadata")))
    _set_hostname(message, match)
    return message


def _set_path(message: RouteMatch, match: Place) -> None:
    path = match.get("path")
    if path is None:
        message.prefix = match.value.get("prefix", "/")
    elif "exact" in path.value:
        message.path = path.value["exact"]
    else:
        message.safe_regex.CopyFrom(_regex(path["regex"]))


def _set_hostname(message: RouteMatch, match: Place) -> None:
    """A gateway route's host name, whole or by its end, in any case. The gateway has taken off the port."""
    hostname = match.get("hostname")
    if hostname is not None:
        kind, wanted = hostname.only()
        text = StringMatcher(ignore_case=True, **{kind: wanted.value})
        message.headers.append(HeaderMatcher(name=":authority", string_match=text))


def _pseudo_headers(match: Place) -> Iterator[HeaderMatcher]:
    for name in ("method", "scheme"):
        place = match.get(name)
        if place is None:
            continue
        if place.value == "CONNECT":
            _refuse(place, "Envoy matches no path of a CONNECT request; the route is left out")
        yield HeaderMatcher(name=f":{name}", string_match=StringMatcher(exact=place.value))


def _header(header: Place) -> HeaderMatcher:
    name = header.value["name"]
    if not HEADER_NAME.fullmatch(name):
        _refuse(header["name"], f"{name!r} cannot be the name of a header; the route is left out")
    message = HeaderMatcher(name=name, invert_match=header.value.get("invert", False))
    match = header.get("match")
    if match is None:
        message.present_match = True
        return message
    kind, wanted = match.only()
    if kind == "range":
        message.range_match.CopyFrom(Int64Range(start=wanted.value["start"], end=wanted.value["end"]))
    elif kind == "regex":
        message.string_match.safe_regex.CopyFrom(_regex(wanted))
    else:
        message.string_match.CopyFrom(StringMatcher(**{kind: wanted.value}))
    return message


def _query_parameter(parameter: Place) -> QueryParameterMatcher:
    name = parameter.value["name"]
    if not 1 <= len(name.encode()) <= _LONGEST_QUERY_NAME:
        _refuse(parameter["name"], f"must have 1 to {_LONGEST_QUERY_NAME} bytes; the route is left out")
    exact = parameter.get("match", "exact")
    if exact is None:
        return QueryParameterMatcher(name=name, present_match=True)
    return QueryParameterMatcher(name=name, string_match=StringMatcher(exact=exact.value))


def _regex(pattern: Place) -> RegexMatcher:
    """A regular expression, if it is one both by characters and by bytes: Envoy 1.40 reads them by bytes."""
    try:
        size = re2.compile(pattern.value, _BY_CHARACTERS).programsize
        re2.compile(pattern.value.encode(), _BY_BYTES)
    except re2.error as error:
        _refuse(pattern, f"is no regular expression of RE2 ({_reason(error)}); the route is left out")
    if size > _LARGEST_PROGRAM:
        _refuse(pattern, f"is too large a regular expression ({size} of {_LARGEST_PROGRAM}); the route is left out")
    return RegexMatcher(regex=pattern.value)


def _reason(error: Exception) -> str:
    [reason] = error.args
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)


def _refuse(place: Place, message: str) -> NoReturn:
    place.problem(message)
    raise Unmatchable(message)
