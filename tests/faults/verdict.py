"""What must be true when a fault is over, in one function for all cases.

The desired state has stopped changing, so App Mesh must reach it and stay there: every condition is true for the newest
generation, App Mesh holds exactly what a fresh apply of the same manifests gives (so nothing is lost, twice there or
left over), what was deleted is gone together with its workflow, and nobody writes any more.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.builders import Manifest
from tests.e2e.app_mesh import Specs
from tests.e2e.cluster import Cluster, mesh_of
from tests.e2e.world import World
from tests.waiting import until


@dataclass
class Oracle:
    """Knows what an undisturbed apply gives: it makes one, in a world beside, the first time that it is asked."""

    cluster: Cluster
    _known: dict[str, Specs] = field(default_factory=dict)

    def fresh(self, world: World, wanted: Sequence[Manifest]) -> Specs:
        """What App Mesh would hold for the world if these manifests were applied now for the first time."""
        text = json.dumps(wanted, sort_keys=True).replace(world.name, "WORLD")
        if text not in self._known:
            twin = self.cluster.world("fresh")
            manifests: list[Manifest] = json.loads(text.replace("WORLD", twin.name))
            self.cluster.converge(*manifests)
            self._known[text] = _renamed(self.cluster.app_mesh.specs(twin.name), twin.name, "WORLD")
            self.cluster.remove(*reversed(manifests))
        return _renamed(self._known[text], "WORLD", world.name)


def wait_settled(cluster: Cluster, wanted: Sequence[Manifest], gone: Sequence[Manifest] = ()) -> None:
    """Wait until what is wanted is Active, what is not is gone, and no workflow is at work on any of them."""
    cluster.kubernetes.wait_active(*wanted)
    cluster.wait_let_go(*gone)
    for manifest in wanted:
        until(
            lambda manifest=manifest: cluster.workflows.is_idle(manifest),  # type: ignore[misc]
            what=f"the workflow of {manifest['metadata']['name']} to be idle",
        )


def assert_converged(oracle: Oracle, world: World, wanted: Sequence[Manifest], gone: Sequence[Manifest] = ()) -> None:
    """Check everything that must be true once the faults are over; waits only for the way there."""
    cluster = oracle.cluster
    wait_settled(cluster, wanted, gone)
    # Those who share a router leave the old one each in its turn; the last turn may be still to come.
    until(
        lambda: cluster.app_mesh.specs(world.name),
        lambda specs: len(plain(specs, world)) == len(specs),
        what="each router to be there once",
    )
    wait_settled(cluster, wanted, gone)
    reached = cluster.app_mesh.specs(world.name)
    versions = cluster.app_mesh.versions(world.name)
    expected = oracle.fresh(world, wanted)
    assert plain(reached, world) == plain(expected, world), _differences(plain(reached, world), plain(expected, world))
    left = [found for found in cluster.kubernetes.all() if mesh_of(found) == world.name]
    assert {_name(found) for found in left} == {_name(manifest) for manifest in wanted}
    cluster.pass_fence()  # what was under way when all looked well has got through now
    wait_settled(cluster, wanted, gone)
    assert cluster.app_mesh.versions(world.name) == versions, "somebody wrote after everything was Active"


def plain(specs: Specs, world: World) -> Specs:
    """The same with each router under its plain name; a swap gives it a suffix made from its content."""
    text = re.sub(rf"(-{re.escape(world.name)})-[0-9a-f]{{8}}(?=[\"/])", r"\1", json.dumps(specs))
    found: Specs = json.loads(text)
    return found


def _differences(reached: Specs, expected: Specs) -> str:
    """For people."""
    lines = [f"left over: {name}" for name in sorted(reached.keys() - expected.keys())]
    lines += [f"missing: {name}" for name in sorted(expected.keys() - reached.keys())]
    common = sorted(reached.keys() & expected.keys())
    lines += [f"{name}: {reached[name]} not {expected[name]}" for name in common if reached[name] != expected[name]]
    return "\n".join(lines)


def _renamed(specs: Specs, old: str, new: str) -> Specs:
    found: Specs = json.loads(json.dumps(specs).replace(old, new))
    return found


def _name(manifest: Manifest) -> tuple[str, str]:
    return manifest["kind"], manifest["metadata"]["name"]
