"""From App Mesh objects to the resources that have to look at them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from activities.objects import ApiKind, ApiObject
from resources.kinds import Kind
from tests import builders
from tests.builders import Manifest
from tests.watcher.sightings import index_of, settled, sighting
from watcher.index import Name
from watcher.owners import all_in_doubt, doubts, minds_again, places_of
from workflows.messages import Snapshot

SERVICE = "cart.prod.svc.cluster.local"
MESH = ApiObject.mesh_object("shop")
NODE = ApiObject(kind=ApiKind.VIRTUAL_NODE, mesh="shop", name="cart-prod")


def router(name: str, mesh: str = "shop") -> ApiObject:
    """A router of the mesh."""
    return ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh=mesh, name=name)


def route(name: str, on: str) -> ApiObject:
    """A route of a router."""
    return ApiObject(kind=ApiKind.ROUTE, mesh="shop", name=name, router=on)


def service_object(name: str = SERVICE) -> ApiObject:
    """A virtual service of the mesh."""
    return ApiObject(kind=ApiKind.VIRTUAL_SERVICE, mesh="shop", name=name)


def service(name: str = SERVICE, namespace: str = "prod", router: str | None = "cart", **spec: object) -> Manifest:
    """A service whose router is called so."""
    given = {"name": router} if router is not None else None
    return builders.virtual_service(name, namespace, virtualRouter=given, **spec)


def ignoring(manifest: Manifest) -> Manifest:
    """The same, with drift left alone."""
    manifest["metadata"]["annotations"] = {"meshwright.dev/drift": "ignore"}
    return manifest


def owners(object: ApiObject, *snapshots: Snapshot) -> list[str]:
    """Names of the resources that are told of a write to an object."""
    return [change.snapshot.key.name for change in doubts([object], "edited", index_of(*snapshots))]


@pytest.mark.parametrize(
    ("object", "owner"),
    [
        pytest.param(MESH, "shop", id="mesh"),
        pytest.param(NODE, "cart", id="node"),
        pytest.param(service_object(), SERVICE, id="service"),
        pytest.param(router("cart-prod"), SERVICE, id="router"),
        pytest.param(router("cart-prod-0a1b2c3d"), SERVICE, id="router-of-a-swap"),
        pytest.param(route("any", "cart-prod"), SERVICE, id="route"),
        pytest.param(route("any", "cart-prod-0a1b2c3d"), SERVICE, id="route-of-a-swapped-router"),
        pytest.param(router("pay-prod"), None, id="another-router"),
        pytest.param(router("cart-prod", "other"), None, id="another-mesh"),
        pytest.param(router("cart-prod-0a1b2c3x"), None, id="no-swap-ends-so"),
        pytest.param(NODE.model_copy(update={"name": "cart"}), None, id="another-node"),
    ],
)
def test_an_object_belongs_to_the_resource_that_makes_it(object, owner):
    """By the names that the resource gives."""
    all = (settled(builders.mesh()), settled(builders.virtual_node()), settled(service()))
    assert owners(object, *all) == ([owner] if owner else [])


def test_a_router_without_a_name_is_called_after_its_service():
    """As the planner calls it."""
    named_after = settled(service(router=None))
    assert owners(router("cart-prod-svc-cluster-local"), named_after) == [SERVICE]


def test_what_the_status_records_belongs_to_the_resource_too():
    """A service was adopted with a router of another name, or has left one for another."""
    arn = "arn:aws:appmesh:us-west-2:000000000000:mesh/shop/virtualRouter/old-router"
    assert owners(route("r", "old-router"), settled(service(), status={"virtualRouterArn": arn})) == [SERVICE]


def test_the_mesh_in_the_status_of_a_node_is_not_the_nodes():
    """Only the mesh itself looks at the mesh."""
    arn = "arn:aws:appmesh:us-west-2:000000000000:mesh/shop"
    assert owners(MESH, settled(builders.virtual_node(), status={"meshArn": arn})) == []


def test_all_who_share_a_router_are_told():
    """Each workflow looks only at what it knows to be its own."""
    assert owners(router("cart-prod"), settled(service("a")), settled(service("b"))) == ["a", "b"]


def test_each_owner_is_told_once_of_all_that_is_its():
    """A page of changes is one message per resource, with the sighting that is known now."""
    node, cart = settled(builders.virtual_node()), settled(service())
    written = [NODE, route("a", "cart-prod"), route("b", "cart-prod"), route("a", "cart-prod"), service_object()]
    told = {Name.of(change.snapshot): change for change in doubts(written, "by hand", index_of(node, cart))}
    assert told[Name.of(node)].doubt == (NODE,)
    assert set(told[Name.of(cart)].doubt) == {*written} - {NODE}
    assert told[Name.of(cart)].snapshot == cart
    assert {change.because for change in told.values()} == {"by hand"}


def test_who_does_not_mind_is_not_told():
    """Neither of one write nor when everything is in doubt."""
    index = index_of(settled(ignoring(builders.virtual_node())), settled(ignoring(builders.mesh())), settled(service()))
    assert [change.snapshot.key.name for change in doubts([NODE, MESH, service_object()], "", index)] == [SERVICE]
    assert [(change.snapshot.key.name, change.doubt_all) for change in all_in_doubt("", index)] == [(SERVICE, True)]


def test_who_minds_again_doubts_everything():
    """Nobody looked while it did not mind; any other change of annotations says nothing."""
    minding, not_minding = settled(builders.virtual_node()), settled(ignoring(builders.virtual_node()))
    change = minds_again(not_minding, minding)
    assert change is not None
    assert (change.snapshot, change.doubt_all) == (minding, True)
    for old, new in ((minding, not_minding), (minding, minding), (not_minding, not_minding), (None, minding)):
        assert minds_again(old, new) is None


def test_a_spec_that_makes_no_sense_has_owners_all_the_same():
    """The watcher copes with whatever the API server let through."""
    odd = service()
    odd["spec"] = {"virtualRouter": {"name": None}, "routes": None}
    assert list(places_of(sighting(odd)))


@example("cart-deadbeef", "0", False)
@example("x" * 237 + "-deadbeef", "0", True)
@given(st.text("abc.-", min_size=1, max_size=260), st.sampled_from("0a"), st.booleans())
def test_a_router_and_its_swaps_have_the_same_owner(name, digit, long):
    """Whatever the name, also one that a swap has to cut."""
    base = (name + "x" * (255 if long else 0))[:255].rstrip(".")
    cart = settled(service(router=base or "x"))
    made = next(place for place in places_of(cart) if place.kind is ApiKind.VIRTUAL_ROUTER)
    swapped = made.model_copy(update={"name": f"{made.name[:246]}-{digit * 8}"})
    assert owners(made, cart) == owners(swapped, cart) == [SERVICE]
    assert cart.key.kind is Kind.VIRTUAL_SERVICE
