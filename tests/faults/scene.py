"""A case of the matrix: every kind of edit at once in one world, and what must be true when the fault is over."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tests.builders import Manifest
from tests.e2e.cluster import Cluster
from tests.e2e.world import World
from tests.faults.edits import EDITS, Edit, marks, slug
from tests.faults.rules import mentioning
from tests.faults.sampler import ABSENT, Sampler
from tests.faults.site import FaultSite
from tests.faults.table import Row, Stopwatch, Table
from tests.faults.verdict import Oracle, assert_converged, wait_settled


@dataclass
class Scene:
    """A mesh with two nodes, and one service for each edit.

    ::

        scene.open()
        with scene.sampled("worker killed"):
            scene.edit()
            ...                                  # the fault
                                                 # and here it is waited for and checked, and entered in the table
    """

    site: FaultSite
    oracle: Oracle
    table: Table
    world: World
    edits: Sequence[Edit] = EDITS
    ground: list[Manifest] = field(init=False)
    """What no edit changes."""

    def __post_init__(self) -> None:
        world = self.world
        self.ground = [world.mesh(), world.node("cart"), world.node("cart-v2")]

    @property
    def cluster(self) -> Cluster:
        """The cluster."""
        return self.site.cluster

    @property
    def wanted(self) -> list[Manifest]:
        """All resources that there are in the end."""
        return [*self.ground, *(manifest for edit in self.edits for manifest in edit.after(self.world, slug(edit)))]

    @property
    def gone(self) -> list[Manifest]:
        """All resources that the edits delete."""
        leaving = (edit for edit in self.edits if not edit.after(self.world, slug(edit)))
        return [manifest for edit in leaving for manifest in edit.before(self.world, slug(edit))]

    def open(self) -> None:
        """Make what there is before the edits."""
        before = [manifest for edit in self.edits for manifest in edit.before(self.world, slug(edit))]
        self.cluster.converge(*self.ground, *before)

    def edit(self) -> None:
        """Make every edit, without waiting for anything."""
        for edit in self.edits:
            self.cluster.kubernetes.apply(*edit.after(self.world, slug(edit)))
        self.cluster.kubernetes.delete(*self.gone)

    @contextmanager
    def sampled(self, fault: str) -> Iterator[None]:
        """Edits and fault happen in the block; at its end all must converge, and every reading have been complete."""
        since = len(self.site.app_mesh.exchanges)
        hosts = [host for edit in self.edits for host in edit.hosts(self.world)]
        sampler = Sampler(self.cluster.stack.environment, self.world.name, hosts)
        with sampler.running(), ExitStack() as failed:
            for edit in self.edits:
                failed.callback(self.table.rows.append, Row(f"{fault}: {edit.name}"))
            yield
            stopwatch = Stopwatch()
            wait_settled(self.cluster, self.wanted, self.gone)
            seconds = stopwatch.seconds
            assert_converged(self.oracle, self.world, self.wanted, self.gone)
            failed.pop_all()
        for edit in self.edits:
            with self.table.case(f"{fault}: {edit.name}") as row:
                row.seconds, row.minimal = seconds, edit.minimal
                row.writes = len(self.site.app_mesh.effects(mentioning(*marks(self.world, slug(edit))), since))
                for host in edit.hosts(self.world):
                    self._check_readings(edit, sampler.seen[host])

    def _check_readings(self, edit: Edit, seen: list[str]) -> None:
        """The complete old routing, then the complete new one, each once; absent where there is no service."""
        assert seen == [seen[0], seen[-1]] or len(seen) == 1, f"{edit.name}: a half-made routing: {seen}"
        assert (seen[0] == ABSENT) == (not edit.before(self.world, slug(edit)))
        assert (seen[-1] == ABSENT) == (not edit.after(self.world, slug(edit)))
