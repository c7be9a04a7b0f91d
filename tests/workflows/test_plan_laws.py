"""Laws of planning, on an App Mesh that refuses what the real one would refuse.

A run is a chain of specs. Each is reconciled until it is interrupted: somewhere, with the steps of a stage in any
order, as they run side by side. The last one is left to finish.
"""

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from activities.objects import ApiKind, ApiObject
from resources.normal import same_spec
from tests.builders import Manifest, grpc_route, http_route, listener, virtual_service
from tests.workflows.app_mesh_model import AppMeshModel
from tests.workflows.snapshots import desired, node, references, service
from workflows.planning.desired import Desired
from workflows.planning.plan import Observed, Plan, Step, plan
from workflows.planning.routing import ANNOTATION

MESHES = ("shop", "other")
NODES = ("cart", "cart-v2")
GIVEN = tuple(
    object for mesh in MESHES for object in (ApiObject.mesh_object(mesh), *(node(f"{n}-prod", mesh) for n in NODES))
)
Seen = dict[str, Any] | None


@st.composite
def specs(
    draw: st.DrawFn, meshes: tuple[str, ...] = MESHES, routers: tuple[str, ...] = ("r", "q"), routed: bool = False
) -> dict[str, Any]:
    """Specs of one service that differ in everything that makes another object; some, unless routed, have no router."""
    mesh = draw(st.sampled_from(meshes))
    if not routed and draw(st.booleans()):
        provider = {"virtualNode": {"virtualNodeName": draw(st.sampled_from(NODES))}}
        return {"meshName": mesh, "provider": provider, "virtualRouter": None, "routes": []}
    targets = st.dictionaries(st.sampled_from(NODES), st.integers(1, 3), min_size=1)
    routes = draw(st.dictionaries(st.sampled_from("abc"), targets))
    protocol, route = draw(st.sampled_from([("http", http_route), ("http", http_route), ("grpc", grpc_route)]))
    return {
        "meshName": mesh,
        "virtualRouter": {
            "name": draw(st.sampled_from(routers)),
            "listeners": [listener(draw(st.sampled_from([8080, 9090])), protocol)],
        },
        "routes": [route(name, to) for name, to in routes.items()],
    }


def reconcile(model: AppMeshModel, wanted: Desired | None, data: st.DataObject | None = None) -> Iterator[Step]:
    """Plan for what is there, and carry it out step by step; the caller may stop anywhere."""
    for stage in planned(model, wanted).stages:
        for step in data.draw(st.permutations(stage), label="order") if data is not None else stage:
            model.run(step)
            yield step


def planned(model: AppMeshModel, wanted: Desired | None) -> Plan:
    """The plan for what is there; None wants nothing to be left."""
    observed = model.observed(*GIVEN)
    return plan(wanted.wanted(references(*NODES), observed) if wanted is not None else (), observed)


def seen(model: AppMeshModel, mesh: str) -> Seen:
    """What callers of the service meet in a mesh."""
    return model.routing_of(service(mesh=mesh))


def goal(spec: dict[str, Any], mesh: str) -> Seen:
    """What callers meet when a spec is fully reconciled."""
    model = AppMeshModel(*GIVEN)
    list(reconcile(model, desired(virtual_service(**spec))))
    return seen(model, mesh)


def alike(one: Seen, other: Seen) -> bool:
    """Whether callers could not tell two routings apart; the order of targets, say, makes no difference."""
    if one is None or other is None:
        return one is other
    return one.keys() == other.keys() and all(same_spec(one[name], other[name]) for name in one)


def owned(model: AppMeshModel) -> list[ApiObject]:
    """What was made for the service."""
    return [object for object in model.objects if object not in GIVEN]


@given(st.lists(specs(), min_size=1, max_size=4), st.data())
def test_wherever_a_chain_of_changes_is_interrupted_callers_meet_a_complete_routing(
    chain: list[dict[str, Any]], data: st.DataObject
) -> None:
    """In each mesh they meet what was there before or what is wanted, never a mixture; no step is ever refused.

    And the end is exactly what the last spec wants: one router, its routes, one service, nothing left over.
    """
    model = AppMeshModel(*GIVEN)
    for number, spec in enumerate(chain):
        wanted = desired(virtual_service(**spec))
        allowed = {mesh: (seen(model, mesh), goal(spec, mesh)) for mesh in MESHES}
        last = number == len(chain) - 1
        patience = None if last else data.draw(st.integers(0, 8), label="steps before the interruption")
        for done, _ in enumerate(reconcile(model, wanted, data), start=1):
            assert all(any(alike(seen(model, mesh), each) for each in allowed[mesh]) for mesh in MESHES)
            if done == patience:
                break
    assert all(alike(seen(model, mesh), goal(chain[-1], mesh)) for mesh in MESHES)
    assert len(owned(model)) == (1 if "provider" in chain[-1] else 2 + len(chain[-1]["routes"]))
    assert planned(model, desired(virtual_service(**chain[-1]))).steps == ()


@given(st.lists(specs(), max_size=3), st.data())
def test_deletion_leaves_nothing_wherever_it_begins_and_is_interrupted(
    chain: list[dict[str, Any]], data: st.DataObject
) -> None:
    """After any half-made change, and after any half-made deletion; nodes and meshes of others stay."""
    model = AppMeshModel(*GIVEN)
    for spec in chain:
        patience = data.draw(st.integers(1, 8), label="steps before the interruption")
        for done, _ in enumerate(reconcile(model, desired(virtual_service(**spec)), data), start=1):
            if done == patience:
                break
    for _ in reconcile(model, None, data):
        if data.draw(st.booleans(), label="interrupted"):
            break
    list(reconcile(model, None, data))
    assert owned(model) == []
    assert set(model.objects) == set(GIVEN)


@given(specs(("shop",), ("r",), routed=True), specs(("shop",), ("r",), routed=True))
def test_change_in_place_makes_one_call_for_each_object_that_differs(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Not one call more, but for a route that becomes one of another protocol, which is made anew."""
    model = AppMeshModel(*GIVEN)
    list(reconcile(model, in_place(virtual_service(**old))))
    before, after = seen(model, "shop") or {}, goal(new, "shop") or {}
    differing = [
        name
        for name in before.keys() | after.keys()
        if name not in before or name not in after or not same_spec(after[name], before[name])
    ]
    remade = [name for name in before.keys() & after.keys() - {""} if before[name].keys() != after[name].keys()]
    assert len(planned(model, in_place(virtual_service(**new))).steps) == len(differing) + len(remade)


@given(st.lists(specs(("shop",), ("r",), routed=True), min_size=1, max_size=4))
def test_any_chain_of_changes_in_place_is_carried_out(chain: list[dict[str, Any]]) -> None:
    """App Mesh refuses none of the calls, and the end is what the last spec wants."""
    model = AppMeshModel(*GIVEN)
    for spec in chain:
        list(reconcile(model, in_place(virtual_service(**spec))))
        assert alike(seen(model, "shop"), goal(spec, "shop"))


def in_place(manifest: Manifest) -> Desired:
    """A service whose live router is always edited."""
    return desired(manifest, annotations={ANNOTATION: "in-place"})


@given(specs(routed=True))
def test_plan_names_each_object_once(spec: dict[str, Any]) -> None:
    """So client tokens, made from operation and object, never clash within a reconcile."""
    steps = plan(desired(virtual_service(**spec)).wanted(references(*NODES), Observed()), Observed()).steps
    assert len({(step.operation, step.object) for step in steps}) == len(steps)
    assert [step.object.kind for step in steps if step.object.kind is not ApiKind.ROUTE] == [
        ApiKind.VIRTUAL_ROUTER,
        ApiKind.VIRTUAL_SERVICE,
    ]
