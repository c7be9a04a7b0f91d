"""Story: after a mesh's life every process tells of it, in the metrics that the reference names and no others."""

import urllib.request
from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families

from tests.docs.metrics_page import SDK_LABELS, UNLISTED, documented, exposed
from tests.e2e.cluster import Cluster
from tests.e2e.world import World
from tests.waiting import until

ORDER = ("worker", "watcher", "injector", "control-plane")
"""As the stack lists their addresses."""


def scraped(cluster: Cluster) -> dict[str, str]:
    """Process → what it tells."""
    texts = {}
    addresses = cluster.stack.environment["MESHWRIGHT_METRICS"].split(",")
    for process, address in zip(ORDER, addresses, strict=True):
        with urllib.request.urlopen(address, timeout=20) as answer:
            texts[process] = answer.read().decode()
    return texts


def value(text: str, metric: str, /, **labels: str) -> float:
    """The sum of a metric's samples with these labels."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == metric and labels.items() <= sample.labels.items()
    )


def grown(before: dict[str, str], after: dict[str, str]) -> Callable[..., float]:
    """How much more there is of a process's metric."""

    def of(process: str, metric: str, /, **labels: str) -> float:
        return value(after[process], metric, **labels) - value(before[process], metric, **labels)

    return of


def test_a_meshs_life_is_in_the_metrics(cluster: Cluster, world: World) -> None:
    """Calls, reconciles, states while it lives; and no state of it afterwards."""
    before = scraped(cluster)
    shop = world.shop(routes=2)
    cluster.converge(*shop)
    cluster.app_mesh.api.update_mesh(meshName=world.name, spec={"egressFilter": {"type": "ALLOW_ALL"}})
    drifted = until(
        lambda: value(scraped(cluster)["worker"], "meshwright_drift_found_total", kind="mesh"),
        lambda found: found > value(before["worker"], "meshwright_drift_found_total", kind="mesh"),
        "the drift to be found",
    )
    assert drifted
    living = scraped(cluster)
    grew = grown(before, living)
    node = {"mesh": world.name, "name": f"cart-{world.name}"}
    assert value(living["watcher"], "appmesh_mesh_state", name=world.name) == 1
    assert value(living["watcher"], "appmesh_virtual_node_state", **node) == 1
    assert value(living["watcher"], "appmesh_virtual_service_state", mesh=world.name) == 1
    assert value(living["watcher"], "meshwright_resources", kind="virtual_node", phase="active") >= 2
    assert grew("watcher", "meshwright_time_to_active_seconds_count", kind="virtual_node") >= 2
    assert grew("watcher", "meshwright_watcher_doubts_total", found_by="feed") >= 1
    assert grew("worker", "meshwright_aws_calls_total", operation="CreateRoute", code="200") == 2
    assert grew("worker", "appmesh_aws_api_requests", operation="CreateRoute") == 2
    assert grew("worker", "appmesh_api_request_duration_seconds_count", kind="virtual_route", operation="create") == 2
    assert grew("worker", "meshwright_reconciles_total", kind="virtual_node", outcome="achieved") >= 2
    assert grew("worker", "meshwright_reconcile_duration_seconds_count", kind="virtual_service") >= 1
    assert grew("worker", "appmesh_operation_duration_seconds_count", kind="mesh", operation="reconcile") >= 1
    assert grew("worker", "temporal_workflow_task_schedule_to_start_latency_seconds_count") >= 4
    assert grew("control-plane", "appmesh_api_requests_total", operation="CreateRoute", code="200") == 2

    cluster.remove(*reversed(shop))
    gone = scraped(cluster)
    for kind in ("virtual_node", "virtual_service"):
        assert value(gone["watcher"], f"appmesh_{kind}_state", mesh=world.name) == 0
        assert f'mesh="{world.name}"' not in gone["watcher"]
    assert grown(before, gone)("worker", "appmesh_operation_duration_seconds_count", kind="mesh", operation="delete")

    for process, metrics in documented().items():
        told = exposed(gone[process])
        own = {name: each for name, each in told.items() if not name.startswith(UNLISTED)}
        assert own.keys() <= metrics.keys(), f"{process} tells what the reference does not name"
        for name, described in metrics.items():
            assert name in told, f"{process} does not tell {name}"
            assert told[name].type == described.type, name
            assert told[name].labels - SDK_LABELS <= described.labels, name
