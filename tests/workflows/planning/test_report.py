"""What users see of a reconcile: conditions, members, and whether it is news."""

import pytest

from activities.messages import References
from activities.objects import ApiKind
from resources.conditions import Reason
from resources.kinds import Kind
from tests.builders import mesh, virtual_node, virtual_service
from tests.watcher.sightings import sighting
from tests.workflows.planning import holdings
from workflows.planning.kinds import desired_of
from workflows.planning.outcome import ACHIEVED, Outcome
from workflows.planning.plan import Observed
from workflows.planning.report import LONGEST_MESSAGE, changed_members, is_news, status_of

NOON, LATER = "2026-01-01T12:00:00Z", "2026-01-01T13:00:00Z"
REFUSED = Outcome(reason=Reason.BAD_REQUEST, message="says App Mesh", failed_kind=ApiKind.VIRTUAL_SERVICE)


def status(manifest, outcome=ACHIEVED, before=None, now=NOON, observed=None, generation=1):
    """The status after a reconcile of the manifest."""
    snapshot = sighting(manifest, generation=generation)
    return status_of(snapshot, desired_of(snapshot), observed or Observed(), References(), outcome, before or {}, now)


def statuses(status):
    """The conditions' statuses by type."""
    return {condition["type"]: condition["status"] for condition in status["conditions"]}


def stored(before, after):
    """What the API server keeps when the changed members are written: None takes one away."""
    merged = before | changed_members(before, after)
    return {name: value for name, value in merged.items() if value is not None}


@pytest.mark.parametrize(
    ("failed", "router", "routes"),
    [
        pytest.param(None, "False", "False", id="blocked"),
        pytest.param(ApiKind.VIRTUAL_ROUTER, "False", "False", id="at-the-router"),
        pytest.param(ApiKind.ROUTE, "True", "False", id="at-a-route"),
        pytest.param(ApiKind.VIRTUAL_SERVICE, "True", "True", id="at-the-service"),
    ],
)
def test_what_a_service_had_got_beyond_is_fine(failed, router, routes):
    """Three conditions tell how far a service is."""
    outcome = Outcome(reason=Reason.BAD_REQUEST, message="no", failed_kind=failed)
    assert statuses(status(virtual_service(), outcome)) == {
        "VirtualRouterActive": router,
        "RoutesActive": routes,
        "VirtualServiceActive": "False",
    }


def test_a_condition_says_why_and_of_which_generation():
    """App Mesh's own words, cut where they are endless; and nothing to say when all is well."""
    outcome = Outcome(reason=Reason.FORBIDDEN, message="x" * 5000, failed_kind=ApiKind.VIRTUAL_NODE)
    (refused,) = status(virtual_node(), outcome, generation=3)["conditions"]
    assert refused == {
        "type": "VirtualNodeActive",
        "status": "False",
        "reason": "Forbidden",
        "message": "x" * LONGEST_MESSAGE,
        "lastTransitionTime": NOON,
        "observedGeneration": 3,
    }
    fine = status(virtual_node(), generation=3)
    assert fine["observedGeneration"] == 3
    assert (fine["conditions"][0]["reason"], fine["conditions"][0]["message"]) == ("Active", "")


def test_a_mesh_keeps_its_conditions_under_both_names():
    """`meshCondition` is what live clusters read, `conditions` what `kubectl wait` reads."""
    written = status(mesh())
    assert written["meshCondition"] == written["conditions"]
    assert "meshCondition" not in status(virtual_node())


def test_a_mesh_condition_of_the_reference_controller_is_carried_on():
    """It wrote meshCondition alone; a status that did not turn keeps its time."""
    before = {"meshCondition": [{"type": "MeshActive", "status": "True", "lastTransitionTime": NOON}]}
    assert status(mesh(), before=before, now=LATER)["conditions"][0]["lastTransitionTime"] == NOON


@pytest.mark.parametrize(
    ("outcome", "since"),
    [pytest.param(ACHIEVED, NOON, id="still-active"), pytest.param(REFUSED, LATER, id="turned")],
)
def test_the_transition_time_moves_only_when_the_status_turns(outcome, since):
    """Another generation or reason is no transition."""
    before = status(virtual_service())
    (main,) = status(virtual_service(), outcome, before, LATER, generation=2)["conditions"][-1:]
    assert main["lastTransitionTime"] == since


@pytest.mark.parametrize("outcome", [pytest.param(ACHIEVED, id="achieved"), pytest.param(REFUSED, id="refused")])
@pytest.mark.parametrize(
    ("manifest", "objects"),
    [
        pytest.param(mesh(), [holdings.mesh()], id="mesh"),
        pytest.param(virtual_node(), [holdings.node("cart-prod")], id="node"),
        pytest.param(virtual_service(), [holdings.router("cart-router-prod"), holdings.service()], id="service"),
    ],
)
def test_the_same_reconcile_again_writes_nothing(manifest, objects, outcome):
    """Otherwise each status write would bring the next."""
    observed = holdings.holding(objects)
    kept = stored({}, status(manifest, outcome, observed=observed))
    assert changed_members(kept, status(manifest, outcome, kept, LATER, observed)) == {}


def test_members_of_objects_that_are_gone_are_removed():
    """None tells the API server to drop a member, and a member that never was is not worth a write."""
    before = stored({}, status(virtual_node(), observed=holdings.holding([holdings.node("cart-prod")])))
    after = status(virtual_node(), before=before)
    assert changed_members(before, after) == {"virtualNodeArn": None, "meshArn": None}
    assert changed_members(stored(before, after), after) == {}


def test_the_versions_that_were_left_are_recorded_by_arn():
    """For the sweep; what was not looked at says nothing."""
    node = holdings.node("cart-prod")
    held = holdings.holding([node])
    assert status(virtual_node(), observed=held)["versions"] == {holdings.arn(node): held.records[0].version}
    assert "versions" not in status(virtual_node())


def test_a_resource_that_cannot_be_read_keeps_its_members():
    """ARNs are the only trace of its objects."""
    snapshot = sighting(virtual_node())
    before = {"virtualNodeArn": holdings.arn(holdings.node("cart-prod"))}
    invalid = Outcome(reason=Reason.INVALID_SPEC, message="spec.meshName: missing")
    after = status_of(snapshot, None, Observed(), None, invalid, before, NOON)
    assert "virtualNodeArn" not in after
    assert stored(before, after)["virtualNodeArn"] == before["virtualNodeArn"]


@pytest.mark.parametrize(
    ("manifest", "marked"),
    [
        pytest.param(virtual_node(), True, id="node"),
        pytest.param(virtual_service(), True, id="service"),
        pytest.param(mesh(), False, id="the-mesh-itself-is-not"),
    ],
)
def test_members_of_a_mesh_that_goes_are_marked(manifest, marked):
    """As the reference controller marks them."""
    going = Outcome(reason=Reason.MESH_DELETED, message="Mesh shop is being deleted")
    assert (statuses(status(manifest, going)).get("MeshMarkedForDeletion") == "True") is marked
    assert "MeshMarkedForDeletion" not in statuses(status(manifest))


WAITING = Outcome(reason=Reason.WAITING_FOR_NODES, message="VirtualNode cart does not exist")
OTHERWISE = Outcome(reason=Reason.BAD_REQUEST, message="another", failed_kind=ApiKind.VIRTUAL_SERVICE)


@pytest.mark.parametrize(
    ("old", "new", "news"),
    [
        pytest.param(None, ACHIEVED, True, id="first-active"),
        pytest.param(ACHIEVED, ACHIEVED, False, id="still-active"),
        pytest.param(ACHIEVED, REFUSED, True, id="turned"),
        pytest.param(REFUSED, ACHIEVED, True, id="recovered"),
        pytest.param(REFUSED, REFUSED, False, id="fails-as-before"),
        pytest.param(REFUSED, OTHERWISE, True, id="fails-in-another-way"),
        pytest.param(None, WAITING, False, id="waits-at-first"),
        pytest.param(REFUSED, WAITING, False, id="waits-after-a-failure"),
        pytest.param(ACHIEVED, WAITING, True, id="was-fine-and-waits-again"),
        pytest.param(WAITING, WAITING, False, id="waits-on"),
    ],
)
def test_an_event_is_recorded_only_for_news(old, new, news):
    """Times and generations make no news, and the normal waiting of a first apply does not either."""
    before = status(virtual_service(), old) if old is not None else {}
    after = status(virtual_service(), new, before, LATER, generation=2)
    assert is_news(Kind.VIRTUAL_SERVICE, before, after) is news
