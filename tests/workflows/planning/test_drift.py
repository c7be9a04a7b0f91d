"""What a second look tells."""

import pytest

from activities.messages import Record
from activities.objects import ApiKind, ApiObject
from resources.conditions import Reason
from resources.drift import DriftPolicy, ignores_drift
from resources.errors import InvalidResource
from resources.ownership import Origin
from workflows.planning.drift import again, checked_policy, concerned, drift, seen_again
from workflows.planning.outcome import ACHIEVED, Again, Outcome
from workflows.planning.plan import Observed

MESH = "shop"
NODE = ApiObject(kind=ApiKind.VIRTUAL_NODE, mesh=MESH, name="cart-prod")
ROUTER = ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh=MESH, name="cart-prod")
A, B = (ApiObject(kind=ApiKind.ROUTE, mesh=MESH, name=name, router="cart-prod") for name in "ab")
PORTS = [{"portMapping": {"port": 8080, "protocol": "http"}}]


def record(object: ApiObject, version: int = 1, **spec: object) -> Record:
    """What App Mesh holds."""
    return Record(object=object, arn=f"arn:{object}", version=version, spec=spec)


def observed(*records: Record) -> Observed:
    """All that is known."""
    return Observed(records=records)


def test_only_what_a_resource_made_concerns_it():
    """Its objects, and every route on its router, also one that it did not make."""
    known = observed(record(ROUTER), record(A))
    stranger = A.model_copy(update={"router": "another"})
    assert concerned((NODE, ROUTER, A, B, stranger, A), known) == (ROUTER, A, B)
    assert concerned((NODE, ROUTER, A), observed()) == ()


def test_what_is_found_replaces_what_was_remembered_and_the_rest_stays():
    """Only what was looked at can have changed."""
    known = observed(record(ROUTER), record(A, x=1), record(NODE))
    assert seen_again(known, (A, B), [record(A, 2, x=2), record(B)]) == observed(
        record(ROUTER), record(NODE), record(A, 2, x=2), record(B)
    )
    assert seen_again(known, (A,), []) == observed(record(ROUTER), record(NODE))


def test_a_router_that_is_gone_has_taken_its_routes_along():
    """They need no look of their own."""
    assert seen_again(observed(record(ROUTER), record(A), record(NODE)), (ROUTER,), []) == observed(record(NODE))


def test_a_spec_that_only_looks_different_is_kept_as_it_was_sent():
    """App Mesh echoes without empty parts; the version is the new one."""
    known = observed(record(NODE, listeners=PORTS, backends=[]))
    assert seen_again(known, (NODE,), [record(NODE, 3, listeners=PORTS)]) == observed(
        record(NODE, 3, listeners=PORTS, backends=[])
    )


def test_what_another_cluster_lends_is_its_own_business():
    """It may edit its mesh; a look at ours does not change whose it is."""
    lent = record(ApiObject.mesh_object(MESH), x=1).model_copy(update={"origin": Origin.LENT})
    found = record(NODE, x=1).model_copy(update={"origin": Origin.FOUND})
    known = observed(lent, found)
    assert concerned((lent.object, NODE), known) == (NODE,)
    assert drift(known, observed(record(lent.object, 2, x=2), found)) == ()
    assert seen_again(known, (NODE,), [record(NODE, 2, x=2)]).find(NODE) == found.model_copy(
        update={"version": 2, "spec": {"x": 2}}
    )


def test_drift_names_each_object_and_what_became_of_it():
    """Edited with both values, deleted, added."""
    before = observed(record(NODE, listeners=PORTS), record(A), record(ROUTER))
    edited = [{"portMapping": {"port": 9090, "protocol": "http"}}]
    assert drift(before, observed(record(NODE, 2, listeners=edited), record(B), record(ROUTER, 5))) == (
        "virtual node cart-prod was edited (listeners[0].portMapping.port: 9090 -> 8080)",
        "route a of router cart-prod was deleted",
        "route b of router cart-prod was added",
    )


def test_the_annotation_says_what_becomes_of_drift():
    """Repair unless told otherwise; what cannot be read is refused, and protects nothing."""
    assert checked_policy({}) is checked_policy({"meshwright.dev/drift": "repair"}) is DriftPolicy.REPAIR
    assert checked_policy({"meshwright.dev/drift": "ignore"}) is DriftPolicy.IGNORE
    assert ignores_drift({"meshwright.dev/drift": "ignore"})
    assert not ignores_drift({})
    assert not ignores_drift({"meshwright.dev/drift": "Ignore"})
    with pytest.raises(InvalidResource, match="must be one of repair, ignore"):
        checked_policy({"meshwright.dev/drift": "maybe"})


@pytest.mark.parametrize(
    ("drifted", "faults", "expected"),
    [
        pytest.param(True, 0, Again.SOON, id="found-just-now"),
        pytest.param(False, 1, Again.SOON, id="tried-again-since"),
        pytest.param(False, 8, Again.SLOWLY, id="tried-often-enough"),
        pytest.param(False, 0, Again.SLOWLY, id="no-drift"),
    ],
)
def test_a_repair_that_waits_for_another_is_tried_soon(drifted, faults, expected):
    """Whatever is missing is likely to be under repair too."""
    waiting = Outcome(reason=Reason.WAITING_FOR_REFERENCE, again=Again.SLOWLY)
    assert again(waiting, drifted, faults) is expected
    assert again(ACHIEVED, drifted, faults) is Again.NEVER
