"""Random walks of the real workflows, and stories that walks have brought to light; see `tests.workflows.walks`."""

import random

import pytest

from activities.failures import Failure
from activities.objects import ApiObject
from resources.annotations import DELETION_POLICY
from tests.builders import Manifest, http_route, listener, mesh, virtual_node, virtual_service
from tests.workflows.snapshots import service as api_service
from tests.workflows.walks.edits import place
from tests.workflows.walks.laws import Callers, check_end, check_nothing_left, standing
from tests.workflows.walks.walk import Walk, afresh, calm, rest
from tests.workflows.walks.world import World
from workflows.planning.routing import live_router

ORDERS = range(5)
"""A story is told several times, in other orders of what happens side by side."""


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_the_end_is_as_a_fresh_apply_and_callers_meet_whole_routings(seed):
    """Calls fail or are lost, histories too, people change their minds: some walks, each made from its number."""
    Walk.by_number(seed).run()


def test_a_number_is_a_walk():
    """The same number brings the same walk, down to the last step: or no failure could be looked into."""
    walks = [Walk.by_number(3), Walk.by_number(3)]
    for walk in walks:
        walk.run()
    assert walks[0].world.log == walks[1].world.log


class Story:
    """A world with a mesh and nodes, whose callers are watched."""

    def __init__(self, order: int) -> None:
        self.world, self.callers = World(random.Random(order)), Callers()
        self.world.after_write = lambda: self.callers.check(self.world)
        for manifest in (mesh(), virtual_node("cart"), virtual_node("cart-v2")):
            self.world.cluster.apply(manifest)
        calm(self.world)

    def apply(self, *services: Manifest) -> None:
        """Apply, and let all happen that needs no time."""
        for manifest in services:
            self.callers.may_meet(manifest)
            self.world.cluster.apply(manifest)
        rest(self.world)

    def end(self) -> None:
        """All is well in the end."""
        calm(self.world)
        assert set(standing(self.world.cluster).values()) == {"Active"}
        check_end(self.world, afresh(self.world))
        self.world.close()


@pytest.fixture(params=ORDERS)
def story(request):
    """A story in one of several orders."""
    return Story(request.param)


def service(
    name: str = "one", routes: str = "ab", targets: dict[str, int] | None = None, router: str = "r"
) -> Manifest:
    """A service on a router, with routes by letters."""
    made = [http_route(f"{name}-{each}", targets) for each in routes]
    return virtual_service(name, virtualRouter={"name": router, "listeners": [listener()]}, routes=made)


def test_a_leader_whose_targets_changed_their_order_takes_up_newcomers(story):
    """What App Mesh holds differs in form alone, which is no reason to keep others waiting for good."""
    story.apply(service(targets={"cart": 1, "cart-v2": 2}))
    story.apply(service(targets={"cart-v2": 2, "cart": 1}))
    story.apply(service("two", routes="a"))  # one call, and so on the same router
    story.end()


def test_a_service_that_stayed_is_found_before_its_router_is_touched(story):
    """A new life of the resource finds the router in its way, and is then kept from looking at it for a while."""
    kept = service(routes="ab")
    kept["metadata"]["annotations"] = {DELETION_POLICY: "Retain"}
    story.apply(kept)
    story.world.cluster.delete(place(kept))
    calm(story.world)
    story.world.app_mesh.faults["DescribeRoute"] = [Failure.FORBIDDEN]
    story.apply(service(routes="cd"))
    assert standing(story.world.cluster)["VirtualService one"] == "Forbidden"
    story.end()


def test_a_create_that_is_lost_after_a_look_is_looked_for_again(story):
    """The edit that comes meanwhile must not take the router for one that nobody is on."""
    story.world.app_mesh.faults["CreateVirtualService"] = [Failure.UNAVAILABLE]
    story.apply(service(routes="ab"))
    story.world.next_lost = ["CreateVirtualService"]
    [(_, name, seq)] = story.world.timers()
    story.world.fire(name, seq)
    rest(story.world)
    assert standing(story.world.cluster)["VirtualService one"] == "AppMeshUnavailable"
    story.apply(service(routes="cd"))
    story.end()


def test_one_that_takes_over_a_router_says_where_it_is_though_it_cannot_look_at_it(story):
    """Or the one that leaves would take it that nobody is on the router, and empty it under the callers."""
    story.apply(service("one"))
    story.apply(service("two"))
    cluster, app_mesh = story.world.cluster, story.world.app_mesh
    app_mesh.faults["ListRoutes"] = [Failure.FORBIDDEN] * 9
    cluster.delete(place(service("one")))
    rest(story.world)
    assert standing(cluster)["VirtualService two"] == "Forbidden"
    says = ApiObject.from_arn(cluster.resources[place(service("two"))]["status"]["virtualRouterArn"])
    assert says == live_router(api_service("two"), app_mesh.observed())
    app_mesh.faults.clear()
    story.end()


def test_a_route_whose_deletion_was_lost_is_made_again_when_its_router_is_wanted_again(story):
    """The edit before is taken back while the routing of then is half gone: what went is not remembered as there."""
    for targets in ({"cart": 1}, {"cart": 2, "cart-v2": 1}):
        story.apply(service(targets=targets))
    story.world.next_lost = ["DeleteRoute"]
    story.apply(service(targets={"cart-v2": 1}))
    assert standing(story.world.cluster)["VirtualService one"] == "AppMeshUnavailable"
    story.apply(service(targets={"cart": 2, "cart-v2": 1}))
    story.end()


def test_a_mesh_that_is_deleted_while_nobody_watches_takes_its_members_along(story):
    """They were at rest, and the watcher that begins anew has never seen the mesh otherwise."""
    story.world.cluster.delete(place(mesh()))
    story.world.restart_watcher()
    calm(story.world)
    check_nothing_left(story.world)
