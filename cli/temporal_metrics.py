"""What Temporal's SDK counts, and what workflows count through it, told together with the rest at `/metrics`.

The SDK's core, which is not Python, can only tell at a port of its own. That port is on the loopback address and is
asked when somebody scrapes, so that a process has one address for all its metrics, and counting costs no Python.
"""

import socket

import aiohttp
import structlog
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from workflows import metrics

log = structlog.get_logger(__name__)

_HOST = "127.0.0.1"
_ATTEMPTS = 5
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
_OURS = (metrics.DURATION, metrics.OPERATION_DURATION)
_THEIRS = (
    "workflow_task_schedule_to_start_latency",
    "workflow_task_execution_latency",
    "activity_schedule_to_start_latency",
    "activity_execution_latency",
)


class TemporalMetrics:
    """A runtime for the client, and the text of what it counts; nothing is counted where nobody can ask."""

    def __init__(self, wanted: bool) -> None:
        self.runtime: Runtime | None = None
        self._url = ""
        if not wanted:
            return
        for attempt in range(_ATTEMPTS):
            port = _free_port()
            try:
                self.runtime = Runtime(telemetry=_telemetry(f"{_HOST}:{port}"))
            except (RuntimeError, ValueError):  # somebody else took the port meanwhile
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                break
        self._url = f"http://{_HOST}:{port}/metrics"

    async def text(self) -> bytes:
        """In Prometheus's format; empty when the core does not answer."""
        if self.runtime is None:
            return b""
        try:
            limit = aiohttp.ClientTimeout(total=5)
            async with aiohttp.ClientSession(timeout=limit) as session, session.get(self._url) as answer:
                return await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("no metrics of Temporal's SDK", error=str(error)[:200])
            return b""


def _telemetry(address: str) -> TelemetryConfig:
    buckets = {f"temporal_{name}": _BUCKETS for name in _THEIRS} | dict.fromkeys(_OURS, metrics.BUCKETS)
    prometheus = PrometheusConfig(
        bind_address=address,
        counters_total_suffix=True,
        unit_suffix=True,
        durations_as_seconds=True,
        histogram_bucket_overrides=buckets,
    )
    return TelemetryConfig(metrics=prometheus, attach_service_name=False)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((_HOST, 0))
        return int(free.getsockname()[1])
