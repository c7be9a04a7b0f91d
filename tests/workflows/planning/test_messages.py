"""Sightings of a resource: read, told apart, and put in order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.messages import ResourceKey
from resources.kinds import Kind
from tests.builders import mesh, virtual_node, virtual_service
from tests.watcher.sightings import resource
from workflows.messages import Gone, Snapshot

FIRST, SECOND = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def seen(uid="a", generation=1, version="10", created=FIRST, deleted_at=None):
    """A sighting of one node in one of its lives."""
    key = ResourceKey(kind=Kind.VIRTUAL_NODE, namespace="prod", name="cart", uid=uid)
    return Snapshot(key=key, generation=generation, resource_version=version, created=created, deleted_at=deleted_at)


sightings = st.builds(
    seen,
    uid=st.sampled_from("ab"),
    generation=st.integers(1, 3),
    version=st.integers(1, 12).map(str),
    created=st.sampled_from([FIRST, SECOND]),
    deleted_at=st.sampled_from([None, SECOND]),
)


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(mesh(), id="mesh"),
        pytest.param(virtual_node(), id="node"),
        pytest.param(virtual_service(), id="service"),
    ],
)
@pytest.mark.parametrize("deleting", [pytest.param(False, id="alive"), pytest.param(True, id="deleting")])
def test_a_snapshot_goes_back_to_json_without_loss(manifest, deleting):
    """Spec, status and what a reconcile needs of the metadata survive."""
    json = resource(manifest, generation=7, deleting=deleting, finalizers=("f",), status={"conditions": []})
    snapshot = Snapshot.of(Kind(manifest["kind"]), json)
    back = snapshot.as_resource()
    assert back == {
        "metadata": json["metadata"] | {"annotations": {}},
        "spec": json["spec"],
        "status": json["status"],
    }
    assert Snapshot.of(snapshot.key.kind, back) == snapshot
    assert snapshot.deleting is deleting


def test_only_annotations_that_steer_a_mesh_controller_are_kept():
    """Others would only make histories longer."""
    json = resource(virtual_node())
    steering = {"meshwright.dev/routing-update": "swap", "appmesh.k8s.aws/x": "y"}
    json["metadata"]["annotations"] = steering | {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    assert Snapshot.of(Kind.VIRTUAL_NODE, json).annotations == steering


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        pytest.param(seen(generation=2, version="5"), seen(generation=1, version="9"), id="generation-first"),
        pytest.param(seen(deleted_at=SECOND, version="5"), seen(version="9"), id="then-deletion"),
        pytest.param(seen(version="10"), seen(version="9"), id="then-version-as-a-number"),
        pytest.param(
            seen("b", 1, "20", created=SECOND), seen("a", 9, "30", created=FIRST, deleted_at=SECOND), id="a-new-life"
        ),
        pytest.param(seen("b", version="20"), seen("a", version="10"), id="lives-of-one-second"),
    ],
)
def test_the_newer_sighting_supersedes_and_a_stale_one_never_does(newer, older):
    """Two watchers may tell the same in any order."""
    assert newer.supersedes(older)
    assert not older.supersedes(newer)


@given(one=sightings, other=sightings)
def test_of_two_sightings_at_most_one_is_newer(one, other):
    """The order is strict and antisymmetric."""
    assert not one.supersedes(one)
    assert not (one.supersedes(other) and other.supersedes(one))


@given(
    told=st.lists(sightings.filter(lambda snapshot: snapshot.key.uid == "a"), min_size=1, max_size=6), data=st.data()
)
def test_within_one_life_the_order_of_telling_does_not_matter(told, data):
    """The newest of a set of sightings ranks the same, however they arrive."""

    def newest(snapshots):
        best = snapshots[0]
        for snapshot in snapshots[1:]:
            best = snapshot if snapshot.supersedes(best) else best
        return best.generation, best.deleting, best.resource_version

    assert newest(told) == newest(data.draw(st.permutations(told)))


@pytest.mark.parametrize(
    ("gone", "about"),
    [
        pytest.param(Gone(uid="a"), True, id="this-life"),
        pytest.param(Gone(uid="b"), False, id="another-life"),
        pytest.param(Gone(as_of="9"), False, id="created-after-the-list"),
        pytest.param(Gone(as_of="10"), True, id="as-old-as-the-list"),
        pytest.param(Gone(as_of="100"), True, id="older-than-the-list"),
        pytest.param(Gone(), False, id="says-nothing"),
    ],
)
def test_gone_is_about_what_was_seen_to_go_and_nothing_newer(gone, about):
    """A late message never ends a resource that was created since."""
    assert gone.is_about(seen("a", version="10")) is about
