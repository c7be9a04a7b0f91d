"""deploy/monitoring: dashboard and alerts ask for metrics that there are, and every alert says what to do."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from activities import errors
from activities.failures import Failure
from control_plane.xds.ads.connections import Connections
from control_plane.xds.ads.metrics import STREAM_CODES, AdsMetrics
from deploy import dashboard
from tests.deploy.charting import CHART
from tests.deploy.installing import ROOT
from tests.docs.metrics_page import documented

FOLDER = ROOT / "deploy" / "monitoring"
RUNBOOK = ROOT / "docs" / "how-to" / "alerts.md"
SUFFIXES = ("_bucket", "_sum", "_count")
OF_EVERY_PROCESS = {"process_cpu_seconds_total", "process_resident_memory_bytes"}


def rules() -> list[dict[str, Any]]:
    """Every alert."""
    return [rule for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]


def queries() -> dict[str, str]:
    """All that Prometheus is asked, by who asks."""
    asked = {rule["alert"]: rule["expr"] for rule in rules()}
    for panel in dashboard.dashboard()["panels"]:
        for target in panel.get("targets", ()):
            asked[f"{panel['title']} {target['refId']}"] = target["expr"]
    return asked


def metric_of(name: str, known: dict[str, Any]) -> str:
    """The metric that a series belongs to."""
    for suffix in SUFFIXES:
        base = name.removesuffix(suffix)
        if base != name and base in known and known[base].type == "histogram":
            return base
    return name


@pytest.mark.parametrize("asker", sorted(queries()))
def test_what_is_asked_for_is_there(asker: str) -> None:
    """Every metric is one of the reference, and every label one that it has there."""
    known: dict[str, Any] = {name: each for process in documented().values() for name, each in process.items()}
    query = queries()[asker]
    names = set(re.findall(r"\b(?:meshwright|appmesh|temporal|process)_[a-z_]+\b", query))
    assert names
    metrics = {metric_of(name, known) for name in names}
    assert metrics <= known.keys() | OF_EVERY_PROCESS
    if metrics <= known.keys():
        labels = {
            label
            for metric in metrics
            for process in documented().values()
            if metric in process
            for label in process[metric].labels
        }
        used = set(re.findall(r"(\w+)\s*[=!]~?\s*\"", query))
        used |= {label for group in re.findall(r"by \(([^)]*)\)", query) for label in group.split(", ")}
        assert used - {"le"} <= labels


SCRIPT = """
from prometheus_client import generate_latest
from injector import metrics
print(generate_latest().decode(), "---")
metrics.REVIEWS.labels(metrics.FAILED).inc()
print(generate_latest().decode())
"""


def first_review_that_fails() -> tuple[str, str]:
    """What an injector tells before and after it; in a process where no other test counts."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60)
    before, _, after = done.stdout.partition("---")
    return before, after


def first(event: Callable[[AdsMetrics], None]) -> tuple[str, str]:
    """What a control plane tells before and after its first event of a sort."""
    registry = CollectorRegistry()
    metrics = AdsMetrics(registry, Connections())
    before = generate_latest(registry).decode()
    event(metrics)
    return before, generate_latest(registry).decode()


FIRSTS: dict[str, Callable[[], tuple[str, str]]] = {
    "MeshwrightUnknownProxies": lambda: first(AdsMetrics.unknown_proxy),
    "MeshwrightProxyStreamsRefused": lambda: first(lambda metrics: metrics.stream_refused("PERMISSION_DENIED")),
    "MeshwrightInjectorFails": first_review_that_fails,
}
"""Alerts on the first of something, and what makes it happen."""


@pytest.mark.parametrize("alert", FIRSTS)
def test_the_first_time_is_noticed(alert: str) -> None:
    """Prometheus sees an increase only in a series that it has seen before: one that begins with 1 has none."""
    (query,) = [rule["expr"] for rule in rules() if rule["alert"] == alert]
    found = re.fullmatch(r"(?:sum(?: by \(\w+\) ?)?\()?increase\((\w+)(?:{(\w+)=~\"(.+)\"})?\[\w+]\)\)? > 0", query)
    assert found is not None, query
    name, label, values = found.groups()

    def series(text: str) -> dict[tuple[tuple[str, str], ...], float]:
        samples = [each for family in text_string_to_metric_families(text) for each in family.samples]
        wanted = [each for each in samples if each.name == name]
        wanted = [each for each in wanted if label is None or re.fullmatch(values, each.labels[label])]
        return {tuple(each.labels.items()): each.value for each in wanted}

    before, after = map(series, FIRSTS[alert]())
    assert sum(after[each] - value for each, value in before.items()) == 1


def test_every_alert_on_a_first_time_is_tried() -> None:
    """A new one has to be in the table above; those that ask for more than a few are left out."""
    assert {rule["alert"] for rule in rules() if re.search(r"increase\(.*\) > 0", rule["expr"])} == FIRSTS.keys()


def test_every_status_of_a_refused_stream_is_told_from_the_start() -> None:
    """Those that the server refuses with, as its code names them."""
    sources = [(ROOT / "control_plane" / "xds" / "ads" / f"{each}.py").read_text() for each in ("server", "security")]
    assert set(STREAM_CODES) == set(re.findall(r"StatusCode\.([A-Z_]+)", "".join(sources)))


@pytest.mark.parametrize(
    ("failure", "alert"),
    [(Failure.UNAVAILABLE, "MeshwrightAppMeshUnavailable"), (Failure.THROTTLED, "MeshwrightThrottled")],
)
def test_every_code_of_a_fault_that_passes_is_counted(failure: Failure, alert: str) -> None:
    """As the worker takes them: by code, or by the status where a load balancer answers, which boto3 makes the code."""
    (query,) = [rule["expr"] for rule in rules() if rule["alert"] == alert]
    (codes,) = re.findall(r'code=~"([^"]+)"', query)
    known = {code for code, what in errors._CODES.items() if what is failure}
    known |= {str(status) for status, what in errors._STATUSES.items() if what is failure}
    known |= (
        {"500", "502", "503", "504", "InternalFailure", "EndpointConnectionError"}
        if failure is Failure.UNAVAILABLE
        else set()
    )
    assert {each for each in known if not re.fullmatch(codes, each)} == set()
    assert not re.fullmatch(codes, "200")
    assert not re.fullmatch(codes, "NotFoundException")


@pytest.mark.parametrize("asker", sorted(queries()))
def test_one_process_is_asked(asker: str) -> None:
    """Where two have one name for two things, told apart by their labels, a sum of both would mean nothing."""
    query = queries()[asker]
    known: dict[str, Any] = {name: each for process in documented().values() for name, each in process.items()}
    for name, selector in re.findall(r"\b((?:meshwright|appmesh)_[a-z_]+)\b(\{[^}]*\})?", query):
        metric = metric_of(name, known)
        forms = {frozenset(process[metric].labels) for process in documented().values() if metric in process}
        differing = frozenset.union(*forms) - frozenset.intersection(*forms)
        assert not differing or differing & set(re.findall(r"(\w+)\s*=", selector))


def test_metrics_of_temporals_sdk_are_asked_for_by_queue() -> None:
    """Workers of other programs have them too: theirs would hide that ours is gone."""
    asked = [
        each for rule in rules() for each in re.findall(r"temporal_\w+(\{task_queue=~\"meshwright)?", rule["expr"])
    ]
    assert asked
    assert all(asked)


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    """A section each, to which the alert's annotation leads."""
    sections = re.findall(r"^## (\w+)$", RUNBOOK.read_text(), flags=re.MULTILINE)
    assert sections == [rule["alert"] for rule in rules()]
    for rule in rules():
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert (ROOT / page, anchor) == (RUNBOOK, rule["alert"].lower())


def test_every_alert_says_how_bad_it_is_and_in_words() -> None:
    """What a pager shows."""
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"].endswith(".")


def test_the_dashboard_is_the_generated_one() -> None:
    """`make generate` writes it, and no two panels overlap."""
    assert (FOLDER / "dashboard.json").read_text() == dashboard.text()
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(dashboard.text())["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        taken |= cells


def test_the_charts_files_are_these() -> None:
    """Not copies of them, which would grow old."""
    assert (CHART / "files" / "monitoring").resolve() == FOLDER
