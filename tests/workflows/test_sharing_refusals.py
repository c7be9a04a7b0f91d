"""Routes on a shared router that only App Mesh refuses: the service that brings one waits, the others do not."""

import pytest

from activities.failures import Failure
from resources.conditions import Reason
from tests.builders import Manifest, grpc_route, http_route, listener, virtual_service
from tests.workflows.simulation import Simulation
from tests.workflows.test_sharing_laws import GIVEN, NODES, routing

SHARED = {"name": "r", "listeners": [listener()]}


def sharing(name: str, *routes: str, node: str = "cart") -> Manifest:
    """A service on the router `r`."""
    return virtual_service(name, virtualRouter=SHARED, routes=[http_route(route, {node: 1}) for route in routes])


def simulation(*manifests: Manifest, refused: tuple[str, ...] = (), most: int | None = None) -> Simulation:
    """These services, settled."""
    sim = Simulation(NODES, GIVEN)
    sim.app_mesh.will_not_have = dict.fromkeys(refused, Failure.BAD_REQUEST)
    sim.app_mesh.most_routes = most
    for manifest in manifests:
        sim.apply(manifest)
    sim.settle()
    return sim


def met(sim: Simulation, name: str) -> set[str]:
    """The routes that callers of a service meet."""
    return set(routing(sim, name) or {}) - {""}


def reasons(sim: Simulation) -> dict[str, Reason]:
    """How each service stands."""
    return {name: entity.outcome.reason for name, entity in sim.entities.items()}


def test_a_new_sharer_with_a_refused_route_leaves_the_others_as_they_are():
    """It is told App Mesh's answer by the leader, route named, and gets nothing; the others stay active."""
    sim = simulation(sharing("one", "a"), sharing("two", "b", "bad"), sharing("three", "c"), refused=("bad",))
    assert reasons(sim) == {"one": Reason.ACTIVE, "two": Reason.BAD_REQUEST, "three": Reason.ACTIVE}
    assert met(sim, "one") == met(sim, "three") == {"a", "c"}
    assert sim.entities["two"].outcome.message == "route bad of router r-prod: not this one"


def test_a_leader_with_a_refused_route_sees_to_the_routes_of_the_others():
    """Its own edit waits; what it had stays, and so do callers' routes."""
    sim = simulation(sharing("one", "a"), sharing("two", "b"))
    sim.app_mesh.will_not_have = {"bad": Failure.BAD_REQUEST}
    sim.apply(sharing("one", "a", "bad", node="cart-v2"))
    sim.settle()
    sim.apply(sharing("two", "b", "c"))
    sim.settle()
    assert reasons(sim) == {"one": Reason.BAD_REQUEST, "two": Reason.ACTIVE}
    assert met(sim, "one") == met(sim, "two") == {"a", "b", "c"}
    assert (routing(sim, "one") or {})["a"]["httpRoute"]["action"]["weightedTargets"][0]["virtualNode"] == "cart-prod"


def test_a_leaders_refused_edit_leaves_what_it_would_have_removed():
    """Half of the new routing is not taken for the whole: the route that the edit drops is still what callers meet."""
    sim = simulation(sharing("one", "a", "b"), sharing("two", "c"))
    sim.app_mesh.will_not_have = {"bad": Failure.BAD_REQUEST}
    sim.apply(sharing("one", "a", "bad", node="cart-v2"))
    sim.settle()
    assert reasons(sim) == {"one": Reason.BAD_REQUEST, "two": Reason.ACTIVE}
    for _ in range(3):
        sim.settle()
        assert met(sim, "one") == met(sim, "two") == {"a", "b", "c"}


def test_one_that_leaves_before_its_leader_has_seen_it_goes_on_naming_it():
    """Or nobody would tell it when that one has caught up, and it would wait for ever."""
    sim = Simulation(NODES, GIVEN)
    sim.apply(sharing("two", "b"))
    sim.apply(sharing("one", "a"))
    sim.advance("one")
    sim.finish("one")  # follows `two`, which has not reported yet
    own = virtual_service("one", virtualRouter={"name": "own", "listeners": [listener()]}, routes=[http_route("a")])
    sim.apply(own)
    sim.advance("one")
    sim.finish("one")
    one = sim.entities["one"]
    assert one.outcome.reason is Reason.WAITING_FOR_ROUTER
    assert one.manifest["status"]["routerLeader"]["name"] == "two"
    sim.settle()
    assert set(reasons(sim).values()) == {Reason.ACTIVE}


def test_two_that_exchange_routers_of_different_protocols_do_not_wait_for_each_other():
    """What each keeps on the old router need not fit the new one."""

    def on(name: str, router: str, protocol: str) -> Manifest:
        route = {"http": http_route, "grpc": grpc_route}[protocol]
        listeners = [listener(protocol=protocol)]
        return virtual_service(
            name, virtualRouter={"name": router, "listeners": listeners}, routes=[route(f"{name}-a")]
        )

    sim = simulation(on("one", "r", "http"), on("two", "q", "grpc"))
    sim.apply(on("one", "q", "http"))
    sim.apply(on("two", "r", "grpc"))
    sim.settle()
    assert set(reasons(sim).values()) == {Reason.ACTIVE}
    assert (met(sim, "one"), met(sim, "two")) == ({"one-a"}, {"two-a"})


@pytest.mark.parametrize("most", [1, 2, 3])
def test_of_a_quota_the_oldest_get_what_there_is(most):
    """Whichever of the creates, which run side by side, App Mesh happens to refuse."""
    sim = simulation(sharing("one", "a"), sharing("two", "b"), sharing("three", "c"), most=most)
    assert met(sim, "one") == set("abc"[:most])
    assert list(reasons(sim).values()) == [Reason.ACTIVE] * most + [Reason.LIMIT_EXCEEDED] * (3 - most)


def test_an_edit_of_the_refused_one_is_tried_at_once():
    """A refusal is of one generation."""
    sim = simulation(sharing("one", "a"), sharing("two", "bad"), refused=("bad",))
    sim.apply(sharing("two", "good"))
    sim.settle()
    assert set(reasons(sim).values()) == {Reason.ACTIVE}
    assert met(sim, "two") == {"a", "good"}


def test_what_was_refused_is_tried_again_after_a_long_delay_and_not_before():
    """As App Mesh may have changed its mind, which nobody tells."""
    sim = simulation(sharing("one", "a"), sharing("two", "bad"), refused=("bad",))
    sim.app_mesh.will_not_have = {}
    calls = len(sim.calls)
    sim.settle()
    assert sim.calls[calls:] == []
    sim.try_again()
    sim.settle()
    assert set(reasons(sim).values()) == {Reason.ACTIVE}
    assert met(sim, "one") == {"a", "bad"}


def test_all_goes_when_everybody_goes():
    """Half-made routers of refused swaps too."""
    sim = simulation(sharing("one", "a", "b"), sharing("two", "c"))
    sim.app_mesh.will_not_have = {"bad": Failure.BAD_REQUEST}
    sim.apply(sharing("two", "bad", "worse", node="cart-v2"))
    sim.settle()
    assert {object.name for object in sim.made()} == {"one", "two", "r-prod", "a", "b", "c"}
    for name in ("one", "two"):
        sim.delete(name)
    sim.settle()
    assert sim.made() == set()
