"""Intermediate state: the worker dies between any two effects of a reconcile.

The effects (App Mesh writes, and edits of finalizer, status and Events in Kubernetes) are read from the history of an
undisturbed run. Then the edit is made to as many services as there are effects, each is held at another one, and the
worker is killed once: every place at which it can die, at the price of one death.
"""

import threading
from dataclasses import dataclass

import pytest

from tests.e2e.world import World
from tests.faults.edits import EDITS, Edit, marks, slug
from tests.faults.proxy import Call, Fault, Gate
from tests.faults.rules import both, is_kubernetes_write, is_write
from tests.faults.scene import Scene
from tests.faults.table import Stopwatch
from tests.faults.verdict import assert_converged, wait_settled
from tests.waiting import until


class Countdown:
    """Holds a service's effect of a certain number, whichever of the two servers it concerns."""

    def __init__(self, world: World, service: str, number: int, after: bool, shared: bool) -> None:
        self.gate = Gate()
        self._shared = shared
        self._marks = marks(world, service)
        self._left = number
        self._fault = Fault(hold_after=self.gate) if after else Fault(hold_before=self.gate)
        self._lock = threading.Lock()

    def of_app_mesh(self, call: Call) -> Fault | None:
        """The rule before App Mesh."""
        return self._next() if is_write(call) and self._concerns(call) else None

    def of_kubernetes(self, call: Call) -> Fault | None:
        """The rule before kube-apiserver."""
        return self._next() if is_kubernetes_write(call) and self._concerns(call) and not self._shared else None

    def _concerns(self, call: Call) -> bool:
        return any(call.mentions(mark) for mark in self._marks)

    def _next(self) -> Fault | None:
        with self._lock:
            self._left -= 1
            return self._fault if self._left == -1 else None


@dataclass(frozen=True)
class Death:
    """One place at which the worker dies."""

    edit: Edit
    number: int
    effect: str

    @property
    def service(self) -> str:
        """The service to which it happens."""
        return f"{slug(self.edit)}-{self.number}"


@pytest.mark.parametrize(
    "after", [pytest.param(True, id="after", marks=pytest.mark.e2e), pytest.param(False, id="before")]
)
def test_the_worker_dies_at_each_effect_of_a_reconcile(scene: Scene, after: bool) -> None:
    """Wherever it dies, before or after the effect: the end is the one that an undisturbed run has."""
    cluster, world = scene.cluster, scene.world
    cluster.converge(*scene.ground)
    deaths = [Death(edit, *place) for edit in EDITS for place in enumerate(effects_of(scene, edit))]
    cluster.converge(*(manifest for death in deaths for manifest in death.edit.before(world, death.service)))
    wanted = [manifest for death in deaths for manifest in death.edit.after(world, death.service)]
    leaving = [death for death in deaths if not death.edit.after(world, death.service)]
    gone = [manifest for death in leaving for manifest in death.edit.before(world, death.service)]

    downs = [Countdown(world, death.service, death.number, after, len(death.edit.hosts(world)) > 1) for death in deaths]
    with (
        scene.site.app_mesh.ruled_by(both(*(down.of_app_mesh for down in downs))),
        scene.site.kubernetes.ruled_by(both(*(down.of_kubernetes for down in downs))),
    ):
        cluster.kubernetes.apply(*wanted)
        cluster.kubernetes.delete(*gone)
        for death, down in zip(deaths, downs, strict=True):
            until(lambda down=down: down.gate.reached, what=f"{death} to be reached", within=30)  # type: ignore[misc]
        cluster.stack.kill("worker")
        for down in downs:
            down.gate.cut()
        cluster.stack.restart("worker")
        stopwatch = Stopwatch()
        wait_settled(cluster, [*scene.ground, *wanted], gone)
        seconds = stopwatch.seconds
    assert_converged(scene.oracle, world, [*scene.ground, *wanted], gone)
    for death in deaths:
        with scene.table.case(f"worker dies {'after' if after else 'before'} {death.edit.name}: {death.effect}") as row:
            row.seconds = seconds


def effects_of(scene: Scene, edit: Edit) -> list[str]:
    """The effects of an edit, in order, from the history of an undisturbed run; the service is then removed.

    Of those who share a router only the writes to App Mesh, as how often they look at one another is a matter of time.
    """
    cluster, world = scene.cluster, scene.world
    before, after = edit.before(world, "calm"), edit.after(world, "calm")
    if len(before) > 1:
        return [f"App Mesh write {number}" for number in range(edit.minimal)]
    cluster.converge(*before)
    wait_settled(cluster, before)  # a history is complete when its workflow is idle
    (service,) = before or after
    known = len(cluster.workflows.effects(service)) if before else 0
    cluster.converge(*after)
    wait_settled(cluster, after)
    undone = cluster.workflows.effects(service)[known:]
    cluster.kubernetes.delete(service)
    cluster.wait_let_go(service)
    return undone if after else cluster.workflows.effects(service)[known:]
