"""What a VirtualNode's status says of its Cloud Map service."""

from typing import Any

from resources.cloud_map import CloudMapService
from resources.conditions import Reason
from resources.kinds import Kind
from resources.pods import NodeIdentity
from tests.builders import mesh, stored, virtual_node
from workflows.cloud_map_messages import CloudMapReport, NodeInService
from workflows.messages import Snapshot
from workflows.planning.cloud_map_status import with_cloud_map, with_kept_out

IN_MAP = {"cloudMap": {"namespaceName": "shop.local", "serviceName": "cart"}}
REPORT = CloudMapReport(
    node="uid-1",
    service=CloudMapService(namespace="shop.local", name="cart"),
    ready=True,
    reason=Reason.CLOUD_MAP_SERVICE_FOUND,
    service_id="srv-1",
    namespace_id="ns-1",
)
MAIN = {"type": "VirtualNodeActive", "status": "True"}
NODE = Snapshot.of(Kind.VIRTUAL_NODE, stored(virtual_node(serviceDiscovery=IN_MAP), generation=3))
BY_DNS = Snapshot.of(Kind.VIRTUAL_NODE, stored(virtual_node()))


def conditions(status: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By type."""
    return {found["type"]: found for found in status["conditions"]}


def test_a_report_becomes_a_condition_and_the_members_that_older_tools_read() -> None:
    """Beside the main condition."""
    status = with_cloud_map({"conditions": [MAIN]}, NODE, [REPORT], "now")
    assert status["cloudmapService"] == {"serviceId": "srv-1", "namespaceId": "ns-1"}
    found = conditions(status)["CloudMapServiceReady"]
    assert (found["status"], found["reason"], found["observedGeneration"]) == ("True", "CloudMapServiceFound", 3)
    assert MAIN["type"] in conditions(status)


def test_a_missing_namespace_turns_the_condition() -> None:
    """And there is no service to name."""
    missing = REPORT.model_copy(
        update={
            "ready": False,
            "reason": Reason.CLOUD_MAP_NAMESPACE_NOT_FOUND,
            "service_id": None,
            "namespace_id": None,
        }
    )
    before = with_cloud_map({"conditions": [MAIN]}, NODE, [REPORT], "then")
    status = with_cloud_map(before, NODE, [missing], "now")
    found = conditions(status)["CloudMapServiceReady"]
    assert (found["status"], found["lastTransitionTime"], status["cloudmapService"]) == ("False", "now", None)


def test_a_report_of_another_service_or_another_life_says_nothing() -> None:
    """It is late; what was said before stays."""
    other = REPORT.model_copy(update={"service": CloudMapService(namespace="shop.local", name="pay")})
    previous = REPORT.model_copy(update={"node": "uid-0"})
    for reports in ([other], [previous], []):
        assert with_cloud_map({"conditions": [MAIN]}, NODE, reports, "now") == {"conditions": [MAIN]}


def test_the_report_of_the_service_that_the_spec_names_counts() -> None:
    """While a node moves, the service that it leaves may have its say too, and later."""
    former = REPORT.model_copy(update={"service": CloudMapService(namespace="shop.local", name="pay"), "ready": False})
    status = with_cloud_map({"conditions": [MAIN]}, NODE, [REPORT, former], "now")
    assert conditions(status)["CloudMapServiceReady"]["status"] == "True"


def test_a_node_that_turned_to_dns_loses_what_was_said() -> None:
    """The condition and the member."""
    before = with_cloud_map({"conditions": [MAIN]}, NODE, [REPORT], "then")
    status = with_cloud_map(before, BY_DNS, [REPORT], "now")
    assert (status["conditions"], status["cloudmapService"]) == ([MAIN], None)


def test_other_kinds_are_left_as_they_are() -> None:
    """Only nodes are found by Cloud Map."""
    snapshot = Snapshot.of(Kind.MESH, stored(mesh()))
    assert with_cloud_map({"conditions": []}, snapshot, [], "now") == {"conditions": []}


def test_who_is_kept_out_is_said_where_all_is_well() -> None:
    """The condition stays True; where something else is wrong, that is what is said."""
    node = NodeInService(key=NODE.key, identity=NodeIdentity(mesh="shop", name="cart-prod"), kept_out=("a", "b"))
    status = with_cloud_map({"conditions": [MAIN]}, NODE, [with_kept_out(REPORT, node)], "now")
    found = conditions(status)["CloudMapServiceReady"]
    assert found["status"] == "True"
    assert found["message"] == (
        "Not registered are pods of other namespaces (a, b) that name this node: "
        "meshwright.dev/pod-namespaces lets none in from there"
    )
    refused = REPORT.model_copy(update={"ready": False, "message": "no"})
    assert with_kept_out(refused, node) == refused
    assert with_kept_out(REPORT, node.model_copy(update={"kept_out": ()})) == REPORT
