"""What a VirtualNode's status says of its Cloud Map service. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from resources.cloud_map import POD_NAMESPACES, service_of
from resources.conditions import Condition, ConditionType, merge_conditions
from resources.kinds import Kind
from workflows.cloud_map_messages import CloudMapReport, NodeInService
from workflows.messages import Snapshot

MEMBER = "cloudmapService"


def with_kept_out(report: CloudMapReport, node: NodeInService) -> CloudMapReport:
    """What one of the nodes is told: where all is well, also whose pods it would have if it let them in."""
    if not report.ready or not node.kept_out:
        return report
    names = ", ".join(node.kept_out)
    said = f"Not registered are pods of other namespaces ({names}) that name this node: {POD_NAMESPACES} lets none in"
    return report.model_copy(update={"message": f"{said} from there"})


def with_cloud_map(
    status: Mapping[str, Any], snapshot: Snapshot, reports: Sequence[CloudMapReport], now: str
) -> dict[str, Any]:
    """The status with what the Cloud Map service's workflow last reported.

    A node that does not use Cloud Map loses what an earlier spec left there. As long as there is no report about the
    service that the spec names now, what was said before stays.
    """
    result = dict(status)
    if snapshot.key.kind is not Kind.VIRTUAL_NODE:
        return result
    service = service_of(snapshot.spec)
    about = (service, snapshot.key.uid)
    report = next((report for report in reports if (report.service, report.node) == about), None)
    conditions = list(status.get("conditions") or ())
    if service is None:
        result[MEMBER] = None
        result["conditions"] = [found for found in conditions if found["type"] != ConditionType.CLOUD_MAP_SERVICE_READY]
    elif report is not None:
        condition = Condition(
            type=ConditionType.CLOUD_MAP_SERVICE_READY,
            status="True" if report.ready else "False",
            reason=report.reason,
            message=report.message[:1024],
            observed_generation=snapshot.generation,
        )
        merged = merge_conditions([Condition.model_validate(found) for found in conditions], [condition], now)
        result["conditions"] = [each.model_dump(by_alias=True, exclude_none=True, mode="json") for each in merged]
        ids = {"serviceId": report.service_id, "namespaceId": report.namespace_id}
        result[MEMBER] = {name: value for name, value in ids.items() if value is not None} or None
    return result
