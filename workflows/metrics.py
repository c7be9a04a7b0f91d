"""What workflows count. Replay-safe: the meter is silent while a history is replayed, and no command is made.

| metric | labels |
|---|---|
| `meshwright_reconcile_duration_seconds` | `kind`, `outcome` |
| `meshwright_reconciles_total` | `kind`, `outcome`, `reason` |
| `meshwright_drift_found_total` | `kind` |
| `appmesh_operation_duration_seconds` | `kind`, `operation` |

Temporal's SDK adds `namespace`, `task_queue` and `workflow_type`. Time is the workflow's own.
`outcome` is one of `OUTCOMES`, `operation` is `reconcile` or `delete`, `reason` is as in the main condition.
"""

from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from resources.conditions import Reason
    from resources.kinds import Kind

DURATION: Final = "meshwright_reconcile_duration_seconds"
RECONCILES: Final = "meshwright_reconciles"
DRIFT: Final = "meshwright_drift_found"
OPERATION_DURATION: Final = "appmesh_operation_duration_seconds"

ACHIEVED: Final = "achieved"
WAITING: Final = "waiting"
FAILED: Final = "failed"
SUPERSEDED: Final = "superseded"
"""A newer edit came in the middle."""
OVER: Final = "gone"
"""The resource went."""
OUTCOMES: Final = (ACHIEVED, WAITING, FAILED, SUPERSEDED, OVER)

BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


def reconciled(kind: Kind, outcome: str, reason: Reason | None, deleting: bool, seconds: float) -> None:
    """Count one reconcile."""
    meter = workflow.metric_meter()
    slug = kind.label
    meter.create_histogram_float(DURATION, "Time that a reconcile took").record(
        seconds, {"kind": slug, "outcome": outcome}
    )
    meter.create_histogram_float(OPERATION_DURATION, "Time that a reconcile took, under its older name").record(
        seconds, {"kind": slug, "operation": "delete" if deleting else "reconcile"}
    )
    meter.create_counter(RECONCILES, "Reconciles by how they ended").add(
        1, {"kind": slug, "outcome": outcome, "reason": reason.value if reason is not None else ""}
    )


def drift_found(kind: Kind) -> None:
    """Count that somebody else had changed what is ours."""
    workflow.metric_meter().create_counter(DRIFT, "Times that App Mesh held what somebody else had made of it").add(
        1, {"kind": kind.label}
    )


def outcome_of(reason: Reason, achieved: bool) -> str:
    """The coarse outcome of a reason."""
    if achieved:
        return ACHIEVED
    return WAITING if reason.value.startswith("Waiting") else FAILED
