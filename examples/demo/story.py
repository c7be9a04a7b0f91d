"""The story: ten chapters, each with what must be true of it."""

import time
from collections import Counter
from pathlib import Path

from cli.settings import load
from deploy.local.stack import LocalStack
from deploy.local.status import PartState, StackStatus
from examples.demo import app_mesh, calls, leftovers, steps, temporal, traffic
from examples.demo.calls import Calls
from examples.demo.cluster import Cluster, Key, State, told
from examples.demo.manifests import Example
from examples.demo.screen import Screen
from examples.demo.traffic import Traffic, on_this_machine
from examples.demo.tree import MeshView, draw
from resources.kinds import Kind
from resources.names import virtual_node_api_name
from resources.parsing import parse_virtual_service
from resources.virtual_service import VirtualService
from workflows.names import workflow_id


class Story:
    """One telling, on one stack, of one example; `envoy` is the program."""

    def __init__(self, screen: Screen, stack: LocalStack, envoy: Path, example: Example, patience: float) -> None:
        self._screen = screen
        self._stack = stack
        self._envoy = envoy
        self._example = on_this_machine(example)
        self._patience = patience
        self._canary = parse_virtual_service(example.canary)

    def tell(self, keep: bool = False) -> None:
        """All chapters; with `keep`, up to the point where everything is there to look at.

        Raises:
            DemoError: a statement does not hold, or something that it needs does not come in time.
        """
        self._start_stack()
        self._cluster = Cluster(self._stack.layout.kubeconfig)
        self._environment = self._stack.environment
        self._app_mesh = app_mesh.connect(self._environment)
        self._apply()
        first = self._calls()  # before we ask anything ourselves
        mesh = self._read_back()
        self._show_calls(first, mesh)
        directory = self._stack.layout.directory / "traffic"
        xds = self._environment["MESHWRIGHT_XDS_ADDRESS"]
        with Traffic(self._envoy, directory, xds, self._example) as running:
            self._send_traffic(running)
            self._shift_traffic(mesh)
            self._follow_traffic(running)
        self._show_steps()
        if keep:
            self._explore()
            return
        self._delete()
        self._stop()

    def _start_stack(self) -> None:
        screen, shown = self._screen, set[str]()
        screen.title("Start the stack: real parts, plain processes, no container engine")
        began = time.monotonic()

        def observe(status: StackStatus) -> None:
            for name, part in status.parts.items():
                if part.state is PartState.READY and name not in shown:
                    shown.add(name)
                    screen.show(f"{name:<16}ready after {part.ready_after:4.1f} s")

        self._stack.start(observe)
        parts = self._stack.status.parts
        down = [name for name, part in parts.items() if part.state is not PartState.READY]
        took = time.monotonic() - began
        screen.state(f"{len(parts)} parts answer, after {took:.1f} s", not down, f"these do not: {', '.join(down)}")

    def _apply(self) -> None:
        screen, cluster, example = self._screen, self._cluster, self._example
        screen.title(f"Apply examples/{example.name}, every reference late: services, nodes, and the Mesh last")
        for namespace in example.namespaces:
            cluster.apply_namespace(namespace)
        keys = [Key.of(resource) for resource in example.resources]
        early = [key for key in keys if key.kind is not Kind.MESH]
        with screen.progress(keys, milestone=lambda state: state.active) as progress:
            for resource in example.of_kind(Kind.VIRTUAL_SERVICE, Kind.VIRTUAL_NODE):
                cluster.apply(resource)
            waiting = cluster.follow(early, lambda state: state.current, self._patience, progress.show)
            applied = time.monotonic()
            for resource in example.of_kind(Kind.MESH):
                cluster.apply(resource)
            active = cluster.follow(keys, _active, self._patience, progress.show)
            took = time.monotonic() - applied
        words = ", ".join(sorted({state.sentence for state in waiting.values()}))
        screen.state(
            f"before there was a Mesh, {len(waiting)} of {len(early)} said so and waited ({words})",
            all(state.waiting for state in waiting.values()),
            lambda: told(waiting, lambda state: not state.waiting),
        )
        screen.state(
            f"{len(active)} of {len(keys)} resources are Active, {took:.1f} s after the Mesh was applied",
            len(active) == len(keys),
        )

    def _read_back(self) -> MeshView:
        screen = self._screen
        screen.title("What App Mesh holds now, read back with boto3")
        mesh = app_mesh.read_mesh(self._app_mesh, self._example.mesh)
        screen.show(draw(mesh))
        found = {service.name: mesh.splits(service.name) for service in mesh.services}
        nodes = {node.name for node in mesh.nodes}
        screen.state(
            "its nodes, services, routes and weights are those of the manifests",
            found == self._example.splits() and nodes == {virtual_node_api_name(node) for node in self._example.nodes},
            f"found {found} and {sorted(nodes)}",
        )
        return mesh

    def _show_calls(self, made: Calls, mesh: MeshView) -> None:
        screen = self._screen
        screen.title("The App Mesh calls that it took, by the control plane's own counter")
        screen.show(calls.table(made))
        objects, wanted = mesh.objects, self._example.objects
        screen.state(
            f"one write for each of the {wanted} objects, and not one read",
            (made.writes, made.reads, made.refused, objects) == (wanted, 0, 0, wanted),
            f"{made.total}, {made.refused} refused, for {objects} objects",
        )

    def _send_traffic(self, running: Traffic) -> None:
        screen = self._screen
        screen.title("Traffic: a front and two colours, each behind an Envoy that our control plane configures")
        began = time.monotonic()
        count = running.start()
        screen.show(f"{count} Envoys are configured and listen, {time.monotonic() - began:.1f} s after their start")
        (service,) = self._example.services
        self._state_split("traffic is split as the weights say", running, service)

    def _follow_traffic(self, running: Traffic) -> None:
        screen = self._screen
        screen.title("Traffic follows, and has lost nothing on the way")
        self._state_split("the same callers now get the new split", running, self._canary)
        running.finish()
        screen.state("0 requests failed since the first", not running.failures, lambda: "\n".join(running.failures[:5]))

    def _state_split(self, statement: str, running: Traffic, service: VirtualService) -> None:
        answers = running.measure()
        weights = {target.virtual_node_name: target.weight for target in service.spec.routes[-1].targets}
        self._screen.state(
            f"{statement}: {traffic.shown(answers)} of {answers.total()} requests",
            traffic.fits(answers, weights) and not running.failures,
            lambda: "\n".join([f"it should be {weights}", *running.failures[:5]]),
        )

    def _shift_traffic(self, before: MeshView) -> None:
        screen, service = self._screen, self._canary.metadata.name
        screen.title(f"A canary: apply examples/{self._example.name}/canary.yaml")
        earlier = self._calls()
        applied = time.monotonic()
        key = self._cluster.apply(self._example.canary)
        self._cluster.follow([key], _active, self._patience)
        took = time.monotonic() - applied
        made = self._calls().since(earlier)
        after = app_mesh.read_mesh(self._app_mesh, self._example.mesh)
        turned = [
            (old, new)
            for old in before.routes_of(service)
            for new in after.routes_of(service)
            if old.name == new.name and old != new
        ]
        for old, new in turned:
            screen.show(f"route {old.name}: {old.split} → {new.split}")
        screen.show(calls.table(made))
        found = {name: after.splits(name) for name in (view.name for view in after.services)}
        screen.state(
            "App Mesh has the new weights, and nothing else is different",
            bool(turned) and found == self._example.splits(self._canary),
            f"found {found}",
        )
        screen.state(
            f"it took one call, and {took:.1f} s from apply to Active",
            made.counts == {("UpdateRoute", calls.SUCCESS): 1},
            f"it took {dict(made.counts)}",
        )

    def _show_steps(self) -> None:
        screen, key = self._screen, Key.of(self._example.canary)
        workflow = workflow_id(load().cluster, key.kind, key.namespace, key.name)
        screen.title("One workflow, step by step")
        screen.show(workflow)
        screen.show(temporal.page(self._environment, workflow))
        history = temporal.history(self._environment, workflow)
        screen.show(steps.table(history))
        screen.show(steps.beside(history))
        routes = len(self._canary.spec.routes)
        wanted = Counter(CreateVirtualRouter=1, CreateRoute=routes, CreateVirtualService=1, UpdateRoute=1)
        screen.state(
            f"its {wanted.total()} App Mesh calls are {wanted.total()} steps: durable, retried, and there to read",
            history.operations() == wanted and len(history.steps) >= wanted.total(),
            f"its steps are {dict(history.operations())}",
        )

    def _delete(self) -> None:
        screen, cluster = self._screen, self._cluster
        screen.title("Delete everything, in the wrong order: the Mesh first")
        earlier = self._calls()
        # The reverse of the order in which they were applied is again the one in which everything has to wait.
        keys = [Key.of(resource) for resource in reversed(self._example.resources)]
        with screen.progress(keys, milestone=lambda state: False) as progress:
            for key in keys:
                cluster.delete(key)
            cluster.follow(keys, lambda state: state.gone, self._patience, progress.show)
        screen.show(calls.table(self._calls().since(earlier)))
        left = list(cluster.states())
        screen.state("Kubernetes has no custom resource left", not left, f"left: {left}")
        meshes = app_mesh.mesh_names(self._app_mesh)
        screen.state("App Mesh has no object left", not meshes, f"left: {meshes}")
        running = temporal.still_running(self._environment, self._patience)
        screen.state("Temporal has no workflow left that runs", not running, f"left: {running}")

    def _stop(self) -> None:
        screen = self._screen
        screen.title("Stop")
        before = leftovers.processes(self._stack.layout)
        self._stack.stop()
        left = leftovers.running(before, self._stack.layout)
        screen.state(f"{len(before)} processes ran, and none is left", bool(before) and not left, f"left: {left}")

    def _explore(self) -> None:
        directory, screen = self._stack.layout.directory, self._screen
        screen.title("It is yours to explore")
        screen.show(f'eval "$(.venv/bin/meshwright env --dir {directory})"')
        screen.show("kubectl get mesh,virtualnodes,virtualservices -A")
        screen.show(f".venv/bin/aws appmesh list-virtual-services --mesh-name {self._example.mesh}")
        screen.show(f"Temporal UI: {self._environment['MESHWRIGHT_TEMPORAL_UI']}")
        screen.show(f".venv/bin/meshwright down --dir {directory}     stops it")

    def _calls(self) -> Calls:
        return calls.fetch(self._environment)


def _active(state: State) -> bool:
    return state.active and state.current
