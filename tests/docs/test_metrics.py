"""docs/reference/metrics.md names what the code has, with its type and labels, and nothing else."""

from prometheus_client import REGISTRY, CollectorRegistry, Metric
from prometheus_client.metrics import MetricWrapperBase

import activities.metrics
import injector.metrics
import watcher.metrics
import watcher.stream
import workflows.metrics
from control_plane.api.metrics import ApiMetrics
from control_plane.xds.ads.connections import Connections
from control_plane.xds.ads.metrics import AdsMetrics
from tests.docs.metrics_page import UNLISTED, Described, documented
from watcher.index import Index

WORKFLOWS = {
    workflows.metrics.DURATION: Described("histogram", frozenset({"kind", "outcome"})),
    f"{workflows.metrics.RECONCILES}_total": Described("counter", frozenset({"kind", "outcome", "reason"})),
    f"{workflows.metrics.DRIFT}_total": Described("counter", frozenset({"kind"})),
    workflows.metrics.OPERATION_DURATION: Described("histogram", frozenset({"kind", "operation"})),
}
"""Made by a meter, so there is no object to ask; tests/e2e/test_metrics.py asks a worker."""


def of_module(module) -> dict[str, Described]:
    """The metrics that are objects of a module."""
    made = [each for each in vars(module).values() if isinstance(each, MetricWrapperBase)]
    return dict(map(described, made))


def described(metric) -> tuple[str, Described]:
    """Name, type and labels of a metric object."""
    (family,) = metric.collect()
    name = f"{family.name}_total" if family.type == "counter" else family.name
    return name, Described(family.type, frozenset(metric._labelnames))


def of_registry(registry: CollectorRegistry) -> dict[str, Described]:
    """The metrics of a registry that are our own."""
    own = dict(described(each) for each in registry._collector_to_names if isinstance(each, MetricWrapperBase))
    return {name: metric for name, metric in own.items() if not name.startswith(UNLISTED)}


def names(families: list[Metric]) -> set[str]:
    """Names of what a collector tells."""
    return {f"{each.name}_total" if each.type == "counter" else each.name for each in families}


def test_the_page_names_the_metrics_of_the_worker():
    """Those of calls, of workflows, and of the SDK that matter most."""
    page = {name: each for name, each in documented()["worker"].items() if not name.startswith(UNLISTED)}
    older = names(list(activities.metrics.OlderNames().collect()))
    assert {name: each for name, each in page.items() if name not in older} == WORKFLOWS | of_module(activities.metrics)
    assert older <= page.keys()


def test_the_page_names_the_metrics_of_the_watcher():
    """Its own, the collector's, and those of calls."""
    page = documented()["watcher"]
    own = of_module(activities.metrics) | of_module(watcher.metrics) | of_module(watcher.stream)
    collected = names(list(watcher.metrics.WatcherCollector(Index(), {}).collect()))
    collected |= names(list(activities.metrics.OlderNames().collect()))
    assert {name: page.get(name) for name in own} == own
    assert page.keys() == own.keys() | collected


def test_the_page_names_the_metrics_of_the_control_plane():
    """Of the API and of proxies."""
    metrics = ApiMetrics()
    AdsMetrics(metrics.registry, Connections())
    assert documented()["control-plane"] == of_registry(metrics.registry)


def test_the_page_names_the_metrics_of_the_injector():
    """Its own, and those of watching."""
    assert documented()["injector"] == of_module(injector.metrics) | of_module(watcher.stream)


def test_every_metric_of_the_default_registry_is_on_the_page():
    """What a module adds later is not forgotten."""
    everywhere = {name for process in documented().values() for name in process}
    assert of_registry(REGISTRY).keys() <= everywhere
