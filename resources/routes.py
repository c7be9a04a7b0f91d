"""Routes of a virtual service: which requests go where, in what shares, and what is tried again."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from resources.base import Model, Rule, exactly_one_of
from resources.fields import (
    Count,
    Flag,
    HeaderName,
    HeaderValue,
    Millis,
    Name,
    Priority,
    TargetName,
    UrlPath,
    Weight,
    WholeNumber,
)

MethodName = Annotated[str, Field(min_length=1, max_length=50)]


class HttpMethod(StrEnum):
    """Request methods that can be matched."""

    GET = "GET"
    HEAD = "HEAD"
    POST = "POST"
    PUT = "PUT"
    DELETE = "DELETE"
    CONNECT = "CONNECT"
    OPTIONS = "OPTIONS"
    TRACE = "TRACE"
    PATCH = "PATCH"


class HttpScheme(StrEnum):
    """Request schemes that can be matched."""

    HTTP = "http"
    HTTPS = "https"


class HttpRetryEvent(StrEnum):
    """Answers after which a request is tried again."""

    SERVER_ERROR = "server-error"
    GATEWAY_ERROR = "gateway-error"
    CLIENT_ERROR = "client-error"
    STREAM_ERROR = "stream-error"


class TcpRetryEvent(StrEnum):
    """Connection faults after which a request is tried again."""

    CONNECTION_ERROR = "connection-error"


class GrpcRetryEvent(StrEnum):
    """gRPC statuses after which a call is tried again."""

    CANCELLED = "cancelled"
    DEADLINE_EXCEEDED = "deadline-exceeded"
    INTERNAL = "internal"
    RESOURCE_EXHAUSTED = "resource-exhausted"
    UNAVAILABLE = "unavailable"


class MatchRange(Model):
    """A range of whole numbers."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(cel="self.start < self.end", message="start must be below end", holds=lambda r: r.start < r.end),
    )

    start: WholeNumber
    """First number that matches."""
    end: WholeNumber
    """First number after start that no longer matches."""


class ValueMatch(Model):
    """What a value must look like."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one_of("exact", "prefix", "range", "regex", "suffix"),)

    exact: HeaderValue | None = None
    """The value itself."""
    prefix: HeaderValue | None = None
    """How the value begins."""
    range: MatchRange | None = None
    """The whole numbers among which the value is."""
    regex: HeaderValue | None = None
    """Regular expression that the whole value matches."""
    suffix: HeaderValue | None = None
    """How the value ends."""


class HeaderMatch(Model):
    """A condition on one header (http, http2) or one metadata key (grpc)."""

    name: HeaderName
    """Name of the header or metadata key."""
    invert: Flag | None = None
    """Turn the condition round. False when not given."""
    match: ValueMatch | None = None
    """What the value must look like; when not given, it is enough that the header is there."""


HeaderMatches = Annotated[tuple[HeaderMatch, ...], Field(max_length=10)]


class WeightedTarget(Model):
    """A virtual node and its share of the traffic."""

    virtual_node_name: TargetName
    """The VirtualNode's name. Targets of http2 and grpc routes may also be full App Mesh names."""
    weight: Weight
    """Share of the traffic, relative to the other targets of the route."""


class RouteAction(Model):
    """Where matching traffic goes."""

    weighted_targets: Annotated[tuple[WeightedTarget, ...], Field(min_length=1, max_length=10)]
    """The virtual nodes that share the traffic, one to ten."""


class HttpRouteMatch(Model):
    """Which requests an http or http2 route takes."""

    prefix: UrlPath
    """How the path begins; / takes every path."""
    method: HttpMethod | None = None
    """Request method; any when not given."""
    headers: HeaderMatches = ()
    """Conditions on headers, all of which must hold."""
    scheme: HttpScheme | None = None
    """Request scheme; any when not given."""


class HttpRetryPolicy(Model):
    """When and how often a request is tried again."""

    per_retry_timeout_millis: Millis
    """How long each attempt may take."""
    max_retries: Count
    """How often a request is tried again at most."""
    http_retry_events: Annotated[tuple[HttpRetryEvent, ...], Field(max_length=25)] = ()
    """Answers after which a request is tried again."""
    tcp_retry_events: Annotated[tuple[TcpRetryEvent, ...], Field(max_length=1)] = ()
    """Connection faults after which a request is tried again."""


class GrpcRetryPolicy(HttpRetryPolicy):
    """When and how often a call is tried again."""

    grpc_retry_events: Annotated[tuple[GrpcRetryEvent, ...], Field(max_length=5)] = ()
    """gRPC statuses after which a call is tried again."""


class HttpRoute(Model):
    """A route for http or http2 requests."""

    match: HttpRouteMatch
    """Which requests the route takes."""
    action: RouteAction
    """Where they go."""
    retry_policy: HttpRetryPolicy | None = None
    """When a request is tried again; never, by this route, when not given."""


class TcpRoute(Model):
    """A route for TCP connections."""

    action: RouteAction
    """Where connections go."""


class GrpcRouteMatch(Model):
    """Which calls a grpc route takes; all of them when nothing is given."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.methodName) || has(self.serviceName)",
            message="methodName needs a serviceName",
            holds=lambda m: m.method_name is None or m.service_name is not None,
        ),
    )

    service_name: Name | None = None
    """Full name of the gRPC service, package included."""
    method_name: MethodName | None = None
    """Method of that service."""
    metadata: HeaderMatches = ()
    """Conditions on metadata, all of which must hold."""


class GrpcRoute(Model):
    """A route for grpc calls."""

    match: GrpcRouteMatch = GrpcRouteMatch()
    """Which calls the route takes; all of them when not given."""
    action: RouteAction
    """Where they go."""
    retry_policy: GrpcRetryPolicy | None = None
    """When a call is tried again; never, by this route, when not given."""


class Route(Model):
    """A rule of the virtual service's router: exactly one of http, http2, tcp or grpc."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one_of("http", "http2", "tcp", "grpc"),)

    name: Name
    """Name of the route, unique within its router."""
    http: HttpRoute | None = None
    """For http/1.1 requests."""
    tcp: TcpRoute | None = None
    """For TCP connections."""
    http2: HttpRoute | None = None
    """For http/2 requests."""
    grpc: GrpcRoute | None = None
    """For grpc calls."""
    priority: Priority | None = None
    """Routes are tried from priority 0 upwards; those without one come last."""

    @property
    def targets(self) -> tuple[WeightedTarget, ...]:
        """The weighted targets, whatever the route's type."""
        typed = self.http or self.http2 or self.tcp or self.grpc
        return typed.action.weighted_targets if typed else ()

    @property
    def takes_full_names(self) -> bool:
        """Whether targets may be App Mesh names as they stand, as they had to be in http2 and grpc routes of old."""
        return self.http2 is not None or self.grpc is not None
