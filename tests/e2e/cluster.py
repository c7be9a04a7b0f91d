"""A running stack with a client for each of its three faces, and the few things that every story does with it."""

import itertools
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial

from deploy.local.stack import LocalStack
from resources.kinds import Kind
from tests.builders import Manifest
from tests.e2e.app_mesh import AppMesh, Calls
from tests.e2e.kubernetes_api import Kubernetes, describe
from tests.e2e.workflows import Workflows
from tests.e2e.world import World
from tests.waiting import until

_FENCE = World("fence")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Cluster:
    """What a test gets."""

    stack: LocalStack
    kubernetes: Kubernetes
    app_mesh: AppMesh
    workflows: Workflows
    _fences: "itertools.count[int]" = field(default_factory=itertools.count)

    def world(self, hint: str) -> World:
        """A mesh and a namespace of a name that was never used before; the hint is for those who read logs."""
        return World(f"{hint[:30].strip('-')}-{next(_numbers)}")

    def converge(self, *manifests: Manifest) -> None:
        """Apply in this order, and wait until all are Active."""
        self.kubernetes.apply(*manifests)
        self.kubernetes.wait_active(*manifests)

    def kill(self, *parts: str) -> None:
        """End parts without a warning, and return when their successors answer."""
        for part in parts:
            self.stack.kill(part)
        self.stack.restart(*parts)  # spares the pause that follows a death, and its growth from death to death

    @contextmanager
    def frozen(self, part: str) -> Iterator[None]:
        """Hold a part still inside the block, as a machine that hangs would."""
        self.stack.kill(part, signal.SIGSTOP)
        try:
            yield
        finally:
            self.stack.kill(part, signal.SIGCONT)

    def wait_nothing_left(self, *manifests: Manifest) -> None:
        """Wait until no resource, no running workflow, and nothing of their meshes is left of these."""
        self.wait_let_go(*manifests)
        for mesh in sorted({mesh_of(manifest) for manifest in manifests}):
            self.wait_empty(mesh)

    def wait_let_go(self, *manifests: Manifest) -> None:
        """Wait until the resources are gone and their workflows have ended."""
        self.kubernetes.wait_gone(*manifests)
        for manifest in manifests:
            until(
                partial(self.workflows.is_running, manifest),
                lambda running: not running,
                f"the workflow of {describe(manifest)} to end",
            )

    def wait_empty(self, mesh: str) -> None:
        """Wait until App Mesh has no such mesh."""
        until(partial(self.app_mesh.specs, mesh), lambda specs: not specs, f"mesh {mesh} to be gone from App Mesh")

    def remove(self, *manifests: Manifest) -> None:
        """Delete in this order, and wait until nothing is left."""
        self.kubernetes.delete(*manifests)
        self.wait_nothing_left(*manifests)

    def remove_world(self, world: World) -> None:
        """Delete all that a test left in its world, and wait until nothing is left of it anywhere."""
        left = [found for found in self.kubernetes.all() if mesh_of(found) == world.name]
        self.remove(*left)
        self.wait_empty(world.name)

    def pass_fence(self) -> Calls:
        """Send one change of each kind through the whole chain; the calls that these take.

        What was under way before, on the way from Kubernetes to App Mesh, has got through when they have: so a test can
        say that something did not happen, without waiting some time for it.
        """
        number = next(self._fences)
        on_file = {"accessLog": {"file": {"path": f"/dev/fence-{number}"}}}
        changed = [
            _FENCE.mesh(egressFilter={"type": "ALLOW_ALL" if number % 2 else "DROP_ALL"}),
            _FENCE.node(logging=on_file),
            _FENCE.service(targets={"cart": 1 + number % 99}),
        ]
        self.converge(*changed)
        return Counter({"UpdateMesh": 1, "UpdateVirtualNode": 1, "UpdateRoute": 1})

    @contextmanager
    def counted(self) -> Iterator[Calls]:
        """App Mesh calls that are made because of what happens inside the block."""
        self.pass_fence()
        made: Calls = Counter()
        with self.app_mesh.counted() as everything:
            yield made
            fence = self.pass_fence()
        everything.subtract(fence)
        made.update({operation: count for operation, count in everything.items() if count})


@contextmanager
def clients_of(stack: LocalStack) -> Iterator[Cluster]:
    """Clients for a stack that is up."""
    environment = stack.environment
    with ExitStack() as clients:
        kubernetes = clients.enter_context(closing(Kubernetes(environment["KUBECONFIG"])))
        app_mesh = clients.enter_context(closing(AppMesh(environment)))
        workflows = clients.enter_context(closing(Workflows(environment)))
        yield Cluster(stack, kubernetes, app_mesh, workflows)


def mesh_of(manifest: Manifest) -> str:
    """The mesh that a manifest of ours is or belongs to."""
    return str(manifest["metadata"]["name"] if manifest["kind"] == Kind.MESH else manifest["spec"]["meshName"])


def meshwright(cluster: Cluster, *arguments: str, **variables: str | None) -> subprocess.CompletedProcess[str]:
    """Run the command against the stack; `variables` override those of its environment, and None takes one out."""
    given = {**cluster.stack.environment, **variables}
    environment = {name: value for name, value in given.items() if value is not None}
    command = [sys.executable, "-m", "cli.main", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
