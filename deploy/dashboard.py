"""The Grafana dashboard as data: `make generate` writes it to deploy/monitoring/dashboard.json.

Rows and panels are a table; how Grafana wants a panel written down is said once. Gauges of the watcher are asked for
with `max`, as every watcher tells of every resource.
"""

import json
from typing import Any, NamedTuple

WIDTH = 24
HEIGHT = 7


class Panel(NamedTuple):
    """One graph: its title, what it asks Prometheus (query, legend), and the unit of what comes back."""

    title: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"


def _quantiles(metric: str, by: str = "", where: str = "") -> tuple[tuple[str, str], ...]:
    labels = f"le, {by}" if by else "le"
    legend = f" {{{{{by}}}}}" if by else ""
    return tuple(
        (
            f"histogram_quantile({each}, sum by ({labels}) (rate({metric}_bucket{where}[$__rate_interval])))",
            f"p{name}{legend}",
        )
        for each, name in ((0.5, "50"), (0.99, "99"))
    )


def _rate(metric: str, by: str) -> tuple[tuple[str, str], ...]:
    legend = " ".join(f"{{{{{label}}}}}" for label in by.split(", "))
    return ((f"sum by ({by}) (rate({metric}[$__rate_interval]))", legend),)


ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    (
        "Resources",
        (
            Panel("By phase", (("sum by (phase) (max by (kind, phase, reason) (meshwright_resources))", "{{phase}}"),)),
            Panel(
                "Not active, by reason",
                (
                    (
                        'max by (kind, phase, reason) (meshwright_resources{phase!="active"})',
                        "{{kind}} {{phase}} {{reason}}",
                    ),
                ),
            ),
            Panel("From edit to Active", _quantiles("meshwright_time_to_active_seconds", "kind"), "s"),
        ),
    ),
    (
        "Reconciling",
        (
            Panel("Reconciles", _rate("meshwright_reconciles_total", "kind, outcome"), "ops"),
            Panel("Time of a reconcile", _quantiles("meshwright_reconcile_duration_seconds", "kind"), "s"),
            Panel("Drift found", (("sum by (kind) (increase(meshwright_drift_found_total[1h]))", "{{kind}}"),)),
        ),
    ),
    (
        "App Mesh and Cloud Map",
        (
            Panel("Calls", _rate("meshwright_aws_calls_total", "operation"), "ops"),
            Panel("Calls that failed", _rate('meshwright_aws_calls_total{code!="200"}', "operation, code"), "ops"),
            Panel("Time of a call", _quantiles("meshwright_aws_call_duration_seconds", "service"), "s"),
        ),
    ),
    (
        "Queues",
        (
            Panel(
                "Workflow tasks wait",
                _quantiles("temporal_workflow_task_schedule_to_start_latency_seconds", "task_queue"),
                "s",
            ),
            Panel("Calls wait", _quantiles("temporal_activity_schedule_to_start_latency_seconds", "task_queue"), "s"),
            Panel(
                "News that Temporal has not taken",
                (("max by (receiver) (meshwright_watcher_news_waiting)", "{{receiver}}"),),
            ),
        ),
    ),
    (
        "Control plane",
        (
            Panel("Requests", _rate("appmesh_api_requests_total", "operation, code"), "ops"),
            # The worker's calls have one of this name too (an older controller's), with a `kind` and other buckets.
            Panel("Time to answer", _quantiles("appmesh_api_request_duration_seconds", where='{kind=""}'), "s"),
            Panel("Connected proxies", (("sum by (form) (appmesh_xds_connections)", "{{form}}"),)),
        ),
    ),
    (
        "Proxies",
        (
            Panel("Pushes", _rate("appmesh_xds_responses_total", "kind"), "ops"),
            Panel("Proxies that refuse", (("sum by (kind) (appmesh_xds_refusing_proxies)", "{{kind}}"),)),
            Panel(
                "Time to follow, and to answer a push",
                (*_quantiles("appmesh_xds_following_seconds"), *_quantiles("appmesh_xds_ack_seconds", "kind")),
                "s",
            ),
        ),
    ),
    (
        "Injection and processes",
        (
            Panel("Reviews of pods", _rate("meshwright_injector_reviews_total", "outcome"), "ops"),
            Panel(
                "CPU",
                (
                    (
                        'sum by (pod) (rate(process_cpu_seconds_total{namespace="$namespace"}[$__rate_interval]))',
                        "{{pod}}",
                    ),
                ),
            ),
            Panel(
                "Memory",
                (('sum by (pod) (process_resident_memory_bytes{namespace="$namespace"})', "{{pod}}"),),
                "bytes",
            ),
        ),
    ),
)


def dashboard() -> dict[str, Any]:
    """The whole, as Grafana imports it."""
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in ROWS:
        place = {"h": 1, "w": WIDTH, "x": 0, "y": top}
        panels.append({"id": len(panels) + 1, "type": "row", "title": title, "gridPos": place, "panels": []})
        width = WIDTH // len(row)
        for number, panel in enumerate(row):
            place = {"h": HEIGHT, "w": width, "x": number * width, "y": top + 1}
            panels.append({"id": len(panels) + 1, **_written(panel), "gridPos": place})
        top += HEIGHT + 1
    return {
        "uid": "meshwright",
        "title": "Meshwright",
        "tags": ["meshwright"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [_source(), _namespace()]},
        "panels": panels,
    }


def text() -> str:
    """The content of the file."""
    return json.dumps(dashboard(), indent=2) + "\n"


def _written(panel: Panel) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "${source}"}
    return {
        "type": "timeseries",
        "title": panel.title,
        "datasource": source,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + number), "datasource": source, "expr": query, "legendFormat": legend}
            for number, (query, legend) in enumerate(panel.queries)
        ],
    }


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _namespace() -> dict[str, Any]:
    return {"name": "namespace", "label": "Namespace", "type": "textbox", "query": "meshwright"}
