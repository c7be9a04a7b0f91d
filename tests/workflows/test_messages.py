"""Sightings: which is the newer, and whether news of an end is about this life. And what a workflow keeps of them."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.kinds import Kind
from tests.builders import stored, virtual_node
from tests.workflows.snapshots import snapshot
from workflows.messages import Gone, Snapshot
from workflows.planning.outcome import Again
from workflows.planning.plan import Observed
from workflows.state import EntityState


@st.composite
def lives(draw: st.DrawFn) -> list[Snapshot]:
    """Everything that a watcher could have seen of one name, in order: lives that end, and edits within each.

    Lives may begin within one second of each other, since creation times have no finer grain.
    """
    seen: list[Snapshot] = []
    version, second = 1, 0
    for number in range(draw(st.integers(1, 3))):
        second += draw(st.integers(0, 1))
        created = f"2026-01-01T00:00:{second:02}Z"
        generation, deleting = 1, False
        for edit in ["create", *draw(st.lists(st.sampled_from(["spec", "status"]), max_size=4)), "delete"]:
            version += draw(st.integers(1, 20))
            if edit == "spec":
                generation += 1
            elif edit == "delete":
                generation, deleting = generation + 1, True
            metadata: dict[str, Any] = {"resourceVersion": str(version), "creationTimestamp": created}
            if deleting:
                metadata["deletionTimestamp"] = "2026-01-02T00:00:00Z"
            seen.append(snapshot(virtual_node(), uid=f"uid-{number}", generation=generation, **metadata))
    return seen


@given(lives())
def test_later_sightings_supersede_earlier_ones_and_never_the_other_way(seen: list[Snapshot]) -> None:
    """A strict order over everything that happens under a name."""
    for position, earlier in enumerate(seen):
        assert not earlier.supersedes(earlier)
        for later in seen[position + 1 :]:
            assert later.supersedes(earlier)
            assert not earlier.supersedes(later)


@given(lives(), st.data())
def test_workflow_ends_up_with_the_newest_sighting_in_whatever_order_they_come(
    seen: list[Snapshot], data: st.DataObject
) -> None:
    """Watchers with stale caches, several of them at once, signals that overtake: a stale sighting never wins."""
    told = data.draw(st.lists(st.sampled_from(seen), min_size=1))
    state = EntityState()
    for sighting in told:
        state.take(sighting)
    assert state.desired == newest(seen, told)


def newest(seen: Sequence[Snapshot], told: Sequence[Snapshot]) -> Snapshot:
    """The last of those told, as they happened."""
    return next(sighting for sighting in reversed(seen) if sighting in told)


@given(lives())
def test_end_of_one_life_is_not_the_end_of_another(seen: list[Snapshot]) -> None:
    """By uid; or by a list that was made before a life began."""
    for one, other in pairwise(seen):
        same_life = one.key.uid == other.key.uid
        assert Gone(uid=one.key.uid).is_about(other) is same_life
        assert not Gone(as_of=one.resource_version).is_about(other)
        assert Gone(as_of=other.resource_version).is_about(one)
        assert Gone(as_of=one.resource_version).is_about(one)


def test_resource_survives_the_way_through_a_signal() -> None:
    """What is parsed in the workflow is what the API server stored, of the parts that matter."""
    manifest = stored(
        virtual_node(),
        finalizers=["a"],
        deletionTimestamp="2026-01-02T00:00:00Z",
        annotations={"meshwright.dev/x": "1", "appmesh.k8s.aws/y": "2", "kubectl.kubernetes.io/last-applied": "3"},
    )
    found = Snapshot.model_validate_json(Snapshot.of(Kind.VIRTUAL_NODE, manifest).model_dump_json()).as_resource()
    metadata = manifest["metadata"] | {"annotations": {"meshwright.dev/x": "1", "appmesh.k8s.aws/y": "2"}}
    assert found == {"metadata": metadata, "spec": manifest["spec"], "status": {}}


def test_bare_resource_is_read_too() -> None:
    """Kubernetes leaves out what is empty."""
    metadata = {"name": "shop", "uid": "u", "resourceVersion": "7", "creationTimestamp": "2026-01-01T00:00:00Z"}
    found = Snapshot.of(Kind.MESH, {"metadata": metadata})
    assert (found.key.namespace, found.generation, found.spec, found.status, found.deleting) == (None, 1, {}, {}, False)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        pytest.param({"resourceVersion": "200"}, True, id="resource-version"),
        pytest.param({"finalizers": ["a"]}, True, id="finalizers"),
        pytest.param({"annotations": {"note": "a"}}, True, id="somebody's-annotation"),
        pytest.param({"annotations": {"meshwright.dev/deletion-policy": "Retain"}}, False, id="annotation"),
        pytest.param({"generation": 2}, False, id="generation"),
        pytest.param({"uid": "uid-2"}, False, id="uid"),
        pytest.param({"deletionTimestamp": "2026-01-02T00:00:00Z"}, False, id="deletion"),
    ],
)
def test_sightings_ask_for_the_same_unless_spec_life_deletion_or_orders_differ(
    change: dict[str, Any], same: bool
) -> None:
    """What a reconcile depends on."""
    assert (snapshot(virtual_node(), **change).identity == snapshot(virtual_node()).identity) is same


class TestState:
    first = snapshot(virtual_node(), status={"virtualNodeArn": "arn:1"})

    def reconciled(self) -> EntityState:
        """A state after one finished reconcile."""
        state = EntityState()
        state.take(self.first)
        state.handled, state.observed, state.finalizer_added = self.first, Observed(), True
        state.again, state.faults = Again.SOON, 3
        return state

    def test_nothing_sighted_is_nothing_to_do(self) -> None:
        """A poke that came before any sighting waits for one."""
        assert not EntityState(poked=True, gone=True).has_work()

    @pytest.mark.parametrize(
        ("change", "work"),
        [
            pytest.param({}, False, id="done"),
            pytest.param({"handled": None}, True, id="never-reconciled"),
            pytest.param({"poked": True}, True, id="poked"),
            pytest.param({"gone": True}, True, id="gone"),
            pytest.param({"desired": snapshot(virtual_node(), generation=2)}, True, id="edited"),
            pytest.param({"desired": snapshot(virtual_node(), resourceVersion="101")}, False, id="only-touched"),
        ],
    )
    def test_work_is_what_the_last_reconcile_did_not_know(self, change: dict[str, object], work: bool) -> None:
        """Anything else lets the workflow sleep."""
        assert self.reconciled().model_copy(update=change).has_work() is work

    def test_newer_sighting_of_the_same_life_keeps_the_memory(self) -> None:
        """What we wrote into the status is not taken back by a sighting from before."""
        state = self.reconciled()
        state.status = {"written": "by us"}
        state.take(snapshot(virtual_node(), generation=2, resourceVersion="200", status={}))
        assert state.observed is not None
        assert (state.status, state.faults, state.finalizer_added) == ({"written": "by us"}, 3, True)

    def test_next_life_forgets_the_one_before_but_not_what_it_left_in_app_mesh(self) -> None:
        """Never a mixture of two, and no orphan; reconciles are counted on, so that no client token comes twice."""
        state = self.reconciled()
        state.reconciles, state.gone = 7, True
        observed = state.observed
        state.take(snapshot(virtual_node(), uid="uid-2", resourceVersion="200", status={"a": 1}))
        assert (state.handled, state.observed, state.gone, state.finalizer_added) == (None, observed, False, False)
        assert (state.again, state.faults, state.status, state.reconciles) == (Again.NEVER, 0, {"a": 1}, 7)

    def test_state_survives_a_continue_as_new(self) -> None:
        """It travels as JSON."""
        state = self.reconciled()
        assert EntityState.model_validate_json(state.model_dump_json()) == state
