"""Plans: every difference is one call, in an order that App Mesh accepts and that traffic does not notice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.names import Verb
from activities.objects import ApiKind
from tests.workflows.planning.holdings import (
    after,
    holding,
    mesh,
    node,
    pointing_at,
    route,
    router,
    service,
    specs_of,
)
from workflows.planning.plan import Observed, Plan, Step, Wanted, plan


def wanted(specs):
    """Wanted objects, from their specs by object."""
    return tuple(Wanted(object=object, spec=spec) for object, spec in specs.items())


def weighing(weight):
    """A route's spec that differs by a weight."""
    return {"httpRoute": {"action": {"weightedTargets": [{"virtualNode": "cart-prod", "weight": weight}]}}}


def listening(protocol="http", port=8080):
    """A router's spec."""
    return {"listeners": [{"portMapping": {"port": port, "protocol": protocol}}]}


def routing(*routes, on="r1", weight=1, protocol="http"):
    """A service with a router and its routes, complete."""
    spec = {f"{protocol}Route": weighing(weight)["httpRoute"]}
    return {router(on): listening(protocol), **{route(name, on): spec for name in routes}, service(): pointing_at(on)}


def operations(steps):
    """The calls by their App Mesh names."""
    return [step.operation for step in steps]


@st.composite
def holdings(draw):
    """Anything that App Mesh can hold for one service: routers with routes, and perhaps the service on one of them."""
    routes = st.dictionaries(st.sampled_from("abc"), st.integers(0, 2))
    ports = st.sampled_from([8080, 9090])
    routers = draw(st.dictionaries(st.sampled_from(["r1", "r2"]), st.tuples(ports, routes)))
    specs = {}
    for name, (port, weights) in routers.items():
        specs[router(name)] = listening(port=port)
        specs |= {route(label, name): weighing(weight) for label, weight in weights.items()}
    if draw(st.booleans()):
        specs[service()] = pointing_at(draw(st.sampled_from([None, *sorted(routers)])))
    return specs


CASES = [
    pytest.param({}, {}, [], id="nothing-of-nothing"),
    pytest.param({}, {mesh(): {}}, ["CreateMesh"], id="new-mesh"),
    pytest.param({node("cart-prod"): {}}, {}, ["DeleteVirtualNode"], id="node-goes"),
    pytest.param(routing("a"), routing("a"), [], id="as-it-is"),
    pytest.param(
        {},
        routing("a", "b"),
        ["CreateVirtualRouter", "CreateRoute", "CreateRoute", "CreateVirtualService"],
        id="new-service",
    ),
    pytest.param(
        routing("a", "b"),
        {},
        ["DeleteVirtualService", "DeleteRoute", "DeleteRoute", "DeleteVirtualRouter"],
        id="service-goes",
    ),
    pytest.param(routing("a", weight=1), routing("a", weight=2), ["UpdateRoute"], id="one-weight"),
    pytest.param(routing("a"), routing("a", "b"), ["CreateRoute"], id="one-more-route"),
    pytest.param(routing("a", "b"), routing("a"), ["DeleteRoute"], id="one-route-less"),
    pytest.param(
        routing("a"),
        routing("a", on="r2"),
        ["CreateVirtualRouter", "CreateRoute", "UpdateVirtualService", "DeleteRoute", "DeleteVirtualRouter"],
        id="other-router",
    ),
    pytest.param(
        routing("a"),
        routing("a", protocol="grpc"),
        ["DeleteRoute", "UpdateVirtualRouter", "CreateRoute"],
        id="live-router-of-another-protocol",
    ),
    pytest.param(
        routing("a", "b"),
        routing("a", protocol="grpc"),
        ["DeleteRoute", "DeleteRoute", "UpdateVirtualRouter", "CreateRoute"],
        id="live-router-of-another-protocol-and-one-route-less",
    ),
    pytest.param(
        {router("r1"): listening(), route("a", "r1"): weighing(1)},
        routing("a", "b", protocol="grpc"),
        ["DeleteRoute", "UpdateVirtualRouter", "CreateRoute", "CreateRoute", "CreateVirtualService"],
        id="half-made-router-of-another-protocol",
    ),
    pytest.param(
        routing("a", "b"),
        routing("a", "b") | {router("r1"): listening("grpc"), route("b", "r1"): {"grpcRoute": {}}},
        ["DeleteRoute", "UpdateVirtualRouter", "CreateRoute"],
        id="route-that-shall-not-fit-stays-for-app-mesh-to-refuse",
    ),
]


@pytest.mark.parametrize(("observed", "goal", "calls"), CASES)
def test_a_plan_is_the_calls_in_between(observed, goal, calls):
    """The operations of a plan, in order."""
    assert operations(plan(wanted(goal), holding(observed)).steps) == calls


@given(observed=holdings(), goal=holdings())
def test_a_plan_carried_out_ends_exactly_at_what_is_wanted(observed, goal):
    """No step is one that App Mesh refuses, nothing wanted is missing, nothing else is left."""
    state = holding(observed)
    for step in plan(wanted(goal), state).steps:
        state = after(step, state)
    assert specs_of(state) == goal
    assert plan(wanted(goal), state) == Plan()


@given(observed=holdings(), goal=holdings())
def test_each_object_that_differs_costs_one_write(observed, goal):
    """As many steps as objects differ, and none of them twice."""
    differing = {object for object in observed.keys() | goal.keys() if observed.get(object) != goal.get(object)}
    steps = plan(wanted(goal), holding(observed)).steps
    assert {step.object for step in steps} == differing
    assert len(steps) == len(differing)


@given(observed=holdings(), first=holdings(), goal=holdings(), stop=st.integers(0, 12))
def test_a_plan_made_from_wherever_another_one_stopped_converges(observed, first, goal, stop):
    """An interrupted plan leaves a state from which any next plan succeeds."""
    state = holding(observed)
    for step in plan(wanted(first), state).steps[:stop]:
        state = after(step, state)
    for step in plan(wanted(goal), state).steps:
        state = after(step, state)
    assert specs_of(state) == goal


@given(observed=holdings(), goal=holdings(), data=st.data())
def test_steps_of_a_stage_may_run_in_any_order(observed, goal, data):
    """Side by side means that no step of a stage waits for another."""
    state = holding(observed)
    for stage in plan(wanted(goal), state).stages:
        for step in data.draw(st.permutations(stage)):
            state = after(step, state)
    assert specs_of(state) == goal


@given(observed=holdings(), goal=holdings())
def test_a_service_is_turned_only_to_a_router_with_exactly_its_routes(observed, goal):
    """When the service is written, the routes of its new router are those that are wanted: none missing, none over."""
    state = holding(observed)
    for step in plan(wanted(goal), state).steps:
        if step.object == service() and step.verb is not Verb.DELETE and step.spec:
            name = step.spec["provider"]["virtualRouter"]["virtualRouterName"]
            there = {object: spec for object, spec in specs_of(state).items() if object.router == name}
            assert there == {object: spec for object, spec in goal.items() if object.router == name}
        state = after(step, state)


@given(routes=st.sets(st.text("abcdefgh", min_size=1, max_size=3), max_size=8))
def test_a_new_service_costs_two_writes_more_than_it_has_routes(routes):
    """R routes: one router, R routes side by side, one service."""
    new = plan(wanted(routing(*sorted(routes))), Observed())
    assert len(new.steps) == len(routes) + 2
    assert [len(stage) for stage in new.stages] == [size for size in (1, len(routes), 1) if size]


@given(goal=holdings())
def test_creating_and_deleting_are_each_others_mirror(goal):
    """Routers, then routes, then services are made; they go the other way round."""
    order = [ApiKind.VIRTUAL_ROUTER, ApiKind.ROUTE, ApiKind.VIRTUAL_SERVICE]
    made = [order.index(step.object.kind) for step in plan(wanted(goal), Observed()).steps]
    gone = [order.index(step.object.kind) for step in plan((), holding(goal)).steps]
    assert made == sorted(made)
    assert gone == sorted(made, reverse=True)


def test_routes_left_over_on_a_router_without_traffic_go_first():
    """A half-made router is cleared before a service turns to it, so that traffic never meets an old route."""
    half_made = routing("a") | {router("r2"): {}, route("old", "r2"): {}}
    stages = plan(wanted(routing("a", on="r2")), holding(half_made)).stages
    assert operations(stages[0]) == ["DeleteRoute"]
    assert stages[0][0].object == route("old", "r2")


def test_routes_left_over_on_the_live_router_go_last():
    """On a live router a new route is there before an old one goes."""
    steps = plan(wanted(routing("new")), holding(routing("old"))).steps
    assert operations(steps) == ["CreateRoute", "DeleteRoute"]


def test_a_spec_that_app_mesh_echoes_in_other_words_is_no_difference():
    """Empty parts and the order of weighted targets are not worth a write."""
    targets = [{"virtualNode": "a", "weight": 1}, {"virtualNode": "b", "weight": 2}]
    ours = {"httpRoute": {"match": {}, "action": {"weightedTargets": targets}}}
    echo = {"httpRoute": {"action": {"weightedTargets": targets[::-1]}}}
    assert plan(wanted({route("a", "r1"): ours}), holding({route("a", "r1"): echo})) == Plan()


def test_a_delete_carries_no_spec_and_says_what_goes():
    """Steps read as sentences in Temporal's list of activities."""
    step = Step(verb=Verb.DELETE, object=route("blue", "color-router-prod"))
    assert plan((), holding([route("blue", "color-router-prod")])).steps == (step,)
    assert step.summary == "Delete route blue of router color-router-prod"
