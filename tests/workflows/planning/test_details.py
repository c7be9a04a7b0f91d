"""The table that the Temporal UI shows of a workflow."""

from activities.messages import Record
from activities.names import Verb
from activities.objects import ApiKind, ApiObject
from resources.cloud_map import CloudMapService
from resources.conditions import Reason
from resources.phases import Phase
from tests.builders import virtual_service
from tests.workflows.snapshots import snapshot
from workflows.cloud_map_messages import CloudMapReport
from workflows.planning import details
from workflows.planning.outcome import Outcome
from workflows.planning.plan import Observed, Plan, Step

NOW = "2026-01-01T00:00:00Z"
ROUTER = ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh="shop", name="cart")
ROUTES = [ApiObject(kind=ApiKind.ROUTE, mesh="shop", name=f"r{number:02}", router="cart") for number in range(60)]


def test_a_cloud_map_service_has_a_table_too():
    """By the report that its nodes are told."""
    service = CloudMapService(namespace="shop.local", name="cart")
    report = CloudMapReport(service=service, ready=False, reason=Reason.CLOUD_MAP_REFUSED, message="no")
    shown = details.of_service(Phase.FAILING, report, nodes=1, instances=0)
    assert "| Phase | **Failing** |" in shown
    assert "| Message | no |" in shown


def test_details_show_outcome_and_objects_in_tables():
    """What App Mesh says may have bars and line breaks in it, and must not break the table."""
    record = Record(object=ROUTER, arn="arn", version=3)
    outcome = Outcome(reason=Reason.BAD_REQUEST, message="either a|b\nor c")
    done = [Step(verb=Verb.CREATE, object=ROUTER)]
    sighted = snapshot(virtual_service(), generation=7)
    shown = details.after_reconcile(sighted, Phase.FAILING, outcome, Observed(records=(record,)), done, NOW)
    assert shown.splitlines() == [
        "|  |  |",
        "|---|---|",
        "| Phase | **Failing** |",
        "| Reason | BadRequest |",
        "| Message | either a\\|b or c |",
        "| Generation | 7 |",
        f"| Last reconcile | {NOW} |",
        "| It did | Create router cart |",
        "",
        "| App Mesh object | version |",
        "|---|---|",
        "| router cart | 3 |",
    ]


def test_details_show_how_far_a_reconcile_is():
    """Each step with what has become of it; a long plan is cut."""
    steps = tuple(Step(verb=Verb.CREATE, object=route) for route in ROUTES)
    shown = details.in_reconcile(snapshot(virtual_service()), Plan(stages=(steps,)), steps[:1], NOW)
    assert "| Create route r00 of router cart | done |" in shown
    assert "| Create route r01 of router cart | to do |" in shown
    assert shown.endswith("| and 20 more |  |")
    assert len(shown) < 20_000
