"""What a Cloud Map service's workflow makes of what it is told: newest wins, twice is once."""

from hypothesis import given
from hypothesis import strategies as st

from resources.cloud_map import CloudMapService
from tests.workflows.planning.test_cloud_map import instance, node
from workflows.cloud_map_messages import NodeInService, PodNews, Tidings
from workflows.cloud_map_state import CloudMapState
from workflows.names import NO_STATE, NOBODY_TOLD

SERVICE = CloudMapService(namespace="shop.local", name="cart")


def pod(uid: str, version: int, ip: str | None = "10.0.0.1", node_version: int = 1) -> PodNews:
    """A pod of the node `cart`; without an address it should not be registered."""
    return PodNews(
        uid=uid,
        version=(version, node_version),
        node="cart",
        since="1",
        instance=instance(ip) if ip is not None else None,
    )


def told(
    *pods: PodNews,
    nodes: tuple[NodeInService, ...] = (node(),),
    nodes_version: int = 1,
    roster: tuple[str, ...] | None = None,
    as_of: int = 0,
    sweep: bool = False,
) -> Tidings:
    """A message."""
    return Tidings(
        because="test",
        cluster="default",
        service=SERVICE,
        nodes=nodes,
        nodes_version=nodes_version,
        pods=pods,
        roster=roster,
        as_of=as_of,
        sweep=sweep,
    )


def state_after(*messages: Tidings) -> CloudMapState:
    """The state that these leave."""
    state = CloudMapState()
    for message in messages:
        state.take(message)
    return state


def test_news_that_is_known_is_no_news() -> None:
    """A second watcher tells the same."""
    state = state_after(told(pod("a", 5)))
    state.dirty = False
    state.take(told(pod("a", 5), pod("a", 4, None), nodes_version=0, nodes=()))
    assert (state.dirty, set(state.wanted())) == (False, {"10.0.0.1"})


def test_a_later_sighting_of_the_same_instance_is_no_work() -> None:
    """Only its version is kept."""
    state = state_after(told(pod("a", 5)))
    state.dirty = False
    state.take(told(pod("a", 9)))
    assert (state.dirty, state.pods["a"].version) == (False, (9, 1))


def test_a_pod_that_should_not_be_registered_is_forgotten() -> None:
    """And is work only if it was known."""
    state = state_after(told(pod("a", 5)))
    state.dirty = False
    state.take(told(pod("a", 6, None)))
    assert (state.dirty, state.pods) == (True, {})
    state.dirty = False
    state.take(told(pod("b", 6, None)))
    assert not state.dirty


def test_a_change_of_the_node_is_newer_than_the_same_pod_before() -> None:
    """Its attributes are the instances'."""
    state = state_after(told(pod("a", 5)), told(pod("a", 5, "10.0.0.2", node_version=2)))
    assert set(state.wanted()) == {"10.0.0.2"}


def test_a_roster_drops_what_it_lacks_unless_that_is_newer() -> None:
    """A pod may have come after the roster was made."""
    state = state_after(told(pod("a", 5), pod("b", 6, "10.0.0.2"), pod("c", 9, "10.0.0.3")))
    state.take(told(roster=("b",), as_of=7))
    assert set(state.wanted()) == {"10.0.0.2", "10.0.0.3"}


def test_an_older_list_of_nodes_changes_nothing() -> None:
    """It comes from a watcher that lags behind."""
    state = state_after(told(nodes_version=5), told(nodes=(), nodes_version=4))
    assert state.nodes == (node(),)


def test_a_node_that_goes_takes_its_pods_along_but_stays_known_as_served() -> None:
    """Its instances are still ours to deregister."""
    state = state_after(told(pod("a", 5)), told(nodes=(), nodes_version=2))
    assert (state.wanted(), state.pods) == ({}, {})
    assert state.served == (node().identity,)


def test_a_sweep_is_work_even_without_news() -> None:
    """Cloud Map is asked what it holds."""
    state = state_after(told())
    state.dirty = False
    state.take(told(sweep=True))
    assert (state.dirty, state.sweep, state.has_work()) == (False, True, True)


def test_who_is_not_told_of_yet_is_nobody_to_deregister_until_a_roster_says_so() -> None:
    """The first messages tell of a hundred pods each, and the last has the roster."""
    state = CloudMapState.model_validate(NOBODY_TOLD)
    state.take(told(pod("a", 5)))
    assert not state.complete
    state.take(told(roster=("a", "b"), as_of=9))
    assert not state.complete, "b was lost on the way"
    state.dirty = False
    state.take(told(pod("b", 6, "10.0.0.2"), roster=("a", "b"), as_of=9))
    assert (state.complete, state.dirty) == (True, True)
    state.take(told(roster=("a", "b", "c"), as_of=10))
    assert state.complete, "once told of everybody it hears of each that comes"


def test_an_empty_roster_is_one() -> None:
    """A service whose pods are all gone has instances to deregister."""
    state = CloudMapState.model_validate(NOBODY_TOLD)
    state.take(told(roster=(), as_of=9))
    assert state.complete


def test_a_workflow_that_began_in_an_earlier_release_goes_on_as_before() -> None:
    """It was started without saying, and its history has to replay."""
    assert CloudMapState.model_validate(NO_STATE).complete


addresses = st.sampled_from([None, "10.0.0.1", "10.0.0.2"])
histories = st.lists(st.tuples(st.sampled_from("ab"), addresses), max_size=8)


@given(histories, st.randoms())
def test_messages_in_any_order_and_any_number_end_in_one_state(history, random) -> None:
    """Of what remains registered. A pod that left for good may be told of again by a late message, until a roster."""
    messages = [told(pod(uid, version, ip)) for version, (uid, ip) in enumerate(history, start=1)]
    shuffled = messages + random.choices(messages, k=len(messages)) if messages else []
    random.shuffle(shuffled)
    last = dict(history)
    live = tuple(sorted(uid for uid, ip in last.items() if ip is not None))
    roster = told(roster=live, as_of=len(history))
    ordered, disordered = state_after(*messages, roster), state_after(*shuffled, roster)
    assert {uid: disordered.pods[uid] for uid in live} == ordered.pods
    assert set(disordered.pods) == set(live)
