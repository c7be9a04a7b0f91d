"""What somebody who looks at the workflow in Temporal's UI is shown: current details, and what it is found by."""

from collections.abc import Sequence

from temporalio import workflow

from resources.phases import phase_of
from workflows import search_attributes
from workflows.cloud_map_messages import CloudMapReport
from workflows.cloud_map_state import CloudMapState
from workflows.events import rfc3339
from workflows.messages import Snapshot
from workflows.planning import details
from workflows.planning.outcome import Outcome
from workflows.planning.plan import Observed, Plan, Step
from workflows.state import EntityState


def show_progress(snapshot: Snapshot, plan: Plan, done: Sequence[Step]) -> None:
    """In the middle of a reconcile."""
    workflow.set_current_details(details.in_reconcile(snapshot, plan, done, rfc3339(workflow.now())))


def show_outcome(state: EntityState, snapshot: Snapshot, outcome: Outcome, done: Sequence[Step]) -> None:
    """At the end of a reconcile."""
    phase = phase_of(outcome.reason, leaving=snapshot.deleting or state.gone)
    observed = state.observed or Observed()
    now = rfc3339(workflow.now())
    workflow.set_current_details(details.after_reconcile(snapshot, phase, outcome, observed, done, now))
    if state.searchable:
        key = snapshot.key
        resource = search_attributes.of_resource(key.kind, key.namespace, key.name, snapshot.spec)
        search_attributes.publish({**resource, **search_attributes.standing(phase, outcome.reason)})


def show_service(state: CloudMapState, report: CloudMapReport) -> None:
    """When the nodes of a Cloud Map service are told where it stands."""
    phase = phase_of(report.reason)
    workflow.set_current_details(details.of_service(phase, report, len(state.nodes), len(state.held or {})))
    if state.searchable:
        service = search_attributes.of_service(report.service)
        search_attributes.publish({**service, **search_attributes.standing(phase, report.reason)})
