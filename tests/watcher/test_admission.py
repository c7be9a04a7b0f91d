"""Who may begin: first reconciles a few at a time, each after what it needs; edits never wait."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from resources.kinds import Kind
from tests import builders
from tests.watcher.conftest import Eventually
from tests.watcher.fake_workflows import FakeWorkflows
from tests.watcher.sightings import sighting
from tests.watcher.test_delivery import sending
from watcher.admission import AT_MOST, LONGEST_SECONDS, PATIENCE_SECONDS, Admission
from watcher.delivery import ResourceOutbox
from watcher.index import Name
from workflows.messages import Change, Snapshot


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """The time that it was set to."""
        return self.now


def mesh(name: str = "shop") -> Snapshot:
    """A Mesh that nobody has reported on."""
    return sighting(builders.mesh(name))


def node(name: str, namespace: str = "prod") -> Snapshot:
    """A VirtualNode of mesh `shop`."""
    return sighting(builders.virtual_node(name, namespace=namespace, meshName="shop"))


def service(name: str, *nodes: str) -> Snapshot:
    """A VirtualService of mesh `shop` with routes to these nodes."""
    return sighting(
        builders.virtual_service(name, meshName="shop", routes=[builders.http_route("r", dict.fromkeys(nodes, 1))])
    )


def names(admission: Admission) -> list[str]:
    """Who may begin now."""
    return [name.name for name in admission.admitted()]


def test_no_more_than_a_few_begin_at_once() -> None:
    """Each that is done makes room for the next."""
    admission = Admission(at_once=2)
    for name in ("a", "b", "c"):
        admission.hold(node(name))
    assert names(admission) == ["a", "b"]
    assert names(admission) == []
    admission.done(Name(Kind.VIRTUAL_NODE, "prod", "a"))
    assert names(admission) == ["c"]


def test_a_resource_begins_after_what_it_refers_to() -> None:
    """In whatever order they come, mesh, node and service begin one after the other."""
    admission = Admission()
    for each in (service("cart", "a"), node("a"), mesh()):
        admission.hold(each)
    order = []
    while begun := list(admission.admitted()):
        order.append([name.name for name in begun])
        for name in begun:
            admission.done(name)
    assert order == [["shop"], ["a"], ["cart"]]


def test_what_is_missing_is_not_waited_for() -> None:
    """Its workflow shall say that it waits: only what is about to come holds others up."""
    admission = Admission()
    admission.hold(service("cart", "nobody"))
    assert names(admission) == ["cart"]


def test_nobody_waits_for_ever() -> None:
    """Whoever is at work for too long makes room, and frees those that refer to it."""
    clock = Clock()
    admission = Admission(at_once=1, clock=clock)
    admission.hold(mesh())
    assert names(admission) == ["shop"]
    admission.hold(node("a"))
    assert names(admission) == []
    clock.now += PATIENCE_SECONDS
    assert names(admission) == ["a"]


def test_beside_those_who_take_long_others_begin_up_to_a_number() -> None:
    """While App Mesh does not answer, the others shall say so too; but a slow machine is not given ever more."""
    clock = Clock()
    admission = Admission(at_once=16, clock=clock)
    for number in range(200):
        admission.hold(node(f"n{number:03}"))
    begun = names(admission)
    assert len(begun) == 16
    while len(begun) < AT_MOST:
        clock.now += PATIENCE_SECONDS
        admission.done(Name(Kind.VIRTUAL_NODE, "prod", begun.pop()))
        more = names(admission)
        assert more
        begun += more
    clock.now += PATIENCE_SECONDS
    admission.done(Name(Kind.VIRTUAL_NODE, "prod", begun.pop()))
    assert len(names(admission)) == 1


def test_whoever_takes_too_long_counts_as_done_while_others_report() -> None:
    """What refers to it begins, and says that it waits."""
    clock = Clock()
    admission = Admission(clock=clock)
    admission.hold(mesh())
    assert names(admission) == ["shop"]
    admission.hold(node("a"))
    for number in range(int(LONGEST_SECONDS)):
        elsewhere = sighting(builders.mesh(f"other{number}"))
        admission.hold(elsewhere)
        assert names(admission) == [f"other{number}"]
        clock.now += 1
        admission.done(Name.of(elsewhere))
    assert names(admission) == ["a"]


def test_namespaces_take_turns() -> None:
    """One resource of one namespace does not wait for a hundred of another."""
    admission = Admission(at_once=3)
    for number in range(100):
        admission.hold(node(f"many-{number}"))
    admission.hold(node("one", namespace="other"))
    assert "one" in names(admission)


def test_a_resource_with_a_status_need_not_wait() -> None:
    """An edit or a poke of what has been reconciled before goes out at once, and so does a deletion."""
    admission = Admission()
    reported = node("a").model_copy(update={"status": {"observedGeneration": 1}})
    leaving = node("b").model_copy(update={"deleted_at": "2026-01-01T00:00:00Z"})
    assert [admission.needed_for(each) for each in (reported, leaving, node("c"))] == [False, False, True]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20, unique=True), st.integers(1, 4), st.randoms())
def test_everybody_begins_in_the_end_and_once(numbers: list[int], at_once: int, random: Random) -> None:
    """Whatever refers to whatever, and however few may be at work."""
    admission = Admission(at_once=at_once)
    resources = [mesh(), *(node(f"n{n}") for n in numbers), *(service(f"s{n}", f"n{n}", "n0") for n in numbers)]
    random.shuffle(resources)
    for each in resources:
        admission.hold(each)
    begun: list[Name] = []
    while turn := list(admission.admitted()):
        assert len(turn) <= at_once
        begun += turn
        for name in turn:
            admission.done(name)
    assert sorted(begun, key=str) == sorted(map(Name.of, resources), key=str)
    assert admission.waiting == 0


async def test_a_held_resource_is_told_once_with_all_that_came_meanwhile(eventually: Eventually) -> None:
    """A node that is applied with its mesh is told when the mesh has reported: one message, no vain reconcile."""
    workflows = FakeWorkflows()
    outbox = ResourceOutbox(workflows)
    async with sending(outbox):
        outbox.tell(Change(snapshot=mesh(), because="seen"))
        outbox.tell(Change(snapshot=node("a"), because="seen"))
        await eventually(lambda: outbox.waiting == 1)
        assert workflows.told() == ["mesh/shop"]
        outbox.tell(Change(snapshot=node("a"), because="Mesh shop turned", poke=True))
        outbox.answered(Name(Kind.MESH, None, "shop"))
        await eventually(lambda: outbox.waiting == 0)
    assert workflows.told() == ["mesh/shop", "virtualnode/a poked"]
