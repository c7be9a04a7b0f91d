"""What users see of a reconcile: the status, and whether it makes an Event."""

from typing import Any

import pytest

from activities.messages import Record
from activities.objects import ApiKind, ApiObject
from resources.conditions import Reason
from resources.kinds import Kind
from tests.builders import Manifest, mesh, virtual_node, virtual_service
from tests.workflows.snapshots import desired, snapshot
from workflows.planning.outcome import ACHIEVED, Again, Outcome
from workflows.planning.plan import Observed
from workflows.planning.report import LONGEST_MESSAGE, changed_members, is_news, is_warning, status_of

NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"
BAD = Outcome(reason=Reason.BAD_REQUEST, message="bad prefix", again=Again.SLOWLY)
WAITING = Outcome(reason=Reason.WAITING_FOR_MESH, message="Mesh shop does not exist")


def status(
    manifest: Manifest,
    outcome: Outcome,
    before: dict[str, Any] | None = None,
    now: str = NOW,
    generation: int = 1,
    observed: Observed | None = None,
) -> dict[str, Any]:
    """The status after a reconcile that ended like this."""
    sighted = snapshot(manifest, generation=generation)
    return status_of(sighted, desired(manifest), observed or Observed(), None, outcome, before or {}, now)


def conditions(given: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Status and reason of each condition, by type."""
    return {found["type"]: (found["status"], found["reason"]) for found in given["conditions"]}


def stopped_at(kind: ApiKind | None) -> Outcome:
    """A refusal of an object of this kind."""
    return BAD.model_copy(update={"failed_kind": kind})


FINE, FAILED = ("True", "Active"), ("False", "BadRequest")


@pytest.mark.parametrize(
    ("outcome", "router", "routes", "service"),
    [
        pytest.param(ACHIEVED, FINE, FINE, FINE, id="achieved"),
        pytest.param(stopped_at(None), FAILED, FAILED, FAILED, id="before-anything"),
        pytest.param(stopped_at(ApiKind.VIRTUAL_ROUTER), FAILED, FAILED, FAILED, id="at-the-router"),
        pytest.param(stopped_at(ApiKind.ROUTE), FINE, FAILED, FAILED, id="at-a-route"),
        pytest.param(stopped_at(ApiKind.VIRTUAL_SERVICE), FINE, FINE, FAILED, id="at-the-service"),
    ],
)
def test_conditions_of_a_service_tell_how_far_it_came(
    outcome: Outcome, router: tuple[str, str], routes: tuple[str, str], service: tuple[str, str]
) -> None:
    """From the inside out, the main one last; what was passed is fine."""
    given = conditions(status(virtual_service(), outcome))
    assert given == {"VirtualRouterActive": router, "RoutesActive": routes, "VirtualServiceActive": service}
    assert list(given)[-1] == "VirtualServiceActive"


@pytest.mark.parametrize(
    ("manifest", "type"),
    [pytest.param(mesh(), "MeshActive", id="mesh"), pytest.param(virtual_node(), "VirtualNodeActive", id="node")],
)
def test_mesh_and_node_have_one_condition(manifest: Manifest, type: str) -> None:
    """They are one object each."""
    kind = ApiKind.MESH if manifest["kind"] == "Mesh" else ApiKind.VIRTUAL_NODE
    assert conditions(status(manifest, stopped_at(kind))) == {type: FAILED}
    assert conditions(status(manifest, ACHIEVED)) == {type: FINE}


def test_conditions_of_a_mesh_are_mirrored() -> None:
    """The reference calls the list meshCondition; `kubectl wait` looks at conditions."""
    given = status(mesh(), ACHIEVED)
    assert given["meshCondition"] == given["conditions"]
    assert "meshCondition" not in status(virtual_node(), ACHIEVED)


def test_condition_says_which_generation_it_is_about_and_why() -> None:
    """App Mesh's own words, cut to what a condition should hold."""
    (condition,) = status(mesh(), BAD, generation=3)["conditions"]
    assert (condition["observedGeneration"], condition["message"]) == (3, "bad prefix")
    long = BAD.model_copy(update={"message": "x" * 5000})
    assert len(status(mesh(), long)["conditions"][0]["message"]) == LONGEST_MESSAGE
    assert status(mesh(), BAD, generation=3)["observedGeneration"] == 3


@pytest.mark.parametrize(
    ("before", "after", "time"),
    [
        pytest.param(BAD, BAD, NOW, id="same"),
        pytest.param(BAD, WAITING, NOW, id="other-reason-same-status"),
        pytest.param(BAD, ACHIEVED, LATER, id="turned-true"),
        pytest.param(ACHIEVED, BAD, LATER, id="turned-false"),
    ],
)
def test_transition_time_moves_only_when_the_status_turns(before: Outcome, after: Outcome, time: str) -> None:
    """As Kubernetes defines it."""
    given = status(mesh(), after, status(mesh(), before), LATER)
    assert [condition["lastTransitionTime"] for condition in given["conditions"]] == [time]


def test_conditions_of_others_stay() -> None:
    """Another controller, or an older release, may have written some."""
    foreign = {"type": "Reviewed", "status": "True", "reason": "Yes"}
    given = status(virtual_node(), ACHIEVED, {"conditions": [foreign]})
    assert given["conditions"][0] == foreign


def test_member_of_a_deleted_mesh_is_marked() -> None:
    """Beside its main condition; a Mesh itself is never marked."""
    outcome = Outcome(reason=Reason.MESH_DELETED, message="Mesh shop is being deleted")
    assert conditions(status(virtual_node(), outcome)) == {
        "VirtualNodeActive": ("False", "MeshMarkedForDeletion"),
        "MeshMarkedForDeletion": ("True", "MeshMarkedForDeletion"),
    }
    assert set(conditions(status(mesh(), outcome))) == {"MeshActive"}


def test_spec_that_cannot_be_read_leaves_the_arns() -> None:
    """What exists still exists."""
    outcome = Outcome(reason=Reason.INVALID_SPEC, message="spec.meshName: missing")
    given = status_of(snapshot(virtual_node()), None, Observed(), None, outcome, {"virtualNodeArn": "arn:x"}, NOW)
    assert "virtualNodeArn" not in given


def test_reconcile_that_changes_nothing_writes_no_status() -> None:
    """Neither the time nor the order makes a difference."""
    there = Observed(records=(Record(object=ApiObject.mesh_object("shop"), arn="arn:mesh", version=1),))
    before = status(mesh(), ACHIEVED, observed=there)
    assert before["meshArn"] == "arn:mesh"
    assert changed_members(before, status(mesh(), ACHIEVED, before, LATER, observed=there)) == {}


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        pytest.param({}, {"a": 1}, {"a": 1}, id="new"),
        pytest.param({"a": 1}, {"a": 2}, {"a": 2}, id="other"),
        pytest.param({"a": 1}, {"a": None}, {"a": None}, id="removed"),
        pytest.param({}, {"a": None}, {}, id="removed-already"),
        pytest.param({"a": 1, "b": 1}, {"a": 1}, {}, id="not-said-again"),
    ],
)
def test_only_members_that_differ_make_a_write(
    before: dict[str, Any], after: dict[str, Any], changed: dict[str, Any]
) -> None:
    """None means that the member shall not be there."""
    assert changed_members(before, after) == changed


@pytest.mark.parametrize(
    ("before", "after", "news"),
    [
        pytest.param(None, ACHIEVED, True, id="first-success"),
        pytest.param(ACHIEVED, ACHIEVED, False, id="still-fine"),
        pytest.param(None, WAITING, False, id="ordinary-waiting"),
        pytest.param(WAITING, ACHIEVED, True, id="waited-long-enough"),
        pytest.param(ACHIEVED, WAITING, True, id="has-to-wait-again"),
        pytest.param(ACHIEVED, BAD, True, id="refused"),
        pytest.param(BAD, BAD, False, id="refused-again"),
        pytest.param(BAD, BAD.model_copy(update={"message": "worse"}), True, id="refused-for-another-reason"),
        pytest.param(BAD, WAITING, False, id="waits-after-a-refusal"),
    ],
)
@pytest.mark.parametrize(("kind", "manifest"), [(Kind.MESH, mesh()), (Kind.VIRTUAL_NODE, virtual_node())], ids=str)
def test_event_is_made_where_people_would_want_one(
    kind: Kind, manifest: Manifest, before: Outcome | None, after: Outcome, news: bool
) -> None:
    """When the main condition turns or fails in another way; not for ordinary waiting, and not twice."""
    old = status(manifest, before) if before is not None else {}
    new = status(manifest, after, old, LATER, generation=2)
    assert is_news(kind, old, new) is news


@pytest.mark.parametrize(
    ("outcome", "warning"),
    [
        pytest.param(ACHIEVED, False, id="active"),
        pytest.param(WAITING, False, id="waits"),
        pytest.param(Outcome(reason=Reason.MESH_DELETED), False, id="leaves-with-its-mesh"),
        pytest.param(BAD, True, id="refused-by-app-mesh"),
        pytest.param(Outcome(reason=Reason.INVALID_SPEC), True, id="refused-by-us"),
        pytest.param(Outcome(reason=Reason.NO_LISTENER), True, id="lacks-a-listener"),
        pytest.param(Outcome(reason=Reason.APP_MESH_UNAVAILABLE, again=Again.SOON), True, id="no-answer"),
    ],
)
def test_event_is_a_warning_where_somebody_may_have_to_act(outcome: Outcome, warning: bool) -> None:
    """Whether we try again by ourselves does not matter for that."""
    assert is_warning(outcome) is warning
