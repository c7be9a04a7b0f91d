"""What is counted of calls to App Mesh and Cloud Map, in the process's registry. boto3 tells, so no caller has to.

`meshwright_aws_calls_total` and `meshwright_aws_call_duration_seconds` are ours. The names that dashboards for the
older App Mesh controller ask for are derived from them when somebody scrapes (`OlderNames`): counted once, told twice.
They have no `object` label, which would be a series for each object that ever was: to a query it is an empty one.
"""

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram
from prometheus_client.metrics_core import Metric

SUCCESS = "200"
SERVICES = {"appmesh": "App Mesh", "servicediscovery": "ServiceDiscovery"}
"""Label value of each of boto3's clients: the service ids that the older controller used."""

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_STARTED = "meshwright_started"
_KINDS = {
    "Mesh": "mesh",
    "VirtualNode": "virtual_node",
    "VirtualService": "virtual_service",
    "VirtualRouter": "virtual_router",
    "Route": "virtual_route",
}
_OPERATION = re.compile(r"(Create|Describe|Update|Delete|List)(\w+)")

CALLS = Counter("meshwright_aws_calls", "Calls to App Mesh and Cloud Map by outcome", ("service", "operation", "code"))
DURATION = Histogram(
    "meshwright_aws_call_duration_seconds",
    "Time from a call's request to its answer",
    ("service", "operation"),
    buckets=_BUCKETS,
)


def watch(client: Any, service: str) -> None:
    """Have a boto3 client's calls counted; `service` is what boto3 calls it."""
    counted = _Counted(SERVICES[service])
    client.meta.events.register("before-call", counted.begins)
    client.meta.events.register("after-call", counted.answered)
    client.meta.events.register("after-call-error", counted.failed)


class _Counted:
    """The hooks of one client. Code is `200`, the error code of the answer, or the exception's name without one."""

    def __init__(self, service: str) -> None:
        self._service = service

    def begins(self, context: dict[str, Any], **_: Any) -> None:
        context[_STARTED] = time.perf_counter()

    def answered(self, event_name: str, parsed: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
        self._note(event_name, parsed.get("Error", {}).get("Code") or SUCCESS, context)

    def failed(self, event_name: str, exception: Exception, context: dict[str, Any], **_: Any) -> None:
        self._note(event_name, type(exception).__name__, context)

    def _note(self, event_name: str, code: str, context: Mapping[str, Any]) -> None:
        operation, now = event_name.rpartition(".")[2], time.perf_counter()
        CALLS.labels(self._service, operation, code).inc()
        DURATION.labels(self._service, operation).observe(now - context.get(_STARTED, now))


class OlderNames:
    """The same under the names of the older App Mesh controller, which have no `_total`."""

    def collect(self) -> Iterator[Metric]:
        """The derived metrics."""
        requests = Metric("appmesh_aws_api_requests", "Calls to AWS APIs", "untyped")
        errors = Metric("appmesh_aws_api_errors", "Calls to AWS APIs that were refused or not answered", "untyped")
        made: dict[tuple[str, str], float] = {}
        for sample in _samples(CALLS, "_total"):
            service, operation, code = (sample.labels[label] for label in ("service", "operation", "code"))
            made[service, operation] = made.get((service, operation), 0) + sample.value
            if code != SUCCESS:
                labels = {"service": service, "operation": operation, "errorcode": code}
                errors.add_sample(errors.name, labels, sample.value)
        for (service, operation), value in made.items():
            requests.add_sample(requests.name, {"service": service, "operation": operation}, value)
        yield requests
        yield errors
        durations = Metric("appmesh_api_request_duration_seconds", "Time that a call took", "histogram")
        for sample in _samples(DURATION):
            if (what := kind_and_verb(sample.labels["service"], sample.labels["operation"])) is not None:
                labels = {"kind": what[0], "operation": what[1]} | {
                    label: value for label, value in sample.labels.items() if label == "le"
                }
                durations.add_sample(sample.name.replace(DURATION._name, durations.name), labels, sample.value)
        yield durations

    def describe(self) -> Iterator[Metric]:
        """Nothing: the registry need not collect to learn the names."""
        return iter(())


def kind_and_verb(service: str, operation: str) -> tuple[str, str] | None:
    """The older labels of an operation; None for one that is about no kind (tags)."""
    if service != SERVICES["appmesh"]:
        return "cloudmap", re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
    found = _OPERATION.fullmatch(operation)
    nouns = (found[2], found[2][:-1], found[2][:-2]) if found is not None else ()
    noun = next((noun for noun in nouns if noun in _KINDS), None)  # one, or the plural of one
    return None if found is None or noun is None else (_KINDS[noun], found[1].lower())


def _samples(metric: Counter | Histogram, suffix: str = "") -> Iterator[Any]:
    for family in metric.collect():
        yield from (each for each in family.samples if each.name.endswith(suffix) and "_created" not in each.name)


def register(registry: CollectorRegistry = REGISTRY) -> None:
    """Have the older names told too."""
    registry.register(OlderNames())
