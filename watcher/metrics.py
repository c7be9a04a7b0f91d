"""What the watcher tells: the state of every resource, as it saw it last, and how its own news gets on.

Gauges of resources are made from the index when somebody scrapes (`WatcherCollector`): nothing is polled or kept for
them, and one goes with its resource. Every watcher tells of all resources: ask for `max by (...)` over replicas.

The three `appmesh_..._state` have the older App Mesh controller's names and labels: 1 is active.
`phase` is `new` (no word on this generation yet), `active`, `waiting` (for another resource), `failing` or `deleting`.
"""

from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from resources.conditions import active_condition
from resources.kinds import Kind
from resources.names import namespaced_name
from watcher.index import Index, mesh_of
from workflows.messages import Snapshot

PHASES = ("new", "active", "waiting", "failing", "deleting")

_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)

REGISTRY = CollectorRegistry()
"""A registry of the watcher's own, as other processes import parts of this room and do not tell its metrics."""

TIME_TO_ACTIVE = Histogram(
    "meshwright_time_to_active_seconds",
    "Time from when an edit was seen until the status said Active of it",
    ("kind",),
    buckets=_BUCKETS,
    registry=REGISTRY,
)
DOUBTS = Counter(
    "meshwright_watcher_doubts",
    "Resources that were told that somebody else may have changed them",
    ("found_by",),
    registry=REGISTRY,
)
DELIVERY_FAILURES = Counter(
    "meshwright_watcher_delivery_failures", "Messages that Temporal did not take at once", registry=REGISTRY
)


class Box(Protocol):
    """As much of an outbox as is told."""

    @property
    def waiting(self) -> int:
        """Messages that Temporal has not taken yet."""

    @property
    def delivered(self) -> int:
        """Messages that Temporal has taken."""


class WatcherCollector:
    """Tells what is so at the moment of the scrape."""

    def __init__(self, index: Index, boxes: Mapping[str, Box]) -> None:
        self._index = index
        self._boxes = boxes

    def collect(self) -> Iterator[Metric]:
        """All gauges."""
        yield from states(self._index.all())
        waiting = GaugeMetricFamily(
            "meshwright_watcher_news_waiting", "Messages that Temporal has not taken yet", labels=("receiver",)
        )
        delivered = CounterMetricFamily(
            "meshwright_watcher_news_delivered", "Messages that Temporal has taken", labels=("receiver",)
        )
        for receiver, box in self._boxes.items():
            waiting.add_metric((receiver,), box.waiting)
            delivered.add_metric((receiver,), box.delivered)
        yield waiting
        yield delivered

    def describe(self) -> Iterator[Metric]:
        """Nothing: the registry need not collect to learn the names."""
        return iter(())


def states(resources: Iterable[Snapshot]) -> Iterator[Metric]:
    """The gauges of these resources. Where two claim one name, it is active if either is."""
    active: dict[Kind, dict[tuple[str, ...], bool]] = {kind: {} for kind in Kind}
    tally: Tally[tuple[str, str, str]] = Tally()
    for each in resources:
        kind = each.key.kind
        phase, reason = phase_of(each)
        tally[kind.label, phase, reason] += 1
        labels = _labels(each)
        active[kind][labels] = active[kind].get(labels, False) or phase == "active"
    for kind, known in active.items():
        names: Sequence[str] = ("name",) if kind is Kind.MESH else ("name", "mesh")
        state = GaugeMetricFamily(f"appmesh_{kind.label}_state", f"Whether the {kind} is active", labels=names)
        for values, is_active in known.items():
            state.add_metric(values, int(is_active))
        yield state
    resources_by_phase = GaugeMetricFamily(
        "meshwright_resources",
        "Resources, each with a workflow of its own, by phase and reason",
        labels=("kind", "phase", "reason"),
    )
    for key, count in tally.items():
        resources_by_phase.add_metric(key, count)
    yield resources_by_phase


def phase_of(snapshot: Snapshot) -> tuple[str, str]:
    """Where a resource is, and the reason that its main condition gives."""
    type = active_condition(snapshot.key.kind).value
    conditions = (*(snapshot.status.get("meshCondition") or ()), *(snapshot.status.get("conditions") or ()))
    condition: dict[str, Any] = next((each for each in conditions if each.get("type") == type), {})
    reason = str(condition.get("reason") or "")
    if snapshot.deleting:
        return "deleting", reason
    if not condition or snapshot.status.get("observedGeneration") != snapshot.generation:
        return "new", ""
    if condition.get("status") == "True":
        return "active", reason
    return ("waiting" if reason.startswith("Waiting") else "failing"), reason


def _labels(snapshot: Snapshot) -> tuple[str, ...]:
    key = snapshot.key
    match key.kind:
        case Kind.MESH:
            return (key.name,)
        case Kind.VIRTUAL_NODE:
            return namespaced_name(key.name, key.namespace or ""), mesh_of(snapshot) or ""
        case Kind.VIRTUAL_SERVICE:
            return key.name, mesh_of(snapshot) or ""
