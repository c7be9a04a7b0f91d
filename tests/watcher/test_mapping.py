"""From a change to the workflows that have to hear of it: one table for each rule, and the laws behind them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.messages import MeshReference, NodeReference, ReadReferences, References
from activities.readiness import mesh_reference, node_reference
from resources.conditions import Reason
from resources.kinds import Kind
from tests import builders
from tests.watcher.sightings import active, index_of, settled, sighting
from watcher.index import Index, Name
from watcher.mapping import at_start, is_settled, news
from workflows.messages import Snapshot
from workflows.planning.kinds import desired_of
from workflows.planning.plan import Observed

NODE_ARN = "arn:aws:appmesh:us-west-2:000000000000:mesh/shop/virtualNode/cart-prod"
WAITING_NODE = sighting(builders.virtual_node())
WAITING_SERVICE = sighting(builders.virtual_service())


def told(old: Snapshot | None, new: Snapshot | None, *others: Snapshot) -> list[tuple[str, bool]]:
    """Who hears of a change while these others are known: name, and whether it is a poke."""
    index = index_of(*others, *((new,) if new is not None else ()))
    return [
        (f"{change.snapshot.key.kind.slug}/{change.snapshot.key.name}", change.poke) for change in news(old, new, index)
    ]


OWN = ("virtualnode/cart", False)
MESH_POKED = ("mesh/shop", True)
NODE_POKED = ("virtualnode/cart", True)
SERVICE_POKED = (f"virtualservice/{WAITING_SERVICE.key.name}", True)


def saying(reason: Reason, **state: Any) -> Snapshot:
    """A service that was settled, and says this now."""
    manifest = builders.virtual_service()
    status = active(manifest)
    status["conditions"][0] |= {"status": "False", "reason": reason.value}
    return settled(manifest, status=status, **state)


class TestOwnNews:
    @pytest.mark.parametrize("reason", [Reason.WAITING_FOR_NODES, Reason.WAITING_FOR_MESH])
    def test_settled_one_that_has_to_wait_looks_once_more(self, reason: Reason) -> None:
        """What it waits for may have turned back while it looked, and those that look settled are not told of that."""
        before = settled(builders.virtual_service())
        assert told(before, saying(reason)) == [SERVICE_POKED]
        assert told(saying(reason), saying(reason)) == [], "once"
        assert told(before, saying(reason, uid="uid-2")) == [(SERVICE_POKED[0], False)], "it is another one"

    @pytest.mark.parametrize("reason", [Reason.BAD_REQUEST, Reason.APP_MESH_UNAVAILABLE])
    def test_one_that_is_tried_again_anyway_is_not_poked(self, reason: Reason) -> None:
        """It has a delay of its own."""
        assert told(settled(builders.virtual_service()), saying(reason)) == []

    @pytest.mark.parametrize(
        ("old", "new", "hears"),
        [
            pytest.param(None, sighting(builders.virtual_node()), [OWN], id="created"),
            pytest.param(None, settled(builders.virtual_node()), [], id="first-seen-but-settled"),
            pytest.param(
                settled(builders.virtual_node()), sighting(builders.virtual_node(), generation=2), [OWN], id="edited"
            ),
            pytest.param(
                settled(builders.virtual_node()),
                sighting(builders.virtual_node(), generation=2, deleting=True),
                [OWN],
                id="marked-for-deletion",
            ),
            pytest.param(
                settled(builders.virtual_node()), sighting(builders.virtual_node(), uid="uid-2"), [OWN], id="next-life"
            ),
            pytest.param(WAITING_NODE, settled(builders.virtual_node()), [], id="status-only"),
            pytest.param(
                WAITING_NODE,
                sighting(builders.virtual_node(), finalizers=(Kind.VIRTUAL_NODE.finalizer,)),
                [],
                id="finalizer-only",
            ),
            pytest.param(settled(builders.virtual_node()), None, [], id="gone-is-told-otherwise"),
        ],
    )
    def test_workflow_hears_of_its_resource(
        self, old: Snapshot | None, new: Snapshot | None, hears: list[tuple[str, bool]]
    ) -> None:
        """Of a new uid, generation or deletion; never of what we wrote ourselves."""
        assert told(old, new) == hears


class TestSettled:
    @pytest.mark.parametrize(
        ("snapshot", "expected"),
        [
            pytest.param(settled(builders.mesh()), True, id="active"),
            pytest.param(sighting(builders.mesh()), False, id="new"),
            pytest.param(settled(builders.mesh(), deleting=True), False, id="being-deleted"),
            pytest.param(settled(builders.mesh(), status={"observedGeneration": 0}), False, id="older-generation"),
            pytest.param(sighting(builders.mesh(), status=active(builders.mesh())), False, id="without-our-finalizer"),
            pytest.param(
                settled(builders.mesh(), status={"conditions": [{"type": "MeshActive", "status": "False"}]}),
                False,
                id="not-active",
            ),
        ],
    )
    def test_status_tells_whether_there_is_work(self, snapshot: Snapshot, expected: bool) -> None:
        """Only what is active, at this generation, with our finalizer on it, needs nobody at start."""
        assert is_settled(snapshot) is expected


class TestMeshTurns:
    @pytest.mark.parametrize(
        ("old", "new", "hears"),
        [
            pytest.param(sighting(builders.mesh()), settled(builders.mesh()), [NODE_POKED, SERVICE_POKED], id="active"),
            pytest.param(None, settled(builders.mesh()), [NODE_POKED, SERVICE_POKED], id="first-seen-active"),
            pytest.param(
                sighting(builders.mesh(), status={"x": 1}), sighting(builders.mesh(), status={"x": 2}), [], id="no-turn"
            ),
            pytest.param(None, sighting(builders.mesh()), [("mesh/shop", False)], id="appears-without-a-verdict"),
            pytest.param(
                sighting(builders.mesh()),
                sighting(builders.mesh(), status={"observedGeneration": 1}),
                [NODE_POKED, SERVICE_POKED],
                id="refused",
            ),
            pytest.param(settled(builders.mesh()), settled(builders.mesh()), [], id="same-again"),
            pytest.param(settled(builders.mesh()), None, [], id="gone"),
        ],
    )
    def test_waiting_members_hear_when_their_mesh_turns(
        self, old: Snapshot | None, new: Snapshot | None, hears: list[tuple[str, bool]]
    ) -> None:
        """Poked when what they wait for has changed, and only then."""
        assert told(old, new, WAITING_NODE, WAITING_SERVICE) == hears

    def test_settled_members_do_not_hear_that_it_turned(self) -> None:
        """They wait for nothing."""
        assert told(sighting(builders.mesh()), settled(builders.mesh()), settled(builders.virtual_node())) == []

    def test_settled_members_hear_that_it_is_being_deleted(self) -> None:
        """They leave with it."""
        old, new = settled(builders.mesh()), settled(builders.mesh(), deleting=True)
        assert told(old, new, settled(builders.virtual_node())) == [("mesh/shop", False), NODE_POKED]

    def test_members_of_other_meshes_hear_nothing(self) -> None:
        """The index knows who belongs to whom."""
        other = sighting(builders.virtual_node(meshName="other"))
        assert told(sighting(builders.mesh()), settled(builders.mesh()), other) == []


class TestNodeTurns:
    ready = settled(builders.virtual_node(), status={"virtualNodeArn": NODE_ARN})

    @pytest.mark.parametrize(
        ("old", "new", "hears"),
        [
            pytest.param(WAITING_NODE, settled(builders.virtual_node()), [SERVICE_POKED], id="active"),
            pytest.param(None, WAITING_NODE, [OWN], id="appears-without-a-verdict"),
            pytest.param(WAITING_NODE, None, [SERVICE_POKED], id="disappears"),
            pytest.param(
                WAITING_NODE,
                sighting(builders.virtual_node(meshName="other"), generation=2, status={"x": 1}),
                [OWN, SERVICE_POKED],
                id="changes-mesh",
            ),
            pytest.param(
                sighting(builders.virtual_node(), status={"x": 1}),
                sighting(builders.virtual_node(), status={"x": 2}),
                [],
                id="no-turn",
            ),
        ],
    )
    def test_waiting_services_hear_when_a_target_turns(
        self, old: Snapshot | None, new: Snapshot | None, hears: list[tuple[str, bool]]
    ) -> None:
        """Poked when what they wait for has changed."""
        assert told(old, new, WAITING_SERVICE) == hears

    def test_settled_service_does_not_hear(self) -> None:
        """A later edit of a target that exists is no matter of the service."""
        new = sighting(builders.virtual_node(listeners=[builders.listener(9090)]), generation=2)
        assert told(self.ready, new, settled(builders.virtual_service())) == [OWN]

    def test_service_that_infers_its_listener_hears_of_a_moved_one(self) -> None:
        """Even when settled: the router follows the node."""
        service = settled(builders.virtual_service(virtualRouter=None))
        moved = builders.virtual_node(listeners=[builders.listener(9090)])
        new = sighting(moved, generation=2, status=dict(self.ready.status))
        assert told(self.ready, new, service) == [OWN, SERVICE_POKED]

    def test_service_that_infers_its_listener_keeps_it_when_the_node_goes(self) -> None:
        """A listener that vanished with its node is nothing to follow."""
        assert told(self.ready, None, settled(builders.virtual_service(virtualRouter=None))) == []


class TestThoseThatLeave:
    leaving_node = settled(builders.virtual_node(), deleting=True)
    leaving_mesh = settled(builders.mesh(), deleting=True)

    @pytest.mark.parametrize(
        ("old", "new", "hears"),
        [
            pytest.param(settled(builders.virtual_service()), None, [NODE_POKED], id="service-gone"),
            pytest.param(
                settled(builders.virtual_service()),
                settled(builders.virtual_service(routes=[]), generation=2),
                [NODE_POKED],
                id="service-targets-others-now",
            ),
        ],
    )
    def test_leaving_node_hears_of_the_services_that_used_it(
        self, old: Snapshot, new: Snapshot | None, hears: list[tuple[str, bool]]
    ) -> None:
        """App Mesh may let the node go now."""
        assert [item for item in told(old, new, self.leaving_node) if item[1]] == hears

    def test_node_that_stays_does_not_hear_of_its_services(self) -> None:
        """It has nothing to wait for."""
        assert told(settled(builders.virtual_service()), None, settled(builders.virtual_node())) == []

    @pytest.mark.parametrize(
        "old", [settled(builders.virtual_node()), settled(builders.virtual_service())], ids=["node", "service"]
    )
    def test_leaving_mesh_hears_of_members_that_are_gone(self, old: Snapshot) -> None:
        """It waits until the last is gone."""
        assert told(old, None, self.leaving_mesh) == [MESH_POKED]

    def test_leaving_mesh_hears_of_members_that_moved(self) -> None:
        """A member that names another mesh now is a member less."""
        new = sighting(builders.virtual_node(meshName="other"), generation=2)
        assert told(settled(builders.virtual_node()), new, self.leaving_mesh) == [OWN, MESH_POKED]

    def test_mesh_that_stays_does_not_hear_of_members(self) -> None:
        """It has nothing to wait for."""
        assert told(settled(builders.virtual_node()), None, settled(builders.mesh())) == []


class TestAtStart:
    def test_only_unsettled_resources_hear_and_meshes_first(self) -> None:
        """A restart of the watcher is no news; what is unfinished is also poked, as anything may have turned."""
        index = index_of(
            sighting(builders.virtual_service()),
            settled(builders.virtual_node()),
            sighting(builders.virtual_node("new")),
            sighting(builders.mesh()),
        )
        changes = list(at_start(index))
        assert [change.snapshot.key.kind for change in changes] == [Kind.MESH, Kind.VIRTUAL_NODE, Kind.VIRTUAL_SERVICE]
        assert all(change.poke for change in changes)

    @pytest.mark.parametrize(
        ("inferred", "router", "hears"),
        [
            pytest.param(builders.listener(8080), None, False, id="still-the-nodes"),
            pytest.param(builders.listener(9090), None, True, id="moved-meanwhile"),
            pytest.param(None, None, False, id="never-inferred"),
            pytest.param(
                builders.listener(9090), {"name": "r", "listeners": [builders.listener(9090)]}, False, id="given-since"
            ),
        ],
    )
    def test_listener_that_moved_unseen_is_followed(self, inferred: Any, router: Any, hears: bool) -> None:
        """The status remembers which listener was taken."""
        service = settled(
            builders.virtual_service(virtualRouter=router),
            status={"inferredListeners": [inferred]} if inferred else None,
        )
        assert bool(list(at_start(index_of(service, settled(builders.virtual_node()))))) is hears

    @pytest.mark.parametrize(
        ("others", "status", "hears"),
        [
            pytest.param(["two"], None, ["one", "two"], id="two-on-one-router"),
            pytest.param(
                [], {"routerSharers": [{"name": "two", "uid": "u", "generation": 1}]}, ["one"], id="gone-since"
            ),
            pytest.param([], {"routerLeader": {"name": "two", "uid": "u", "generation": 1}}, ["one"], id="led-before"),
            pytest.param([], None, [], id="alone"),
        ],
    )
    def test_those_who_share_a_router_hear(self, others: list[str], status: Any, hears: list[str]) -> None:
        """What one of them said last may not have reached the others, and each is settled by itself."""
        one = settled(builders.virtual_service("one"), status=status)
        changes = list(at_start(index_of(one, *(settled(builders.virtual_service(name)) for name in others))))
        assert [change.snapshot.key.name for change in changes] == hears

    def test_inferred_listener_stays_while_its_node_is_missing(self) -> None:
        """There is nothing to compare it with."""
        service = settled(
            builders.virtual_service(virtualRouter=None), status={"inferredListeners": [builders.listener(1)]}
        )
        assert list(at_start(index_of(service))) == []


# The laws. The world is two meshes, two nodes and two services; every event replaces the sighting of one of them.

_meshes = st.sampled_from(["shop", "other"])
_node_names = st.sampled_from(["cart", "pay"])


@st.composite
def manifests(draw: st.DrawFn) -> dict[str, Any]:
    """A resource of the small world."""
    kind = draw(st.sampled_from(Kind))
    if kind is Kind.MESH:
        return builders.mesh(draw(_meshes))
    if kind is Kind.VIRTUAL_NODE:
        ports = draw(st.sampled_from([8080, 9090]))
        return builders.virtual_node(draw(_node_names), meshName=draw(_meshes), listeners=[builders.listener(ports)])
    targets = draw(st.lists(st.sampled_from(["cart", "pay"]), min_size=1, max_size=2, unique=True))
    router = draw(st.sampled_from([None, {"name": "r", "listeners": [builders.listener()]}]))
    route = draw(st.sampled_from([builders.http_route, builders.grpc_route, builders.tcp_route]))
    return builders.virtual_service(
        draw(st.sampled_from(["s", "t"])),
        meshName=draw(_meshes),
        virtualRouter=router,
        routes=[route("all", dict.fromkeys(targets, 1))],
    )


@st.composite
def states(draw: st.DrawFn) -> Snapshot:
    """A resource in any state in which it can be seen."""
    manifest = draw(manifests())
    generation, deleting = draw(st.integers(1, 2)), draw(st.booleans())
    if draw(st.booleans()):
        return settled(manifest, generation=generation, deleting=deleting)
    finalizers = draw(st.sampled_from([(), (Kind(manifest["kind"]).finalizer,)]))
    return sighting(manifest, generation=generation, deleting=deleting, finalizers=finalizers)


def answer_for(dependent: Snapshot, index: Index) -> tuple[Any, ...]:
    """What the planner says of a resource when Kubernetes holds what the index knows: blocked, or wanted."""
    desired = desired_of(dependent)
    wanted: ReadReferences = desired.references()
    mesh = index.get(Name(Kind.MESH, None, wanted.mesh)) if wanted.mesh else None
    found = {name: index.get(Name(Kind.VIRTUAL_NODE, wanted.namespace, name)) for name in wanted.nodes}
    references = References(
        mesh=mesh_reference(mesh.as_resource()) if mesh is not None else MeshReference(),
        nodes={
            name: node_reference(node.as_resource()) if node is not None else NodeReference()
            for name, node in found.items()
        },
    )
    blocked = desired.blocked(references)
    return (blocked.reason, None) if blocked is not None else (None, desired.wanted(references, Observed()))


@given(st.lists(st.tuples(states(), st.booleans()), max_size=25))
def test_whoever_waits_is_poked_when_the_answer_to_it_changes(events: list[tuple[Snapshot, bool]]) -> None:
    """The watcher's promise to the workflows, which never poll.

    After each event, every resource for which the planner would answer otherwise than before has been told: without
    exception while it waits, and also when it is settled but its mesh is being deleted. A resource that is gone, or
    about which its own workflow has said nothing yet, brings nobody on: others go on waiting for it.
    """
    index = Index()
    for snapshot, present in events:
        name = Name.of(snapshot)
        before = {Name.of(each): answer_for(each, index) for each in index.all()}
        old = index.put(snapshot) if present else index.remove(name)
        heard = {Name.of(change.snapshot) for change in news(old, snapshot if present else None, index)}
        for dependent in index.all():
            other = Name.of(dependent)
            if other == name or dependent.deleting or before[other] == (after := answer_for(dependent, index)):
                continue
            reason, _ = after
            waiting = reason in (Reason.WAITING_FOR_MESH, Reason.WAITING_FOR_NODES)
            waits_on = waiting and not (present and snapshot.status)
            if reason is Reason.MESH_DELETED or not (is_settled(dependent) or waits_on):
                assert other in heard


@given(st.lists(states(), max_size=6), states())
def test_nobody_hears_of_a_status_that_says_the_same(others: list[Snapshot], snapshot: Snapshot) -> None:
    """A heartbeat, an annotation, a new resourceVersion: neither its own workflow nor any other hears."""
    index = index_of(*others, snapshot)
    again = snapshot.model_copy(update={"resource_version": "9999", "status": snapshot.status | {"touched": "now"}})
    index.put(again)
    changes = list(news(snapshot, again, index))
    assert [change for change in changes if not change.poke] == []
    if not others:
        assert changes == []


@given(st.lists(states(), max_size=8))
def test_start_after_everything_settled_tells_only_those_who_share_a_router(snapshots: list[Snapshot]) -> None:
    """Restarting the watcher costs next to nothing, however much there is."""
    done = [
        snapshot.model_copy(
            update={
                "deleted_at": None,
                "finalizers": (snapshot.key.kind.finalizer,),
                "status": active({"kind": snapshot.key.kind.value}, snapshot.generation),
            }
        )
        for snapshot in snapshots
    ]
    index = index_of(*done)
    assert [change for change in at_start(index) if not any(index.relatives(change.snapshot))] == []
