"""Changes of a live routing: traffic sees the old one or the new one, complete, wherever the change is interrupted."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.messages import MeshReference, NodeReference, Record, References
from activities.names import Verb
from activities.objects import ApiKind, ApiObject
from resources.errors import InvalidResource
from resources.kinds import Kind
from resources.normal import same_spec
from tests.builders import http_route, listener, stored, tcp_route, virtual_service
from workflows.messages import Snapshot
from workflows.planning.plan import Observed, Step, plan
from workflows.planning.routing import live_router
from workflows.planning.virtual_service import DesiredVirtualService

NODES = ("cart", "cart-v2", "cart-v3")
REFERENCES = References(
    mesh=MeshReference(found=True, ready=True),
    nodes={name: NodeReference(found=True, ready=True, mesh="shop") for name in NODES},
)
SERVICE = ApiObject(kind=ApiKind.VIRTUAL_SERVICE, mesh="shop", name="cart.prod.svc.cluster.local")

Routing = tuple[Mapping[str, Any], Mapping[str, Mapping[str, Any]]]
"""A router's spec, and its routes' specs by name."""


def desired(annotations: Mapping[str, str] | None = None, **spec: Any) -> DesiredVirtualService:
    """A service's planner; keywords are fields of its spec."""
    manifest = stored(virtual_service(**spec), annotations=dict(annotations or {}))
    return DesiredVirtualService(Snapshot.of(Kind.VIRTUAL_SERVICE, manifest))


def after(step: Step, observed: Observed) -> Observed:
    """The state that a step leaves; fails where App Mesh would refuse the step."""
    if step.verb is Verb.DELETE:
        assert observed.find(step.object) is not None, f"{step.object} is not there"
        if step.object.kind is ApiKind.VIRTUAL_ROUTER:
            left = [
                route.object for route in observed.of_kind(ApiKind.ROUTE) if route.object.router == step.object.name
            ]
            assert not left, f"{step.object} has routes"
            assert live_router(SERVICE, observed) != step.object, f"{step.object} is a provider"
        return observed.without(step.object)
    assert (observed.find(step.object) is None) == (step.verb is Verb.CREATE)
    if step.object.kind is ApiKind.ROUTE:
        router = ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh=step.object.mesh, name=step.object.router or "")
        assert observed.find(router) is not None, f"{step.object} has no router"
    return observed.with_record(Record(object=step.object, arn="arn", version=1, spec=step.spec or {}))


def served(observed: Observed) -> Routing | None:
    """What the service resolves to."""
    router = live_router(SERVICE, observed)
    if router is None:
        return None
    record = observed.find(router)
    assert record is not None, "the service points at nothing"
    routes = (route for route in observed.of_kind(ApiKind.ROUTE) if route.object.router == router.name)
    return record.spec, {route.object.name: route.spec for route in routes}


def same(one: Routing | None, other: Routing | None) -> bool:
    """Whether two routings are the same to traffic."""
    if one is None or other is None:
        return one is other
    alike = one[1].keys() == other[1].keys() and all(same_spec(one[1][name], other[1][name]) for name in one[1])
    return alike and same_spec(one[0], other[0])


def steps_to(wanted: DesiredVirtualService, observed: Observed) -> tuple[Step, ...]:
    """The plan, flat."""
    return plan(wanted.wanted(REFERENCES, observed), observed).steps


def settled(wanted: DesiredVirtualService, observed: Observed | None = None) -> Observed:
    """The state after one undisturbed reconcile."""
    state = observed or Observed()
    for step in steps_to(wanted, state):
        state = after(step, state)
    assert steps_to(wanted, state) == ()
    return state


targets = st.dictionaries(st.sampled_from(NODES), st.integers(0, 33), min_size=1, max_size=3)
http_routings = st.dictionaries(st.sampled_from("abcd"), targets, max_size=4).map(
    lambda routes: {
        "virtualRouter": {"name": "cart-router", "listeners": [listener()]},
        "routes": [http_route(name, to, prefix=f"/{name}") for name, to in routes.items()],
    }
)
tcp_routings = st.dictionaries(st.sampled_from("abcd"), targets, max_size=4).map(
    lambda routes: {
        "virtualRouter": {"name": "cart-router", "listeners": [listener(9000, "tcp")]},
        "routes": [tcp_route(name, to) for name, to in routes.items()],
    }
)
renamed = http_routings.map(lambda spec: spec | {"virtualRouter": {"name": "other-router", "listeners": [listener()]}})
routings = st.one_of(http_routings, tcp_routings, renamed)


@given(old=routings, new=routings, third=routings, crash=st.integers(0, 20), again=st.integers(0, 20))
def test_traffic_sees_the_old_routing_or_the_new_one_wherever_a_change_stops(old, new, third, crash, again):
    """At every prefix the service is on a complete routing; from any prefix any next spec converges, nothing left."""
    state = settled(desired(**old))
    before, goal = served(state), served(settled(desired(**new)))
    for step in steps_to(desired(**new), state)[:crash]:
        state = after(step, state)
        assert same(served(state), before) or same(served(state), goal)
    between, last = served(state), served(settled(desired(**third)))
    for step in steps_to(desired(**third), state)[:again]:
        state = after(step, state)
        assert same(served(state), between) or same(served(state), last)
    state = settled(desired(**third), state)
    assert same(served(state), last)
    assert len(state.of_kind(ApiKind.VIRTUAL_ROUTER)) == 1


@given(old=http_routings, new=http_routings)
def test_a_change_that_is_one_call_is_made_in_place(old, new):
    """One call in place, or a swap: the new router, its routes, the service, and the deletes of the old ones."""
    state = settled(desired(**old))
    steps = steps_to(desired(**new), state)
    if len(steps) > 1:
        assert len(steps) == 3 + len(new["routes"]) + len(old["routes"])
    else:
        assert all(step.object.kind is ApiKind.ROUTE for step in steps)


@pytest.mark.parametrize(
    ("mode", "operations"),
    [
        pytest.param("in-place", ["UpdateRoute", "UpdateRoute"], id="in-place"),
        pytest.param(
            "auto",
            ["CreateVirtualRouter", "CreateRoute", "CreateRoute", "UpdateVirtualService", "DeleteRoute", "DeleteRoute",
             "DeleteVirtualRouter"],
            id="auto",
        ),
    ],
)  # fmt: skip
def test_the_annotation_decides_how_two_edited_routes_are_brought_in(mode, operations):
    """`in-place` edits route by route, `auto` swaps when one call is not enough."""
    state = settled(desired(routes=[http_route("a", {"cart": 1}), http_route("b", {"cart": 1})]))
    edited = [http_route("a", {"cart": 2}), http_route("b", {"cart": 2})]
    steps = steps_to(desired({"meshwright.dev/routing-update": mode}, routes=edited), state)
    assert [step.operation for step in steps] == operations


def test_swap_by_annotation_also_replaces_the_router_for_one_edited_route():
    """`swap` never edits a live router."""
    state = settled(desired(routes=[http_route("a", {"cart": 1})]))
    wanted = desired({"meshwright.dev/routing-update": "swap"}, routes=[http_route("a", {"cart": 2})])
    assert steps_to(wanted, state)[0].operation == "CreateVirtualRouter"


def test_an_unknown_routing_update_is_an_invalid_resource():
    """The message names the annotation and the choices."""
    with pytest.raises(InvalidResource, match=r"routing-update.*auto, in-place, swap"):
        desired({"meshwright.dev/routing-update": "sideways"})
