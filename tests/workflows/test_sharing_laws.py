"""Laws of shared routers: several services, edited at any time, reconciled side by side in any order."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from activities.failures import Failure
from activities.objects import ApiObject
from resources.normal import same_spec
from tests.builders import Manifest, http_route, listener, virtual_service
from tests.workflows.simulation import Simulation
from tests.workflows.snapshots import node, service

NODES = ("cart", "cart-v2")
GIVEN = (ApiObject.mesh_object("shop"), *(node(f"{name}-prod") for name in NODES))
SERVICES = ("one", "three", "two")


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """One of the services: on a router of its own or on a shared one, or straight on a node."""
    name = draw(st.sampled_from(SERVICES))
    if draw(st.integers(0, 5)) == 0:
        provider = {"virtualNode": {"virtualNodeName": draw(st.sampled_from(NODES))}}
        return virtual_service(name, virtualRouter=None, routes=[], provider=provider)
    router = draw(st.sampled_from(("r", "q")))
    weights = st.dictionaries(st.sampled_from(NODES), st.integers(1, 2), min_size=1)
    routes = [http_route(f"{name}-{route}", draw(weights)) for route in draw(st.sets(st.sampled_from("ab")))]
    if draw(st.integers(0, 3)) == 0:
        routes.append(http_route("common", draw(weights)))
    listeners = [listener()] if draw(st.integers(0, 4)) else [listener(9090)]
    return virtual_service(name, virtualRouter={"name": router, "listeners": listeners}, routes=routes)


edits = st.one_of(manifests(), manifests(), manifests(), st.sampled_from(SERVICES))
"""A manifest to apply, or a name to delete."""


def routing(sim: Simulation, name: str) -> dict[str, Any] | None:
    """What callers of a service meet."""
    return sim.app_mesh.routing_of(service(name))


def own_routes(manifest: Manifest) -> dict[str, Any]:
    """Its routes by name, as a fresh apply of it alone makes them; under "" what answers if that is a node."""
    sim = Simulation(NODES, GIVEN)
    sim.apply(manifest)
    sim.settle()
    met = routing(sim, manifest["metadata"]["name"]) or {}
    return {key: spec for key, spec in met.items() if key or "provider" in spec}


def has(met: dict[str, Any], routes: dict[str, Any]) -> bool:
    """Whether a routing has all these routes."""
    return all(name in met and same_spec(spec, met[name]) for name, spec in routes.items())


def check_callers(sim: Simulation, versions: dict[str, list[dict[str, Any]]]) -> None:
    """Callers of each service that exists meet one complete version of its routes, and no route of another version.

    Of a route that two services define, the older one's is met, so that one is left out where it is contested.
    """
    for name in SERVICES:
        met = routing(sim, name)
        if met is None or not versions.get(name):
            continue
        mine = {route for version in versions[name] for route in version if route.startswith(name)}
        contested = (
            {"common"}
            if any("common" in v for other in SERVICES if other != name for v in versions.get(other, ()))
            else set()
        )
        fits = [
            version
            for version in versions[name]
            if has(met, {route: spec for route, spec in version.items() if route not in contested})
            and all(route in version for route in met if route in mine)
        ]
        assert fits, f"callers of {name} meet {sorted(met)}: {sim.calls[-12:]}"


@given(st.lists(edits, min_size=1, max_size=7), st.data())
@settings(derandomize=True)
def test_callers_of_a_shared_router_meet_complete_routes_and_the_end_is_as_a_fresh_apply(
    chain: list[Manifest | str], data: st.DataObject
) -> None:
    """Whatever is edited, whoever is slow, whoever forgets everything, and whatever App Mesh refuses for a while."""
    sim = Simulation(NODES, GIVEN)
    versions: dict[str, list[dict[str, Any]]] = {}
    for edit in chain:
        if isinstance(edit, str):
            sim.delete(edit)
        else:
            name = edit["metadata"]["name"]
            entity = sim.entities.get(name)
            if entity is None:
                versions[name] = []
            if entity is None or not entity.deleting:
                versions[name].append(own_routes(edit))
                sim.apply(edit)
        if data.draw(st.integers(0, 5), label="App Mesh changes its mind") == 0:
            refused = data.draw(st.sets(st.sampled_from(("one-a", "two-a", "three-b", "common")), max_size=2))
            sim.app_mesh.will_not_have = dict.fromkeys(sorted(refused), Failure.BAD_REQUEST)
            sim.try_again()
        if data.draw(st.integers(0, 9), label="forgets") == 0:
            sim.forget(data.draw(st.sampled_from(SERVICES), label="who forgets"))
        for who in data.draw(st.lists(st.sampled_from(SERVICES), max_size=25), label="who goes on"):
            sim.advance(who)
            check_callers(sim, versions)
    for _ in range(60):
        before = len(sim.calls)
        for who in data.draw(st.permutations(SERVICES), label="order"):
            sim.advance(who)
            check_callers(sim, versions)
        if len(sim.calls) == before:
            break
    sim.settle()
    check_callers(sim, versions)
    fresh = afresh(sim)
    if all(entity.outcome.achieved for entity in sim.entities.values()):
        for name in sim.entities:
            met, expected = routing(sim, name), routing(fresh, name)
            assert met is not None
            assert expected is not None
            assert met.keys() == expected.keys()
            assert all(same_spec(expected[key], met[key]) for key in met)
        assert len(sim.made()) == len(fresh.made()), sorted(map(str, sim.made()))
    settled = len(sim.calls)
    for name in SERVICES:
        sim.delete(name)
    sim.settle()
    assert sim.made() == set(), sim.calls[settled:]
    assert sim.entities == {}


def afresh(sim: Simulation) -> Simulation:
    """The same services, oldest first, in an empty App Mesh."""
    fresh = Simulation(NODES, GIVEN)
    ordered = sorted(sim.entities.values(), key=lambda entity: entity.manifest["metadata"]["creationTimestamp"])
    for entity in ordered:
        metadata = {key: entity.manifest["metadata"][key] for key in ("name", "namespace")}
        fresh.apply({**entity.manifest, "metadata": metadata, "status": {}})
    fresh.settle()
    return fresh
