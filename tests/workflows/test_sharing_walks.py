"""Orders of events that once went wrong with shared routers, some of them in a half-mended version; kept by number."""

import pytest

from activities.objects import ApiKind, ApiObject
from tests.builders import Manifest, http2_route, http_route, listener, virtual_service
from tests.workflows.sharing_walks import Walk
from tests.workflows.simulation import Simulation
from tests.workflows.snapshots import node
from tests.workflows.test_sharing_laws import GIVEN, routing

ONCE_FAILED = {
    "the heir of a router goes before it has taken it over": Walk(518),
    "one that follows for another router is no heir": Walk(211),
    "two give a router to each other in one moment": Walk(1049),
    "one that left to an heir comes back while the heir is at it": Walk(935),
    "one that has turned and not said so is refused": Walk(20688, hasty=True),
    "one that follows two leaders tells both": Walk(2510, whole=True, hasty=True),
    "one that leads by now is not on its way to the router of one that goes": Walk(3121),
    "an heir that follows for another router is waited for in vain": Walk(1483, whole=True, hasty=True),
}


@pytest.mark.parametrize("walk", ONCE_FAILED.values(), ids=ONCE_FAILED)
def test_what_once_went_wrong_goes_right(walk):
    """Callers meet whole routings all along, and the end is as a fresh apply."""
    walk.run()


def test_one_that_waits_for_a_node_keeps_the_routes_that_it_is_reached_by():
    """Both leave the router, for nodes; one of these is missing, so that one stays where it is until it comes."""
    sim = Simulation(("cart",), GIVEN)
    router = {"name": "q", "listeners": [listener()]}
    sim.apply(virtual_service("one", virtualRouter=router, routes=[http_route("common", {"cart": 1})]))
    sim.apply(virtual_service("two", virtualRouter=router, routes=[http_route("two-a", {"cart": 1})]))
    sim.settle()
    before = routing(sim, "two")
    for name, target in (("one", "cart"), ("two", "cart-v2")):
        provider = {"virtualNode": {"virtualNodeName": target}}
        sim.apply(virtual_service(name, virtualRouter=None, routes=[], provider=provider))
    sim.settle()
    after = routing(sim, "two")
    assert before is not None
    assert after is not None
    assert after["two-a"] == before["two-a"]
    assert sim.entities["one"].outcome.achieved
    for name in ("one", "two"):
        sim.delete(name)
    sim.settle()
    assert sim.made() == set()


def test_a_router_that_was_left_to_one_who_has_moved_to_another_mesh_goes():
    """Its new mesh has a router of that name too, and the heir sees to both."""
    sim = Simulation(("cart",), (*GIVEN, ApiObject.mesh_object("mall"), node("far-prod", "mall")))

    def on(name: str, router: str, target: str = "cart", mesh: str = "shop") -> Manifest:
        routes = [http2_route(f"{name}-a", {target: 1})]
        named = {"name": router, "listeners": [listener(protocol="http2")]}
        return virtual_service(name, meshName=mesh, virtualRouter=named, routes=routes)

    for name in ("one", "two"):
        sim.apply(on(name, "q"))
        sim.settle()
    sim.apply(on("one", "r"))
    sim.advance("one")
    sim.finish("one")
    sim.apply(on("two", "q", "far-prod", "mall"))
    sim.settle()
    routers = {(object.mesh, object.name) for object in sim.made() if object.kind is ApiKind.VIRTUAL_ROUTER}
    assert routers == {("shop", "r-prod"), ("mall", "q-prod")}
