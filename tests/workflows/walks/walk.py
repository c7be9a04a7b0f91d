"""One walk by its number: what people do, what goes wrong, in which order; and what has to hold all along."""

import random
from copy import deepcopy
from dataclasses import dataclass, field, fields, replace

from resources.kinds import Kind
from tests.builders import Manifest
from tests.workflows.walks import edits
from tests.workflows.walks.edits import Habits
from tests.workflows.walks.laws import Callers, check_end, check_nothing_left
from tests.workflows.walks.world import CALM, Weather, World
from watcher.index import Name

PATIENCE = 200
"""Timers that may end before all has to be still."""


@dataclass(frozen=True)
class Trouble:
    """What goes wrong besides calls."""

    histories: bool = False
    """Histories are lost, of resources that are settled; then the watcher begins anew."""
    watcher: bool = False
    """The watcher begins anew."""


@dataclass(frozen=True)
class Walk:
    """A walk; the same number and the same settings give the same walk."""

    seed: int
    habits: Habits
    weather: Weather
    trouble: Trouble
    edits: int
    world: World = field(init=False, compare=False, repr=False)

    @classmethod
    def by_number(cls, seed: int) -> "Walk":
        """The walk of a number, with habits and weather of its own."""
        chance = random.Random(f"settings {seed}")
        habits = Habits.of(chance)
        weather = Weather(**{each.name: chance.choice((0, 0, 3, 10)) for each in fields(Weather)})
        # A history that is lost just before a finalizer is taken off by force leaves nobody who knows what was made.
        trouble = Trouble(histories=chance.randrange(4) == 0 and not habits.force, watcher=chance.randrange(4) == 0)
        return cls(seed, habits, weather, trouble, chance.randint(2, 9))

    def run(self) -> None:
        """Take it.

        Raises:
            AssertionError: something that has to hold did not.
        """
        chance = random.Random(self.seed)
        world = World(chance, self.weather)
        object.__setattr__(self, "world", world)
        callers = Callers()
        world.after_write = lambda: callers.check(world)
        try:
            self._live(world, callers)
            calm(world)
            self._repair(world, callers)
            check_end(world, afresh(world), more=self.habits.retain or self.habits.force)
            if self.habits.retain:
                return
            world.log.append("everything is deleted")
            places = list(world.cluster.resources)
            chance.shuffle(places)
            for place in places:
                world.cluster.delete(place)
                for _ in range(chance.choice((0, 0, 5, 50))):
                    world.step()
            calm(world)
            check_nothing_left(world)
        finally:
            world.close()

    def _live(self, world: World, callers: Callers) -> None:
        chance, habits = world.chance, self.habits
        for manifest in edits.everything(habits):
            world.cluster.apply(manifest)
        for _ in range(self.edits):
            self._edit(world, callers)
            if habits.nodes and chance.randrange(3) == 0:
                self._touch(world, edits.node(chance, habits))
            if habits.meshes and chance.randrange(6) == 0:
                self._touch(world, edits.everything(habits)[0])
            if self.trouble.watcher and chance.randrange(4) == 0:
                world.restart_watcher()
            if self.trouble.histories and chance.randrange(4) == 0:
                lose_histories(world)
            for _ in range(chance.choice((0, 1, 5, 20, 60, 200))):
                self._happen(world)

    def _happen(self, world: World) -> None:
        timers = world.timers()
        if timers and world.chance.randrange(20) == 0:
            _, name, seq = world.chance.choice(timers)
            world.fire(name, seq)
        else:
            world.step()

    def _edit(self, world: World, callers: Callers) -> None:
        chance = world.chance
        manifest = edits.service(chance, self.habits)
        place = edits.place(manifest)
        if chance.randrange(5) == 0:
            world.log.append(f"user: deletes {place[2]}")
            world.cluster.delete(place)
        elif self.habits.force and chance.randrange(8) == 0:
            world.log.append(f"user: takes {place[2]} away by force")
            world.cluster.force(place)
        else:
            if self.habits.shared:
                rest(world)  # a change of the router in the middle of a reconcile is more than we promise
            spec = manifest["spec"]
            callers.may_meet(manifest)
            if world.cluster.apply(manifest):
                said = (
                    spec["meshName"],
                    spec.get("virtualRouter"),
                    list(spec["routes"]),
                    spec.get("provider"),
                )
                world.log.append(f"user: applies {place[2]}: {said} {manifest['metadata'].get('annotations', '')}")

    def _touch(self, world: World, manifest: Manifest) -> None:
        if world.chance.randrange(3) == 0:
            world.log.append(f"user: deletes {edits.place(manifest)[2]}")
            world.cluster.delete(edits.place(manifest))
        else:
            world.log.append(f"user: applies {edits.place(manifest)[2]} {manifest['spec'].get('listeners')}")
            world.cluster.apply(manifest)

    def _repair(self, world: World, callers: Callers) -> None:
        """What is missing comes back, so that all can be well; and what is used lets go what is to be deleted."""
        resources = world.cluster.resources
        if any("deletionTimestamp" in resource["metadata"] for resource in resources.values()):
            world.log.append("all services are deleted")
            for each in [place for place in resources if place[0] is Kind.VIRTUAL_SERVICE]:
                world.cluster.delete(each)
            calm(world)
        world.log.append("all is repaired")
        missing = [edits.service(world.chance, self.habits) for _ in range(3)]
        for manifest in (*edits.everything(self.habits), *missing):
            if edits.place(manifest) not in resources:
                if manifest["kind"] == Kind.VIRTUAL_SERVICE:
                    callers.may_meet(manifest)
                world.cluster.apply(manifest)
        calm(world)


def rest(world: World, most: int = 3000) -> None:
    """Let everything happen that needs no time to pass."""
    for _ in range(most):
        if not world.step():
            return
    raise AssertionError("never at rest")


def calm(world: World) -> None:
    """Nothing goes wrong any more; wait until all is still, or until all who try again change nothing by it."""
    world.weather = CALM
    before, tried = None, set[Name]()
    for _ in range(PATIENCE):
        rest(world)
        if (now := state_of(world)) != before:
            before, tried = now, set()
        timers = world.timers()
        if {name for _, name, _ in timers} <= tried:
            return
        _, name, seq = timers[0]
        tried.add(name)
        world.fire(name, seq)
    raise AssertionError(f"not still after {PATIENCE} delays")


def state_of(world: World) -> object:
    """All that others can see."""
    specs = {object: record.spec for object, record in world.app_mesh.objects.items()}
    statuses = {place: repr(resource["status"]) for place, resource in world.cluster.resources.items()}
    return specs, statuses


def lose_histories(world: World) -> None:
    """Of all resources that are settled, and whose status so tells what was made for them."""
    for name, running in list(world.workflows.items()):
        place = (name.kind, name.namespace, name.name)
        resource = world.cluster.resources.get(place)
        if resource is None or running.calls or running.timers or "deletionTimestamp" in resource["metadata"]:
            continue
        told = resource["status"].get("observedGeneration") == resource["metadata"]["generation"]
        if told and all(
            each["status"] == "True" for each in resource["status"]["conditions"] if "Active" in each["type"]
        ):
            world.lose_history(name)
    world.restart_watcher()


def afresh(world: World) -> World:
    """The same resources, oldest first, where nothing was before and nothing goes wrong."""
    fresh = World(random.Random(0))
    ordered = sorted(world.cluster.resources.values(), key=lambda each: each["metadata"]["creationTimestamp"])
    for resource in ordered:
        kept = {
            key: deepcopy(resource["metadata"][key])
            for key in ("name", "namespace", "annotations")
            if key in resource["metadata"]
        }
        fresh.cluster.apply({**deepcopy(resource), "metadata": kept, "status": {}})
    try:
        calm(fresh)
    finally:
        fresh.close()
    return fresh


def simpler(walk: Walk, tries: int = 12) -> Walk:
    """A walk with fewer habits, less trouble and fewer edits that fails too; by another number perhaps."""
    smaller = [replace(walk, edits=walk.edits - 1)] if walk.edits > 1 else []
    for part in ("habits", "weather", "trouble"):
        settings = getattr(walk, part)
        for each in fields(settings):
            value = getattr(settings, each.name)
            if value and each.name != "services":
                smaller.append(replace(walk, **{part: replace(settings, **{each.name: type(value)(0)})}))
    for candidate in smaller:
        for seed in range(walk.seed, walk.seed + tries):
            found = replace(candidate, seed=seed)
            try:
                found.run()
            except AssertionError:
                return simpler(found, tries)
    return walk
