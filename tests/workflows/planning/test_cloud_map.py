"""From pods to calls: the instance set of a Cloud Map service."""

from hypothesis import given
from hypothesis import strategies as st

from activities.cloud_map_messages import InstanceChange
from activities.messages import ResourceKey
from resources.cloud_map import Instance
from resources.kinds import Kind
from resources.pods import NodeIdentity
from workflows.cloud_map_messages import NodeInService, PodNews
from workflows.planning.cloud_map import InstancePlan, batches, held_by_us, plan_instances, wanted_instances


def node(name: str = "cart") -> NodeInService:
    """A node of a service; its uid is its name."""
    key = ResourceKey(kind=Kind.VIRTUAL_NODE, namespace="prod", name=name, uid=name)
    return NodeInService(key=key, identity=NodeIdentity(mesh="shop", name=f"{name}-prod"))


def instance(id: str = "10.0.0.1", **attributes: str) -> Instance:
    """An instance of the node `cart`, as the attributes tell."""
    ours = {"k8s.io/pod": "p", "k8s.io/namespace": "prod"}
    names = {"appmesh.k8s.aws/mesh": "shop", "appmesh.k8s.aws/virtualNode": "cart-prod"}
    return Instance(id=id, attributes=ours | names | attributes)


def news(uid: str, ip: str = "10.0.0.1", of: str = "cart", since: str = "1", **attributes: str) -> PodNews:
    """A pod that should be registered."""
    return PodNews(uid=uid, version=(1, 1), node=of, since=since, instance=instance(ip, **attributes))


def test_a_new_pod_is_registered_and_a_gone_one_deregistered() -> None:
    """What is as it should be is left alone."""
    wanted = wanted_instances([news("a", "10.0.0.1"), news("b", "10.0.0.2")], [node()])
    held = {"10.0.0.2": instance().digest, "10.0.0.3": "x"}
    plan = plan_instances(wanted, held, {})
    assert plan == InstancePlan(to_deregister=("10.0.0.3",), to_register=(instance("10.0.0.1"),))


def test_nobody_is_deregistered_while_somebody_may_be_untold() -> None:
    """What is to be registered does not wait."""
    plan = plan_instances({"10.0.0.1": instance()}, {"10.0.0.3": "x"}, {}, everybody_told=False)
    assert plan == InstancePlan(to_register=(instance(),))


def test_changed_attributes_are_registered_anew_without_a_gap() -> None:
    """Registering replaces; deregistering first would take a healthy pod out of service."""
    plan = plan_instances({"10.0.0.1": instance(stage="canary")}, {"10.0.0.1": instance().digest}, {})
    assert plan == InstancePlan(to_register=(instance(stage="canary"),))


def test_the_younger_of_two_pods_has_their_address() -> None:
    """An address is used again when its pod has gone, which may be told late."""
    pods = [news("old", since="1", pod="old"), news("new", since="2", pod="new")]
    for order in (pods, pods[::-1]):
        assert wanted_instances(order, [node()])["10.0.0.1"].attributes["pod"] == "new"


def test_pods_of_a_node_that_left_the_service_are_not_wanted() -> None:
    """The list of nodes is told whole, and decides."""
    assert wanted_instances([news("a", of="gone")], [node()]) == {}


def test_what_cloud_map_refused_is_not_tried_again_as_it_is() -> None:
    """But as soon as it is another."""
    refused = {"10.0.0.1": (instance().digest, "no")}
    assert plan_instances({"10.0.0.1": instance()}, {}, refused).empty
    assert not plan_instances({"10.0.0.1": instance(stage="b")}, {}, refused).empty


def test_instances_of_others_are_not_ours_to_change() -> None:
    """By their attributes: another node's, another cluster's, somebody's own."""
    served = [node().identity]
    strange = [
        Instance(id="10.0.0.2", attributes={"AWS_INSTANCE_IPV4": "10.0.0.2"}),
        instance("10.0.0.3", **{"appmesh.k8s.aws/virtualNode": "pay-prod"}),
        instance("10.0.0.4", **{"meshwright.dev/cluster": "west"}),
    ]
    assert held_by_us([instance(), *strange], served, "default") == {"10.0.0.1": instance().digest}


ips = st.sampled_from([f"10.0.0.{last}" for last in range(6)])
pods = st.builds(
    news, uid=st.text("abc", min_size=1, max_size=3), ip=ips, of=st.sampled_from(["cart", "pay"]), since=st.text("12")
)
holdings = st.dictionaries(ips, st.sampled_from([instance().digest, "stale"]))


@given(st.lists(pods, max_size=12), holdings)
def test_a_plan_carried_out_leaves_nothing_to_do(told: list[PodNews], held: dict[str, str]) -> None:
    """One plan is enough, it makes no call twice, and none about what is right already."""
    wanted = wanted_instances(told, [node()])
    plan = plan_instances(wanted, held, {})
    ids = [*plan.to_deregister, *(each.id for each in plan.to_register)]
    assert len(ids) == len(set(ids))
    after = {id: digest for id, digest in held.items() if id not in plan.to_deregister}
    after |= {each.id: each.digest for each in plan.to_register}
    assert after == {id: each.digest for id, each in wanted.items()}
    assert plan_instances(wanted, after, {}).empty
    assert len(ids) == sum(held.get(id) != after.get(id) for id in held.keys() | after.keys())


@given(st.permutations([news("a"), news("b", since="2"), news("c", "10.0.0.2"), news("d", of="pay")]))
def test_the_order_of_news_does_not_matter(told: list[PodNews]) -> None:
    """Two watchers tell the same things in different orders."""
    assert set(wanted_instances(told, [node()])) == {"10.0.0.1", "10.0.0.2"}
    assert wanted_instances(told, [node()]) == wanted_instances(sorted(told, key=lambda pod: pod.uid), [node()])


@given(st.integers(0, 60), st.integers(1, 20))
def test_batches_hold_every_change_once_and_in_order(count: int, size: int) -> None:
    """None is larger than asked for, and only the last is smaller."""
    changes = [InstanceChange(id=str(number)) for number in range(count)]
    made = batches(changes, size)
    assert [change for batch in made for change in batch] == changes
    assert all(len(batch) == size for batch in made[:-1])
    assert all(0 < len(batch) <= size for batch in made)
