"""What may exist for a resource that nobody remembers, and where to look for it."""

import pytest

from resources.kinds import Kind
from tests.builders import mesh, virtual_node, virtual_service
from tests.watcher.sightings import sighting
from tests.workflows.planning import holdings
from workflows.planning.kinds import desired_of
from workflows.planning.memory import may_exist, places_to_look, routers_among, without_looking
from workflows.planning.sharing import strays

NODE, ROUTER, SERVICE = holdings.node("cart-prod"), holdings.router("cart-router-prod"), holdings.service()
FINE = {"type": "VirtualServiceActive", "status": "True"}
WAITING = FINE | {"status": "False"}


@pytest.mark.parametrize(
    ("snapshot", "answer"),
    [
        pytest.param(sighting(virtual_node()), False, id="new"),
        pytest.param(sighting(mesh(), status={"meshArn": holdings.MESH_ARN}), True, id="mesh-arn"),
        pytest.param(sighting(virtual_node(), status={"virtualNodeArn": holdings.arn(NODE)}), True, id="node-arn"),
        pytest.param(sighting(virtual_service(), status={"virtualRouterArn": holdings.arn(ROUTER)}), True, id="router"),
        pytest.param(sighting(virtual_service(), status={"conditions": [FINE]}), True, id="true-condition"),
        pytest.param(sighting(virtual_service(), status={"conditions": [WAITING]}), False, id="false-condition"),
        pytest.param(sighting(mesh(), status={"meshCondition": [FINE]}), True, id="mesh-condition"),
        pytest.param(
            sighting(mesh(), deleting=True, finalizers=(Kind.MESH.finalizer,)), True, id="deleting-with-our-finalizer"
        ),
        pytest.param(
            sighting(mesh(), deleting=True, finalizers=("theirs",), status={"meshArn": holdings.MESH_ARN}),
            False,
            id="deleting-without-it",
        ),
    ],
)
def test_only_traces_of_earlier_work_are_worth_a_look(snapshot, answer):
    """A new resource costs no read: a clash shows as a Conflict."""
    assert may_exist(snapshot) is answer


def test_both_what_the_status_records_and_what_the_spec_names_are_looked_at():
    """A router that was renamed is found by its ARN; each place comes once."""
    old = holdings.router("old-router-prod")
    status = {"virtualServiceArn": holdings.arn(SERVICE), "virtualRouterArn": holdings.arn(old)}
    snapshot = sighting(virtual_service(), status=status)
    places = places_to_look(snapshot, desired_of(snapshot))
    assert places == (SERVICE, old, ROUTER)
    assert routers_among(places) == (old, ROUTER)


def test_what_is_left_in_another_mesh_is_looked_at():
    """Its ARN is among the versions. What is in the mesh that the spec names is found by name, or by other members."""
    versions = {holdings.arn(each): 1 for each in (SERVICE, ROUTER, holdings.route("a", ROUTER.name))}
    moved = sighting(virtual_service(meshName="other"), status={"versions": versions})
    assert may_exist(moved)
    here = [each.model_copy(update={"mesh": "other"}) for each in (ROUTER, SERVICE)]
    assert places_to_look(moved, desired_of(moved)) == (SERVICE, *here)
    stayed = sighting(virtual_service(), status={"versions": versions})
    assert not may_exist(stayed)
    assert places_to_look(stayed, desired_of(stayed)) == (ROUTER, SERVICE)
    assert places_to_look(sighting(mesh(), status={"versions": {holdings.MESH_ARN: 1}}), None) == ()


def test_a_spec_that_cannot_be_read_leaves_the_status_to_go_by():
    """So that even an invalid resource can be deleted without an orphan."""
    snapshot = sighting(virtual_node(), status={"virtualNodeArn": holdings.arn(NODE)})
    assert places_to_look(snapshot, None) == (NODE,)


def test_an_arn_of_something_else_is_no_place():
    """A status is anybody's to write."""
    assert places_to_look(sighting(mesh(), status={"meshArn": "arn:aws:s3:::bucket"}), None) == ()


def test_who_has_not_looked_takes_nothing_back():
    """A workflow whose history was lost may have to wait before it looks; what was made must still be found."""
    status = {"virtualRouterArn": None, "routeArns": None, "retiredRouters": None, "inferredListeners": None}
    assert without_looking(status | {"observedGeneration": 7}) == {"inferredListeners": None, "observedGeneration": 7}
    assert without_looking({"virtualRouterArn": holdings.arn(ROUTER)}) == {"virtualRouterArn": holdings.arn(ROUTER)}


def test_a_router_that_may_have_been_made_is_one_that_others_may_claim():
    """The answer to its create was lost, and the spec names another by now."""
    unsure = [ROUTER, holdings.route("a", ROUTER.name)]
    elsewhere = sighting(virtual_service(virtualRouter={"name": "other"}))
    (claim,) = strays(elsewhere, holdings.holding([]), unsure)
    assert (claim.mesh, claim.name) == ("shop", "cart-router-prod")
    assert not strays(sighting(virtual_service(virtualRouter={"name": "cart-router"})), holdings.holding([]), unsure)
