"""What the API counts. One registry per application, so several can live in one process.

| metric | labels |
|---|---|
| `appmesh_api_requests_total` | `operation`, `code` |
| `appmesh_api_request_duration_seconds` | `operation` |
| `appmesh_change_feed_requests_total` | `code` |
| `appmesh_change_feed_waiting` | |
| `process_*`, `python_*` | the usual ones of the process |

`operation` is as in the service model (`CreateMesh`), or `Unknown` for a request to no operation's URL.
`code` is `200`, or the error code that the caller saw (`NotFoundException`).
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

SUCCESS = "200"
UNKNOWN = "Unknown"

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class ApiMetrics:
    """The counters of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._requests = Counter(
            "appmesh_api_requests", "App Mesh API requests", ("operation", "code"), registry=self.registry
        )
        self._duration = Histogram(
            "appmesh_api_request_duration_seconds",
            "Time from the last byte of a request to the first of its response",
            ("operation",),
            buckets=_BUCKETS,
            registry=self.registry,
        )

        self._feed = Counter(
            "appmesh_change_feed_requests", "Requests to the change feed", ("code",), registry=self.registry
        )
        self.feed_waiting = Gauge(
            "appmesh_change_feed_waiting", "Readers that wait for a change", registry=self.registry
        )

    def count_feed(self, code: str) -> None:
        """Count one request to the change feed; it is no operation of App Mesh, and waits on purpose."""
        self._feed.labels(code).inc()

    def count(self, operation: str, code: str, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(operation, code).inc()
        self._duration.labels(operation).observe(seconds)

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry)
