"""Whatever is edited in whatever order, App Mesh comes to what a fresh apply of the last specs gives."""

import itertools
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from activities.objects import ApiKind, ApiObject
from resources.conditions import Reason
from resources.kinds import Kind
from resources.normal import same_spec
from tests.builders import Manifest, grpc_route, http_route, listener, virtual_node, virtual_service
from tests.convergence.api import Client, control_plane
from tests.convergence.controller import Controller

NODES = ("cart", "cart-v2", "db", "web", "web-v2")
SERVICES = ("one", "three", "two")
ROUTERS = ("q", "r")
PORTS = (8080, 9090)

_numbers = itertools.count(1)


@st.composite
def services(draw: st.DrawFn) -> Manifest:
    """A service: straight on a node, or on a router that others may name too, with routes that others may define too.

    Its router may take the listener of the first target; a route or a listener of two minds is a conflict, and a target
    that is not there is waited for. A route may be of a protocol that its router does not speak, which is refused.
    """
    name = draw(st.sampled_from(SERVICES))
    if draw(st.integers(0, 5)) == 0:
        provider = {"virtualNode": {"virtualNodeName": draw(st.sampled_from(NODES))}}
        return virtual_service(name, virtualRouter=None, routes=[], provider=provider)
    weights = st.dictionaries(st.sampled_from(NODES), st.integers(1, 2), min_size=1, max_size=2)
    names = [f"{name}-{route}" for route in draw(st.sets(st.sampled_from("ab")))]
    names += ["common"] if draw(st.integers(0, 3)) == 0 else []
    spoken = draw(st.sampled_from(("http", "http", "http", "grpc")))
    mistaken = draw(st.integers(0, 7)) == 0
    routes = [
        grpc_route(each, draw(weights), serviceName=each)
        if (spoken == "grpc") is not (mistaken and number == 0)
        else http_route(each, draw(weights), prefix=f"/{each}")
        for number, each in enumerate(sorted(names))
    ]
    listeners = draw(st.sampled_from(([listener(protocol=spoken)], [listener(9090, spoken)], [])))
    router = {"name": draw(st.sampled_from(ROUTERS))} | ({"listeners": listeners} if listeners else {})
    return virtual_service(name, virtualRouter=router, routes=routes)


nodes = st.builds(
    lambda name, port: virtual_node(name, listeners=[listener(port)]), st.sampled_from(NODES), st.sampled_from(PORTS)
)


class Edits(RuleBasedStateMachine):
    """People who edit, and workflows that go on one App Mesh call at a time."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self.controller = Controller(client, f"mesh-{next(_numbers)}")

    @initialize(absent=st.sets(st.sampled_from(NODES), max_size=2), manifests=st.lists(services(), max_size=4))
    def begin(self, absent: set[str], manifests: list[Manifest]) -> None:
        """Most nodes are there, and some services are coming."""
        for name in NODES:
            if name not in absent:
                self.controller.apply(virtual_node(name))
        self.controller.settle()
        for manifest in manifests:
            self.controller.apply(manifest)

    @rule(manifests=st.lists(services(), min_size=1, max_size=3))
    def apply_services(self, manifests: list[Manifest]) -> None:
        """Create services, or edit them."""
        for manifest in manifests:
            self.controller.apply(manifest)

    @rule(manifest=nodes)
    def apply_node(self, manifest: Manifest) -> None:
        """Create or edit a node."""
        self.controller.apply(manifest)

    @rule(name=st.sampled_from((*SERVICES, *NODES)))
    def delete(self, name: str) -> None:
        """Delete a resource."""
        self.controller.delete(name)

    @rule(name=st.sampled_from((*SERVICES, *NODES)))
    def forget(self, name: str) -> None:
        """A workflow's history is lost."""
        self.controller.forget(name)

    @rule()
    def settle(self) -> None:
        """Everybody comes to rest."""
        self.controller.settle()

    def teardown(self) -> None:
        """The end."""
        self.controller.settle()
        self.check_that_it_is_as_a_fresh_apply()
        self.check_that_nothing_is_left_when_all_is_deleted()

    def check_that_it_is_as_a_fresh_apply(self) -> None:
        """The same resources wait, for the same reasons; when none does, App Mesh holds the same."""
        controller = self.controller
        staying = {name: entity for name, entity in controller.entities.items() if not entity.deleting}
        leaving = controller.entities.keys() - staying.keys()
        for name in leaving:
            entity = controller.entities[name]
            assert entity.manifest["kind"] == Kind.VIRTUAL_NODE
            assert entity.outcome.reason is Reason.WAITING_FOR_DELETION, f"{name}: {entity.outcome}"
        fresh = Controller(controller.app_mesh.client, f"{controller.mesh}-fresh")
        for entity in controller.entities.values():  # oldest first
            metadata = {key: entity.manifest["metadata"][key] for key in ("name", "namespace")}
            fresh.apply(entity.manifest | {"metadata": metadata})
        fresh.settle()
        reasons = {name: entity.outcome.reason for name, entity in staying.items()}
        assert reasons == {name: fresh.entities[name].outcome.reason for name in staying}, controller.calls
        if all(entity.outcome.achieved for entity in staying.values()):
            expected, reached = dict(plain(fresh)), dict(plain(controller))
            assert reached.keys() == expected.keys(), controller.calls
            assert len(reached) == len(controller.specs()), f"a router twice: {controller.calls}"
            for object, spec in reached.items():
                assert object.name.removesuffix("-prod") in leaving or same_spec(expected[object], spec), (
                    f"{object} is {spec}, not {expected[object]}: {controller.calls}"
                )

    def check_that_nothing_is_left_when_all_is_deleted(self) -> None:
        """Routers and routes go with their last service, and nodes with their last user."""
        controller = self.controller
        settled = len(controller.calls)
        for name in (*NODES, *SERVICES):
            controller.delete(name)
        controller.settle()
        assert controller.specs() == {}, controller.calls[settled:]
        assert controller.entities == {}


class InterleavedEdits(Edits):
    """The same, and edits come while the workflows of others are at work."""

    @rule(who=st.lists(st.sampled_from((*SERVICES, *NODES)), min_size=1, max_size=10))
    def go_on(self, who: list[str]) -> None:
        """Each of these makes its next call, or ends its reconcile, or begins one."""
        for name in who:
            self.controller.advance(name)


def plain(controller: Controller) -> Iterator[tuple[ApiObject, dict[str, Any]]]:
    """What is in App Mesh, without the mesh's name, and each router under its plain name: a swap gives it a suffix."""

    def named(name: str) -> str:
        return re.sub(r"-prod-[0-9a-f]{8}$", "-prod", name)

    for object, spec in controller.specs().items():
        router = spec.get("provider", {}).get("virtualRouter")
        if router is not None:
            spec = {"provider": {"virtualRouter": {"virtualRouterName": named(router["virtualRouterName"])}}}
        name = named(object.name) if object.kind is ApiKind.VIRTUAL_ROUTER else object.name
        on = named(object.router) if object.router is not None else None
        yield object.model_copy(update={"mesh": "mesh", "name": name, "router": on}), spec


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A control plane."""
    with control_plane(tmp_path_factory.mktemp("control-plane")) as client:
        yield client


@pytest.mark.parametrize("edits", [Edits, InterleavedEdits])
def test_edits_converge_to_what_a_fresh_apply_of_the_last_specs_gives(
    client: Client, edits: type[Edits], request: pytest.FixtureRequest
) -> None:
    """Hypothesis's rules: create, edit, reroute, share, delete, lose a history, wait."""
    examples = request.config.getoption("--sequences")
    chosen = settings(max_examples=examples, stateful_step_count=12, derandomize=True)
    machine: Any = partial(edits, client)
    run_state_machine_as_test(machine, settings=chosen)
