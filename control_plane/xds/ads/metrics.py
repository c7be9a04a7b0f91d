"""What the ADS server counts.

| metric | labels |
|---|---|
| `appmesh_xds_connections` | `form` |
| `appmesh_xds_responses_total` | `kind` |
| `appmesh_xds_accepted_total` | `kind` |
| `appmesh_xds_refused_total` | `kind` |
| `appmesh_xds_refusing_proxies` | `kind` |
| `appmesh_xds_ack_seconds` | `kind` |
| `appmesh_xds_following_seconds` | |
| `appmesh_xds_streams_refused_total` | `code` |
| `appmesh_xds_unknown_proxies_total` | |

`appmesh_xds_following_seconds` is the time from a new snapshot of a proxy until it has accepted all of it that it does
not refuse; what comes meanwhile is followed in one go.
`form` is `sotw` or `delta`, `kind` is `Listener`, `RouteConfiguration`, `Cluster` or `ClusterLoadAssignment`.
`code` is the gRPC status with which a stream was refused (`PERMISSION_DENIED`).

What is refused is not sent again, so `appmesh_xds_refused_total` tells of a moment; `appmesh_xds_refusing_proxies`
tells how many proxies do without something of a kind, for as long as they do. Every series is there from the start: of
one that comes into being with its first event, Prometheus sees no increase.
"""

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from control_plane.xds.ads.connections import Connections
from control_plane.xds.snapshot import Kind

FORMS = ("sotw", "delta")
STREAM_CODES = ("INVALID_ARGUMENT", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "UNAUTHENTICATED")
"""The gRPC statuses with which streams are refused."""

_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0)


class AdsMetrics:
    """The counters of one server, in the registry of its application."""

    def __init__(self, registry: CollectorRegistry, connections: Connections) -> None:
        self._connections = Gauge(
            "appmesh_xds_connections", "Streams of proxies that are open", ("form",), registry=registry
        )
        self._responses = Counter("appmesh_xds_responses", "Responses sent to proxies", ("kind",), registry=registry)
        self._accepted = Counter(
            "appmesh_xds_accepted", "Responses that proxies accepted", ("kind",), registry=registry
        )
        self._refused = Counter("appmesh_xds_refused", "Responses that proxies refused", ("kind",), registry=registry)
        self._ack = Histogram(
            "appmesh_xds_ack_seconds",
            "Time from a response to the proxy's answer to it",
            ("kind",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._following = Histogram(
            "appmesh_xds_following_seconds",
            "Time from a new snapshot of a proxy until it has accepted it",
            buckets=_BUCKETS,
            registry=registry,
        )
        self._streams_refused = Counter(
            "appmesh_xds_streams_refused", "Streams that were refused", ("code",), registry=registry
        )
        self._unknown = Counter(
            "appmesh_xds_unknown_proxies", "Streams of proxies that the state does not have", registry=registry
        )
        refusing = Gauge(
            "appmesh_xds_refusing_proxies",
            "Connected proxies that do without something that they refused",
            ("kind",),
            registry=registry,
        )
        for kind in Kind:
            refusing.labels(_short(kind)).set_function(partial(_refusing, connections, kind))
            for of_kind in (self._responses, self._accepted, self._refused, self._ack):
                of_kind.labels(_short(kind))
        for form in FORMS:
            self._connections.labels(form)
        for code in STREAM_CODES:
            self._streams_refused.labels(code)

    def connected(self, form: str, change: int) -> None:
        """A stream has begun (1) or ended (-1)."""
        self._connections.labels(form).inc(change)

    def sent(self, kind: Kind) -> None:
        """Count one response."""
        self._responses.labels(_short(kind)).inc()

    def answered(self, kind: Kind, *, accepted: bool, seconds: float | None) -> None:
        """Count one answer to a response, and how long it took, where that is known."""
        (self._accepted if accepted else self._refused).labels(_short(kind)).inc()
        if seconds is not None:
            self._ack.labels(_short(kind)).observe(seconds)

    def followed(self, seconds: float) -> None:
        """A proxy has taken what it did not have, after this long."""
        self._following.observe(seconds)

    def stream_refused(self, code: str) -> None:
        """Count one stream that was refused."""
        self._streams_refused.labels(code).inc()

    def unknown_proxy(self) -> None:
        """Count one proxy that is told nothing, as there is no such node or gateway."""
        self._unknown.inc()


def _refusing(connections: Connections, kind: Kind) -> float:
    return sum(each.kinds[kind].refused for each in connections.list())


def _short(kind: Kind) -> str:
    return kind.rpartition(".")[2]
