"""From what should be to what is: which calls a plan makes, and in which order."""

from typing import Any

import pytest

from activities.messages import Record
from activities.names import Verb
from activities.objects import ApiObject
from tests.builders import Manifest, http_route, listener, mesh, virtual_node, virtual_service
from tests.workflows.app_mesh_model import AppMeshModel
from tests.workflows.snapshots import desired, node, references, route, router, service
from workflows.planning.plan import Observed, Plan, Step, Wanted, plan

NODES = (node("cart-prod"), node("cart-v2-prod"))
THERE = (ApiObject.mesh_object("shop"), *NODES)


def with_routes(*names: str, **spec: Any) -> Manifest:
    """A service with these routes."""
    return virtual_service(routes=[http_route(name) for name in names], **spec)


def wanted(manifest: Manifest, observed: Observed | None = None) -> tuple[Wanted, ...]:
    """What App Mesh shall hold for a resource whose references are all ready."""
    return desired(manifest).wanted(references("cart", "cart-v2"), observed or Observed())


def made(manifest: Manifest) -> AppMeshModel:
    """An App Mesh in which the service was created."""
    model = AppMeshModel(*THERE)
    for step in plan(wanted(manifest), Observed()).steps:
        model.run(step)
    return model


def calls(planned: Plan) -> list[list[str]]:
    """The operations of a plan's stages, in short."""
    return [[f"{step.verb} {step.object}" for step in stage] for stage in planned.stages]


def replanned(before: Manifest, after: Manifest) -> list[list[str]]:
    """The stages that take a created service to another spec."""
    observed = made(before).observed(*THERE)
    return calls(plan(wanted(after, observed), observed))


def test_service_is_created_from_the_inside_out() -> None:
    """The router, its routes side by side, then the service that points at it: R + 2 calls, none of them a read."""
    assert calls(plan(wanted(with_routes("a", "b", "c")), Observed())) == [
        ["Create router cart-router-prod"],
        [f"Create route {name} of router cart-router-prod" for name in "abc"],
        ["Create virtual service cart.prod.svc.cluster.local"],
    ]


@pytest.mark.parametrize("routes", [0, 1, 5, 50])
def test_creating_takes_two_calls_more_than_there_are_routes(routes: int) -> None:
    """Issue 3: a service with R routes costs R + 2 writes."""
    manifest = with_routes(*(f"r{number}" for number in range(routes)))
    assert len(plan(wanted(manifest), Observed()).steps) == routes + 2


@pytest.mark.parametrize(
    ("manifest", "call"),
    [
        pytest.param(mesh(), "Create mesh shop", id="mesh"),
        pytest.param(virtual_node(), "Create virtual node cart-prod", id="node"),
    ],
)
def test_mesh_and_node_are_one_call(manifest: Manifest, call: str) -> None:
    """One object each."""
    assert calls(plan(wanted(manifest), Observed())) == [[call]]


def test_what_is_there_is_not_written_again() -> None:
    """A second plan is empty."""
    assert replanned(with_routes("a", "b"), with_routes("a", "b")) == []


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(
            virtual_service(routes=[http_route("a", {"cart": 9, "cart-v2": 1}), http_route("b")]),
            [["Update route a of router cart-router-prod"]],
            id="one-weight",
        ),
        pytest.param(with_routes("a", "b", "c"), [["Create route c of router cart-router-prod"]], id="one-route-more"),
        pytest.param(with_routes("a"), [["Delete route b of router cart-router-prod"]], id="one-route-less"),
        pytest.param(
            with_routes("a", "b", virtualRouter={"name": "cart-router", "listeners": [listener(9090)]}),
            [["Update router cart-router-prod"]],
            id="listener",
        ),
    ],
)
def test_one_difference_is_one_call(after: Manifest, expected: list[list[str]]) -> None:
    """A canary step is one UpdateRoute, and nothing else is touched."""
    assert replanned(with_routes("a", "b"), after) == expected


def test_renamed_router_is_complete_before_the_service_turns_to_it() -> None:
    """New router, its routes, the turn, and only then the old routes and the old router."""
    after = with_routes("a", "b", virtualRouter={"name": "next", "listeners": [listener()]})
    assert replanned(with_routes("a", "b"), after) == [
        ["Create router next-prod"],
        ["Create route a of router next-prod", "Create route b of router next-prod"],
        ["Update virtual service cart.prod.svc.cluster.local"],
        ["Delete route a of router cart-router-prod", "Delete route b of router cart-router-prod"],
        ["Delete router cart-router-prod"],
    ]


def test_move_to_another_mesh_builds_there_before_it_leaves_here() -> None:
    """Everything exists twice for a moment, and never not at all."""
    after = with_routes("a", meshName="other")
    assert replanned(with_routes("a"), after) == [
        ["Create router cart-router-prod"],
        ["Create route a of router cart-router-prod"],
        ["Create virtual service cart.prod.svc.cluster.local"],
        ["Delete virtual service cart.prod.svc.cluster.local"],
        ["Delete route a of router cart-router-prod"],
        ["Delete router cart-router-prod"],
    ]


def test_leftover_route_goes_before_the_service_comes() -> None:
    """A create that was interrupted, and a spec that lost a route since: nobody may ever be sent to it."""
    model = made(with_routes("a", "b"))
    model.run(Step(verb=Verb.DELETE, object=service()))
    observed = model.observed(*THERE)
    assert calls(plan(wanted(with_routes("a"), observed), observed)) == [
        ["Delete route b of router cart-router-prod"],
        ["Create virtual service cart.prod.svc.cluster.local"],
    ]


def test_deleting_goes_from_the_outside_in() -> None:
    """Service, routes side by side, router."""
    assert calls(plan((), made(with_routes("a", "b")).observed(*THERE))) == [
        ["Delete virtual service cart.prod.svc.cluster.local"],
        ["Delete route a of router cart-router-prod", "Delete route b of router cart-router-prod"],
        ["Delete router cart-router-prod"],
    ]


def test_deleting_nothing_is_no_call() -> None:
    """A resource for which nothing was ever made."""
    assert plan((), Observed()).steps == ()


def test_memory_replaces_what_it_knew() -> None:
    """One record per object; the newest write counts."""
    first = Record(object=router(), arn="arn:router", version=1, spec={})
    second = first.model_copy(update={"version": 2, "spec": {"listeners": []}})
    other = Record(object=route("a"), arn="", version=1)
    known = Observed().with_record(first).with_record(other).with_record(second)
    assert known.find(router()) == second
    assert len(known.records) == 2
    assert known.without(router()).records == (other,)
    assert known.of_kind(other.object.kind) == (other,)


def test_step_knows_its_operation_and_says_it_to_people() -> None:
    """The summary is what the Temporal UI shows."""
    (step,) = plan(wanted(virtual_node()), Observed()).steps
    assert (step.operation, step.summary) == ("CreateVirtualNode", "Create virtual node cart-prod")
