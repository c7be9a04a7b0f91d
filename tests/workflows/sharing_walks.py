"""Random walks over services that share routers: `python -m tests.workflows.sharing_walks [FIRST [HOW_MANY]]`.

A walk is made from its number alone: edits and deletions, and in between reconciles that go on call by call, in any
order. It checks what the laws in `test_sharing_laws` check. Walks go where Hypothesis rarely does, so run some
thousands after a change of `workflows.planning.sharing`; what fails becomes a test by its number.
"""

import random
import sys
from dataclasses import dataclass

from resources.normal import same_spec
from tests.builders import Manifest, http_route, listener, virtual_service
from tests.workflows.simulation import Simulation
from tests.workflows.test_sharing_laws import GIVEN, NODES, SERVICES, afresh, check_callers, own_routes, routing


@dataclass(frozen=True)
class Walk:
    """One walk by its number."""

    seed: int
    whole: bool = False
    """A reconcile that has begun ends before anything else happens."""
    hasty: bool = False
    """A service may be given another router in the middle of a reconcile: more than we promise (see the limits)."""

    def run(self) -> None:
        """Take the walk.

        Raises:
            AssertionError: callers met what they should not, or the end is not as a fresh apply.
        """
        chance = random.Random(self.seed)
        sim = Simulation(NODES, GIVEN, hasty=self.hasty)
        versions: dict[str, list[dict[str, object]]] = {}

        def advance(name: str) -> None:
            sim.advance(name)
            if self.whole:
                sim.finish(name)
            check_callers(sim, versions)

        for _ in range(chance.randint(1, 7)):
            edit = manifest(chance) if chance.randrange(4) else chance.choice(SERVICES)
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
            if chance.randrange(10) == 0:
                sim.forget(chance.choice(SERVICES))
            for _ in range(chance.randint(0, 25)):
                advance(chance.choice(SERVICES))
        for _ in range(60):
            before = len(sim.calls)
            order = list(SERVICES)
            chance.shuffle(order)
            for name in order:
                advance(name)
            if len(sim.calls) == before:
                break
        sim.settle()
        check_callers(sim, versions)
        check_end(sim)


def check_end(sim: Simulation) -> None:
    """All is as a fresh apply makes it, nobody waits for good, and deleting everything leaves nothing."""
    fresh = afresh(sim)
    waiting = {name: entity.outcome.message for name, entity in sim.entities.items() if not entity.outcome.achieved}
    if waiting:
        assert not all(entity.outcome.achieved for entity in fresh.entities.values()), waiting
    else:
        for name in sim.entities:
            met, expected = routing(sim, name), routing(fresh, name)
            assert met is not None
            assert expected is not None
            assert met.keys() == expected.keys(), name
            assert all(same_spec(expected[key], met[key]) for key in met), name
        assert len(sim.made()) == len(fresh.made()), sorted(map(str, sim.made()))
    for name in SERVICES:
        sim.delete(name)
    sim.settle()
    assert sim.made() == set()
    assert sim.entities == {}


def manifest(chance: random.Random) -> Manifest:
    """One of the services: on a router of its own or on a shared one, or straight on a node."""
    name = chance.choice(SERVICES)
    if chance.randrange(6) == 0:
        provider = {"virtualNode": {"virtualNodeName": chance.choice(NODES)}}
        return virtual_service(name, virtualRouter=None, routes=[], provider=provider)
    router = chance.choice("rq")
    routes = [http_route(f"{name}-{each}", weights(chance)) for each in chance.sample("ab", chance.randint(0, 2))]
    if chance.randrange(4) == 0:
        routes.append(http_route("common", weights(chance)))
    listeners = [listener() if chance.randrange(5) else listener(9090)]
    return virtual_service(name, virtualRouter={"name": router, "listeners": listeners}, routes=routes)


def weights(chance: random.Random) -> dict[str, int]:
    """Some of the nodes, each with a weight."""
    return {name: chance.randint(1, 2) for name in chance.sample(NODES, chance.randint(1, 2))}


def main(first: int = 0, how_many: int = 1000) -> int:
    """Take many walks of each kind and tell which failed."""
    failed = 0
    for seed in range(first, first + how_many):
        for walk in (Walk(seed), Walk(seed, whole=True, hasty=True)):
            try:
                walk.run()
            except AssertionError as error:
                failed += 1
                sys.stdout.write(f"{walk}: {str(error)[:200]}\n")
    sys.stdout.write(f"{failed} of {2 * how_many} walks failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
