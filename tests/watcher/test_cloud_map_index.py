"""Which pods belong in which Cloud Map service, and who has to hear of a change."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.cloud_map import CloudMapService
from resources.kinds import Kind
from resources.pods import NodeIdentity, Pod
from tests.builders import virtual_node
from tests.watcher.pods import in_cloud_map, pod
from tests.watcher.sightings import sighting
from watcher.cloud_map_index import MOST_KEPT_OUT, CloudMapIndex, News, Node
from watcher.index import Name

CART = CloudMapService(namespace="shop.local", name="cart")
PAY = CloudMapService(namespace="shop.local", name="pay")


def see(index: CloudMapIndex, name: str = "cart", service: str = "cart", **state: Any) -> News:
    """A sighting of a node in a service."""
    attributes = state.pop("attributes", {})
    annotations = state.pop("annotations", {})
    manifest = virtual_node(name, **in_cloud_map(service, **attributes))
    manifest["metadata"]["annotations"] = annotations
    snapshot = sighting(manifest, **state)
    return index.put_node(Name.of(snapshot), Node.of(snapshot))


def put(index: CloudMapIndex, **state: Any) -> News:
    """A sighting of a pod."""
    return index.put_pod(Pod.of(pod(**state)))


def with_cart() -> CloudMapIndex:
    """An index that knows the node `cart` in the service of its name."""
    index = CloudMapIndex("default")
    see(index)
    return index


def test_a_pod_that_becomes_ready_is_news_once() -> None:
    """Not its creation, and not what else changes of it."""
    index = with_cart()
    assert put(index, ip=None) == {}
    assert put(index, ready=False) == {}
    assert put(index) == {CART: {"cart-1"}}
    assert put(index, version=11) == {}
    assert index.roster(CART) == {"cart-1": 11}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"ready": False}, id="not-ready"),
        pytest.param({"terminating": True}, id="terminating"),
        pytest.param({"node": "pay-prod"}, id="of-another-node"),
        pytest.param({"mesh": "other"}, id="of-another-mesh"),
    ],
)
def test_a_pod_that_should_not_take_traffic_any_more_is_news(change: dict[str, Any]) -> None:
    """Told as a pod without an instance."""
    index = with_cart()
    put(index)
    assert put(index, version=12, **change) == {CART: {"cart-1"}}
    (news,) = index.news_of(CART, {"cart-1"}, {})
    assert (news.instance, news.version[0]) == (None, 12)


def test_labels_are_attributes_so_a_change_of_them_is_news() -> None:
    """The instance is registered anew."""
    index = with_cart()
    put(index)
    assert put(index, app="cart") == {CART: {"cart-1"}}


def test_a_pod_that_is_gone_is_told_as_of_when() -> None:
    """So that it is not told of again by a watcher that lags behind."""
    index = with_cart()
    put(index)
    assert index.remove_pod("cart-1") == {CART: {"cart-1"}}
    (news,) = index.news_of(CART, {"cart-1"}, {"cart-1": 99})
    assert (news.instance, news.version) == (None, (99, 0))
    assert index.remove_pod("cart-1") == {}


def test_running_is_enough_where_the_node_says_so() -> None:
    """The rule of the controller before us, by annotation."""
    index = with_cart()
    put(index, ready=False)
    assert index.roster(CART) == {}
    assert see(index, annotations={"meshwright.dev/cloud-map-instances": "running"}) == {CART: {"cart-1"}}
    assert set(index.roster(CART)) == {"cart-1"}


def test_a_pod_of_another_namespace_is_no_instance_whatever_it_says_of_itself() -> None:
    """Else whoever may create pods anywhere would receive the node's traffic."""
    index = with_cart()
    assert put(index, name="evil", namespace="mallory") == {CART: set()}
    assert index.roster(CART) == {}
    (news,) = index.news_of(CART, {"evil"}, {})
    assert news.instance is None


LETS_IN = "meshwright.dev/pod-namespaces"


@pytest.mark.parametrize("value", ["shop-blue", "a, shop-blue", "*"])
def test_a_node_may_let_pods_of_other_namespaces_in(value: str) -> None:
    """By annotation; which takes them out again when it goes."""
    index = with_cart()
    put(index, name="blue", namespace="shop-blue")
    put(index, name="own", ip="10.0.0.2")
    assert CART in see(index, annotations={LETS_IN: value})
    assert set(index.roster(CART)) == {"blue", "own"}
    assert CART in see(index)
    assert set(index.roster(CART)) == {"own"}


@pytest.mark.parametrize("value", ["", "shop-green", "*,shop-blue", "shop-*", "Shop-Blue"])
def test_whom_a_node_does_not_surely_mean_it_does_not_let_in(value: str) -> None:
    """A value that cannot be read lets nobody in, and is told by the node's own workflow."""
    index = with_cart()
    see(index, annotations={LETS_IN: value})
    assert put(index, name="blue", namespace="shop-blue") == {CART: set()}
    assert put(index, name="own", ip="10.0.0.2") == {CART: {"own"}}


def kept_out(index: CloudMapIndex, service: CloudMapService = CART) -> tuple[str, ...]:
    """Whom the one node of a service is told that it keeps out."""
    [node] = index.nodes_in(service)
    return node.kept_out


def test_a_node_hears_which_namespaces_it_keeps_out() -> None:
    """In order, once each, and no longer when it lets them in."""
    index = with_cart()
    assert kept_out(index) == ()
    put(index, name="own")
    assert put(index, name="b", namespace="shop-blue", ready=False) == {CART: set()}
    assert put(index, name="b", namespace="shop-blue") == {}
    assert put(index, name="b2", namespace="shop-blue") == {}
    assert put(index, name="a", namespace="mallory") == {CART: set()}
    assert kept_out(index) == ("mallory", "shop-blue")
    see(index, annotations={LETS_IN: "shop-blue"})
    assert kept_out(index) == ("mallory",)
    assert put(index, name="b3", namespace="shop-blue", ip="10.0.0.3") == {CART: {"b3"}}


def test_strangers_who_come_and_go_are_news_once() -> None:
    """Whoever may create pods shall not have a node's status written again and again; a sweep sees who is left."""
    index = with_cart()
    assert put(index, name="evil", namespace="mallory") == {CART: set()}
    for _ in range(3):
        assert index.remove_pod("evil") == {}
        assert put(index, name="evil", namespace="mallory") == {}
    assert kept_out(index) == ("mallory",)
    index.forget_homes()
    assert kept_out(index) == ("mallory",)
    index.remove_pod("evil")
    index.forget_homes()
    assert kept_out(index) == ()


def test_a_node_hears_of_strangers_that_were_there_before_it() -> None:
    """The streams are not ordered among each other; and of many it hears of a few."""
    index = CloudMapIndex("default")
    for number in range(MOST_KEPT_OUT + 5):
        put(index, name=f"p{number}", namespace=f"n{number:02}")
    assert CART in see(index)
    assert kept_out(index) == tuple(f"n{number:02}" for number in range(MOST_KEPT_OUT))


def test_a_node_that_moves_keeps_out_of_the_old_service_too_whom_it_no_longer_lets_in() -> None:
    """The old service is held by what the node says now."""
    index = CloudMapIndex("default")
    see(index, annotations={LETS_IN: "*"})
    put(index, name="blue", namespace="shop-blue")
    see(index, service="pay", generation=2, annotations={LETS_IN: "*"})
    assert (set(index.roster(CART)), set(index.roster(PAY))) == ({"blue"}, {"blue"})
    assert see(index, service="pay", generation=2) == {CART: {"blue"}, PAY: {"blue"}}
    assert (index.roster(CART), index.roster(PAY)) == ({}, {})


def test_a_nodes_status_is_no_news_but_its_attributes_are() -> None:
    """What is told of pods depends on the spec alone."""
    index = with_cart()
    put(index)
    assert see(index, status={"x": 1}) == {}
    assert see(index, attributes={"stage": "canary"}) == {CART: {"cart-1"}}


def test_a_node_that_moves_keeps_its_pods_in_the_old_service_until_the_new_one_has_them() -> None:
    """The new one gets them, and the old one loses them when the status says that they are registered."""
    index = with_cart()
    put(index)
    stale = {"conditions": [{"type": "CloudMapServiceReady", "status": "True", "observedGeneration": 1}]}
    assert see(index, service="pay", generation=2, status=stale) == {PAY: {"cart-1"}}
    assert (set(index.roster(CART)), set(index.roster(PAY))) == ({"cart-1"}, {"cart-1"})
    assert (len(index.nodes_in(CART)), len(index.nodes_in(PAY))) == (1, 1)
    assert index.services() == {CART, PAY}

    done = {"conditions": [{"type": "CloudMapServiceReady", "status": "True", "observedGeneration": 2}]}
    assert see(index, service="pay", generation=2, status=done) == {CART: {"cart-1"}}
    assert (index.roster(CART), set(index.roster(PAY))) == ({}, {"cart-1"})
    assert (index.nodes_in(CART), index.services()) == ((), {PAY})


def test_a_node_that_moves_back_leaves_the_other_service() -> None:
    """Whatever it had come to there."""
    index = with_cart()
    put(index)
    see(index, service="pay", generation=2)
    assert see(index, service="cart", generation=3) == {}
    assert index.services() == {CART, PAY}
    done = {"conditions": [{"type": "CloudMapServiceReady", "status": "True", "observedGeneration": 3}]}
    assert see(index, service="cart", generation=3, status=done) == {PAY: {"cart-1"}}


@pytest.mark.parametrize("change", [{"deleting": True}, {"uid": "uid-2"}], ids=["deleted", "recreated"])
def test_a_node_that_goes_while_it_moves_leaves_both_services(change: dict[str, Any]) -> None:
    """Nothing is remembered of it."""
    index = with_cart()
    put(index)
    see(index, service="pay", generation=2)
    assert CART in see(index, service="pay", generation=3, **change)
    assert index.nodes_in(CART) == ()


def test_a_node_that_is_being_deleted_uses_no_service() -> None:
    """Its pods are deregistered at once, not when its finalizer is off."""
    index = with_cart()
    put(index)
    assert see(index, deleting=True) == {CART: {"cart-1"}}
    assert (index.nodes_in(CART), index.services()) == ((), set())


def test_pods_may_be_seen_before_their_node() -> None:
    """The streams are not ordered among each other."""
    index = CloudMapIndex("default")
    assert put(index) == {}
    assert see(index) == {CART: {"cart-1"}}


def test_the_oldest_of_two_nodes_with_one_name_has_the_pods() -> None:
    """As it owns the App Mesh object."""
    index = CloudMapIndex("default")
    older = virtual_node("cart", **in_cloud_map("cart"))
    newer = virtual_node("cart.prod", **in_cloud_map("pay"))
    for manifest, created in ((newer, "2026-01-02T00:00:00Z"), (older, "2026-01-01T00:00:00Z")):
        snapshot = sighting(manifest).model_copy(update={"created": created})
        index.put_node(Name.of(snapshot), Node.of(snapshot))
    put(index)
    assert (set(index.roster(CART)), index.roster(PAY)) == ({"cart-1"}, {})
    assert index.nodes_in(PAY) == ()


pod_events = st.tuples(
    st.just("pod"),
    st.sampled_from("ab"),
    st.booleans(),
    st.sampled_from(["cart-prod", "pay-prod"]),
)
node_events = st.tuples(
    st.just("node"), st.sampled_from(["cart", "pay"]), st.booleans(), st.sampled_from(["cart", "pay"])
)


@given(st.lists(pod_events | node_events, max_size=25))
def test_whoever_hears_only_of_news_knows_everything(events: list[tuple[str, str, bool, str]]) -> None:
    """A service that is told of exactly what the index says is news ends with the roster, whatever happened before."""
    index = CloudMapIndex("default")
    known: dict[CloudMapService, dict[str, Any]] = {CART: {}, PAY: {}}
    for version, (what, name, there, other) in enumerate(events, start=1):
        if what == "pod":
            changes = put(index, name=name, node=other, version=version) if there else index.remove_pod(name)
        elif there:
            changes = see(index, name, other, version=str(version))
        else:
            changes = index.put_node(Name.of(sighting(virtual_node(name))), None)
        for service, uids in changes.items():
            for news in index.news_of(service, uids, {name: version}):
                known[service].pop(news.uid, None)
                if news.instance is not None:
                    known[service][news.uid] = news.instance
    for service, instances in known.items():
        roster = index.roster(service)
        assert set(instances) == set(roster)
        assert {news.uid: news.instance for news in index.news_of(service, roster, {})} == instances


def test_one_service_is_not_looked_for_among_all_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a thousand nodes each message, and each sweep a thousand of them, would hold up the whole watcher."""
    index = CloudMapIndex("default")
    for number in range(50):
        see(index, f"n{number}", f"n{number}")
    see(index, "n0", "pay")
    asked: list[str] = []
    owner = index.owner

    def noted(identity: NodeIdentity) -> Node | None:
        asked.append(identity.name)
        return owner(identity)

    monkeypatch.setattr(index, "owner", noted)
    assert [node.key.name for node in index.nodes_in(PAY)] == ["n0"]
    assert [node.key.name for node in index.nodes_in(CloudMapService(namespace="shop.local", name="n0"))] == ["n0"]
    assert set(asked) == {"n0-prod"}


def test_services_that_nobody_uses_are_forgotten() -> None:
    """Also the one that a node has left for good, and one whose node is gone."""
    index = CloudMapIndex("default")
    see(index)
    see(index, service="pay")
    assert index.services() == {CART, PAY}
    ready = {"type": "CloudMapServiceReady", "status": "True", "observedGeneration": 1}
    see(index, service="pay", status={"conditions": [ready]})
    assert index.services() == {PAY}
    assert index.nodes_in(CART) == ()
    index.put_node(Name(Kind.VIRTUAL_NODE, "prod", "cart"), None)
    assert (index.services(), index.nodes_in(PAY)) == (set(), ())
